import { TAGS } from '../../crypto/tags.ts'
import { taggedHash } from '../../crypto/hash.ts'
import { concatBytes, equalBytes, toHex } from '../../foundation/bytes.ts'
import { MalformedMessageError } from '../../protocol/cbor.ts'
import { statementHash } from '../../protocol/membership/decode.ts'
import { MAX_STATEMENTS_BYTES } from '../../protocol/membership/limits.ts'
import {
  STATEMENT_DIGEST_BYTES,
  type AddResult,
  type Membership,
} from '../../protocol/membership/membership.ts'
import type { Conversation } from './conversation.ts'
import { MAX_MESSAGES_PER_EXCHANGE, STATEMENTS_BYTES_PER_MESSAGE } from './limits.ts'
import {
  decodeMemberReply,
  decodeMemberRequest,
  encodeMemberReply,
  encodeMemberRequest,
  splitDigests,
  type MemberReply,
  type MemberRequest,
} from './messages.ts'

/** The two ends of a conversation, as far as they matter here. */
type Asking = Pick<Conversation, 'ask'>
type Answering = Pick<Conversation, 'receive' | 'send'>

/** A membership, and how it takes what another member says. */
export interface Learner {
  readonly membership: Membership
  /** Resolves once what is new is on disk. */
  readonly learn: (statements: readonly Uint8Array[]) => Promise<AddResult>
}

/**
 * Brings two members to the same statements: asks for what is lacking here, and gives what is lacking there. It may be
 * repeated at any time, and costs one short message where nothing is new.
 *
 * @returns how many statements were new here
 * @throws MalformedMessageError if the other breaks the protocol; Error if it is gone or silent
 */
export async function exchange(talk: Asking, { membership, learn }: Learner): Promise<number> {
  const own = membership.digests()
  const reply = await ask(talk, { kind: 'compare', summary: summaryOf(own) })
  if (reply.kind === 'same') return 0
  const theirs = expectKind(reply, 'digests').digests
  const lacking = membership.missing(theirs)
  const got = await fetchAll(talk, unknownOf(theirs, own))
  const { added } = refuseRubbish(await learn(got))
  await give(
    talk,
    lacking.map(({ bytes }) => bytes),
  )
  return added.length
}

/** Gives statements to a member who is glad of them, in as many messages as it takes. @throws as {@link exchange} */
export async function give(talk: Asking, statements: readonly Uint8Array[]): Promise<void> {
  for (let at = 0; at < statements.length;) {
    const batch = fitting(statements.slice(at))
    expectKind(await ask(talk, { kind: 'give', statements: batch }), 'kept')
    at += batch.length
  }
}

/**
 * Answers a member until it has no more to ask.
 * @param pace - resolves when one more message may be answered
 * @throws as {@link exchange}
 */
export async function answerExchange(
  talk: Answering,
  learner: Learner,
  { pace }: { readonly pace: () => Promise<void> },
): Promise<void> {
  for (let messages = 0; messages < MAX_MESSAGES_PER_EXCHANGE; messages++) {
    const message = await talk.receive()
    if (message === undefined) return
    await pace()
    const reply = await answer(decodeMemberRequest(message), learner)
    await talk.send(encodeMemberReply(reply))
  }
  throw new MalformedMessageError('An exchange takes too many messages.')
}

async function answer(
  request: MemberRequest,
  { membership, learn }: Learner,
): Promise<MemberReply> {
  switch (request.kind) {
    case 'compare': {
      const digests = membership.digests()
      if (equalBytes(request.summary, summaryOf(digests))) return { kind: 'same' }
      return { kind: 'digests', digests }
    }
    case 'want':
      return { kind: 'statements', statements: fitting(heldOf(membership, request.digests)) }
    case 'give':
      refuseRubbish(await learn(request.statements))
      return { kind: 'kept' }
  }
}

/** Those of the digests that are held here, in an order in which they can be taken. */
function heldOf(membership: Membership, digests: Uint8Array): Uint8Array[] {
  const without = new Set(membership.missing(digests))
  return membership
    .all()
    .filter((statement) => !without.has(statement))
    .map(({ bytes }) => bytes)
}

/** All of them, before any is taken: one may rest on another that comes later. */
async function fetchAll(talk: Asking, digests: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const wanted = new Map(digests.map((digest) => [toHex(digest), digest]))
  const got: Uint8Array[] = []
  let bytes = 0
  while (wanted.size > 0) {
    const request = { kind: 'want', digests: concatBytes([...wanted.values()]) } as const
    const { statements } = expectKind(await ask(talk, request), 'statements')
    // They have let go of the rest meanwhile.
    if (statements.length === 0) break
    for (const statement of statements) {
      if (!wanted.delete(statementHash(statement).slice(0, 2 * STATEMENT_DIGEST_BYTES))) {
        throw new MalformedMessageError('It sent a statement that it was not asked for.')
      }
      bytes += statement.length
      got.push(statement)
    }
    if (bytes > MAX_STATEMENTS_BYTES) {
      throw new MalformedMessageError('It has more statements than there can be.')
    }
  }
  return got
}

/** The digests of `theirs` that are not among `own`. */
function unknownOf(theirs: Uint8Array, own: Uint8Array): Uint8Array[] {
  const known = new Set(splitDigests(own).map(toHex))
  return splitDigests(theirs).filter((digest) => !known.has(toHex(digest)))
}

function summaryOf(digests: Uint8Array): Uint8Array {
  return taggedHash(TAGS.gridSummary, digests)
}

/** As many of the first ones as one message has room for. */
function fitting(statements: readonly Uint8Array[]): Uint8Array[] {
  const fit: Uint8Array[] = []
  let bytes = 0
  for (const statement of statements) {
    bytes += statement.length + STATEMENT_OVERHEAD_BYTES
    if (bytes > STATEMENTS_BYTES_PER_MESSAGE) break
    fit.push(statement)
  }
  return fit
}

/** Of CBOR, around a statement. */
const STATEMENT_OVERHEAD_BYTES = 3

function refuseRubbish(result: AddResult): AddResult {
  if (!result.refused.some(({ reason }) => reason === 'malformed')) return result
  throw new MalformedMessageError('It sent what is no statement of this grid.')
}

async function ask(talk: Asking, request: MemberRequest): Promise<MemberReply> {
  return decodeMemberReply(await talk.ask(encodeMemberRequest(request)))
}

function expectKind<Kind extends MemberReply['kind']>(
  reply: MemberReply,
  kind: Kind,
): Extract<MemberReply, { kind: Kind }> {
  if (reply.kind === kind) return reply as Extract<MemberReply, { kind: Kind }>
  throw new MalformedMessageError('The answer is none to what was asked.')
}
