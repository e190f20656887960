import {
  arrayField,
  bytesField,
  checkBytes,
  decodeFields,
  encodeFields,
  integerField,
  MalformedMessageError,
  type Fields,
} from '../../protocol/cbor.ts'
import { MAX_STATEMENT_BYTES, MAX_STATEMENTS } from '../../protocol/membership/limits.ts'
import { STATEMENT_DIGEST_BYTES } from '../../protocol/membership/membership.ts'
import { flawOfMemberName } from '../../protocol/membership/names.ts'
import { MAX_JOIN_STATEMENTS } from './limits.ts'

/** What members ask each other, one at a time: see docs/specification/membership.md. */
export type MemberRequest =
  /** `summary`: the hash of all digests, 32 bytes. Answered by `same`, or by the digests of what the other holds. */
  | { readonly kind: 'compare'; readonly summary: Uint8Array }
  /** Answered by as many of these statements as one message has room for, and none that are not held. */
  | { readonly kind: 'want'; readonly digests: Uint8Array }
  /** Answered by `kept` once those that are new are on disk. */
  | { readonly kind: 'give'; readonly statements: readonly Uint8Array[] }

export type MemberReply =
  | { readonly kind: 'same' }
  | { readonly kind: 'digests'; readonly digests: Uint8Array }
  | { readonly kind: 'statements'; readonly statements: readonly Uint8Array[] }
  | { readonly kind: 'kept' }

/** What strangers may ask. */
export type JoinRequest =
  | { readonly kind: 'hello' }
  /** An invite is used: the grant, and the signature by its one-time key of account and name. */
  | {
      readonly kind: 'join'
      readonly grant: Uint8Array
      readonly account: Uint8Array
      readonly name: string
      readonly redemption: Uint8Array
      /** The devices of the account, and what they announce. */
      readonly statements: readonly Uint8Array[]
    }
  /** A device is a member's already, and shows why to someone who has not heard of it. */
  | { readonly kind: 'introduce'; readonly statements: readonly Uint8Array[] }

export type JoinReply =
  | { readonly kind: 'greeting'; readonly version: number }
  | { readonly kind: 'welcome' }
  | JoinRefusal

/**
 * Why someone is not let in. `unknown`: their statements do not make them a member. `failed`: the member could not keep
 * the admission. `leaving`: the one who was asked does not belong to the grid itself any more.
 */
export type JoinRefusalReason =
  | 'malformed'
  | 'expired'
  | 'used-up'
  | 'revoked'
  | 'removed'
  | 'unknown'
  | 'full'
  | 'failed'
  | 'leaving'

export interface JoinRefusal {
  readonly kind: 'refusal'
  readonly reason: JoinRefusalReason
  /** Of a used-up invite: the names of those who used it, at most a few. */
  readonly usedBy: readonly string[]
  /** Statements from which the one who is refused sees that it is so, as far as there are any. */
  readonly evidence: readonly Uint8Array[]
}

export const JOIN_VERSION = 1

const OP = 0
const MEMBER_OPS = { compare: 1, want: 2, give: 3 } as const
const MEMBER_REPLIES = { same: 1, digests: 2, statements: 3, kept: 4 } as const
const JOIN_OPS = { hello: 1, join: 2, introduce: 3 } as const
const JOIN_REPLIES = { greeting: 1, welcome: 2, refusal: 3 } as const
const REASONS: readonly JoinRefusalReason[] = [
  'malformed',
  'expired',
  'used-up',
  'revoked',
  'removed',
  'unknown',
  'full',
  'failed',
  'leaving',
]

const MAX_OP = 255
const SUMMARY_BYTES = 32
const KEY_BYTES = 32
const SIGNATURE_BYTES = 64
/** A grant is part of an admission, which has to fit one statement. */
const MAX_GRANT_BYTES = 1024
/** Names of those who used an invite, in a refusal. */
export const MAX_USED_BY = 4
/** Statements of a refusal. */
export const MAX_EVIDENCE = 4

export function encodeMemberRequest(request: MemberRequest): Uint8Array {
  switch (request.kind) {
    case 'compare':
      return encoded(MEMBER_OPS.compare, request.summary)
    case 'want':
      return encoded(MEMBER_OPS.want, request.digests)
    case 'give':
      return encoded(MEMBER_OPS.give, request.statements)
  }
}

/** @throws MalformedMessageError */
export function decodeMemberRequest(bytes: Uint8Array): MemberRequest {
  const fields = decodeFields(bytes)
  switch (opOf(fields)) {
    case MEMBER_OPS.compare:
      return {
        kind: 'compare',
        summary: bytesField(fields, 1, { min: SUMMARY_BYTES, max: SUMMARY_BYTES }),
      }
    case MEMBER_OPS.want:
      return { kind: 'want', digests: digestsField(fields) }
    case MEMBER_OPS.give:
      return { kind: 'give', statements: statementsField(fields, 1, MAX_STATEMENTS) }
    default:
      throw unknownOp()
  }
}

export function encodeMemberReply(reply: MemberReply): Uint8Array {
  switch (reply.kind) {
    case 'same':
      return encoded(MEMBER_REPLIES.same)
    case 'digests':
      return encoded(MEMBER_REPLIES.digests, reply.digests)
    case 'statements':
      return encoded(MEMBER_REPLIES.statements, reply.statements)
    case 'kept':
      return encoded(MEMBER_REPLIES.kept)
  }
}

/** @throws MalformedMessageError */
export function decodeMemberReply(bytes: Uint8Array): MemberReply {
  const fields = decodeFields(bytes)
  switch (opOf(fields)) {
    case MEMBER_REPLIES.same:
      return { kind: 'same' }
    case MEMBER_REPLIES.digests:
      return { kind: 'digests', digests: digestsField(fields) }
    case MEMBER_REPLIES.statements:
      return { kind: 'statements', statements: statementsField(fields, 1, MAX_STATEMENTS) }
    case MEMBER_REPLIES.kept:
      return { kind: 'kept' }
    default:
      throw unknownOp()
  }
}

export function encodeJoinRequest(request: JoinRequest): Uint8Array {
  switch (request.kind) {
    case 'hello':
      return encoded(JOIN_OPS.hello)
    case 'join': {
      const { grant, account, name, redemption, statements } = request
      return encoded(JOIN_OPS.join, grant, account, name, redemption, statements)
    }
    case 'introduce':
      return encoded(JOIN_OPS.introduce, request.statements)
  }
}

/** @throws MalformedMessageError */
export function decodeJoinRequest(bytes: Uint8Array): JoinRequest {
  const fields = decodeFields(bytes)
  switch (opOf(fields)) {
    case JOIN_OPS.hello:
      return { kind: 'hello' }
    case JOIN_OPS.join:
      return {
        kind: 'join',
        grant: bytesField(fields, 1, { max: MAX_GRANT_BYTES }),
        account: bytesField(fields, 2, { min: KEY_BYTES, max: KEY_BYTES }),
        name: nameOf(fields.get(3)),
        redemption: bytesField(fields, 4, { min: SIGNATURE_BYTES, max: SIGNATURE_BYTES }),
        statements: statementsField(fields, 5, MAX_JOIN_STATEMENTS),
      }
    case JOIN_OPS.introduce:
      return { kind: 'introduce', statements: statementsField(fields, 1, MAX_JOIN_STATEMENTS) }
    default:
      throw unknownOp()
  }
}

export function encodeJoinReply(reply: JoinReply): Uint8Array {
  switch (reply.kind) {
    case 'greeting':
      return encoded(JOIN_REPLIES.greeting, reply.version)
    case 'welcome':
      return encoded(JOIN_REPLIES.welcome)
    case 'refusal':
      return encoded(
        JOIN_REPLIES.refusal,
        REASONS.indexOf(reply.reason),
        reply.usedBy,
        reply.evidence,
      )
  }
}

/** @throws MalformedMessageError */
export function decodeJoinReply(bytes: Uint8Array): JoinReply {
  const fields = decodeFields(bytes)
  switch (opOf(fields)) {
    case JOIN_REPLIES.greeting:
      return { kind: 'greeting', version: integerField(fields, 1, { max: MAX_OP }) }
    case JOIN_REPLIES.welcome:
      return { kind: 'welcome' }
    case JOIN_REPLIES.refusal: {
      const reason = REASONS[integerField(fields, 1, { max: REASONS.length - 1 })] ?? 'unknown'
      const usedBy = arrayField(fields, 2, { max: MAX_USED_BY }).map(nameOf)
      const evidence = statementsField(fields, 3, MAX_EVIDENCE)
      return { kind: 'refusal', reason, usedBy, evidence }
    }
    default:
      throw unknownOp()
  }
}

/** Splits digests as they travel, one after another. */
export function splitDigests(digests: Uint8Array): Uint8Array[] {
  return Array.from({ length: digests.length / STATEMENT_DIGEST_BYTES }, (_, at) =>
    digests.subarray(at * STATEMENT_DIGEST_BYTES, (at + 1) * STATEMENT_DIGEST_BYTES),
  )
}

function encoded(op: number, ...values: readonly unknown[]): Uint8Array {
  const fields: Fields = new Map<number, unknown>([[OP, op]])
  values.forEach((value, at) => fields.set(at + 1, value))
  return encodeFields(fields)
}

function opOf(fields: Fields): number {
  return integerField(fields, OP, { max: MAX_OP })
}

function digestsField(fields: Fields): Uint8Array {
  const digests = bytesField(fields, 1, { max: MAX_STATEMENTS * STATEMENT_DIGEST_BYTES })
  if (digests.length % STATEMENT_DIGEST_BYTES === 0) return digests
  throw new MalformedMessageError('The digests are cut short.')
}

function statementsField(fields: Fields, key: number, max: number): Uint8Array[] {
  return arrayField(fields, key, { max }).map((value) =>
    checkBytes(value, 'A statement', { min: 1, max: MAX_STATEMENT_BYTES }),
  )
}

function nameOf(value: unknown): string {
  if (typeof value === 'string' && flawOfMemberName(value) === undefined) return value
  throw new MalformedMessageError('A name is not one.')
}

function unknownOp(): MalformedMessageError {
  return new MalformedMessageError('The message is of a kind that is not known.')
}
