import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../src/foundation/bytes.ts'
import { Allowance } from '../../../src/network/membership/allowance.ts'
import { answerExchange, exchange, give } from '../../../src/network/membership/exchange.ts'
import { MESSAGE_BURST } from '../../../src/network/membership/limits.ts'
import {
  decodeJoinReply,
  decodeJoinRequest,
  decodeMemberReply,
  decodeMemberRequest,
  encodeJoinReply,
  encodeJoinRequest,
  encodeMemberReply,
  encodeMemberRequest,
  type JoinReply,
  type JoinRequest,
  type MemberReply,
  type MemberRequest,
} from '../../../src/network/membership/messages.ts'
import { MalformedMessageError } from '../../../src/protocol/cbor.ts'
import type { Clock } from '../../../src/foundation/clock.ts'
import {
  admitted,
  announced,
  device,
  deviceNamed,
  named,
  revoked,
} from '../../support/test-members.ts'
import { FOUNDERS, newKeeper } from './member-grid.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const statement = fc.uint8Array({ minLength: 1, maxLength: 100 })
const statements = fc.array(statement, { maxLength: 24 })
const digests = fc
  .array(bytes(8), { maxLength: 20 })
  .map((list) => Uint8Array.from(list.flatMap((each) => [...each])))
const name = fc.stringMatching(/^[a-z][a-z ]{0,20}[a-z]$/)

const memberRequest: fc.Arbitrary<MemberRequest> = fc.oneof(
  fc.record({ kind: fc.constant('compare' as const), summary: bytes(32) }),
  fc.record({ kind: fc.constant('want' as const), digests }),
  fc.record({ kind: fc.constant('give' as const), statements }),
)
const memberReply: fc.Arbitrary<MemberReply> = fc.oneof(
  fc.constant({ kind: 'same' } as const),
  fc.record({ kind: fc.constant('digests' as const), digests }),
  fc.record({ kind: fc.constant('statements' as const), statements }),
  fc.constant({ kind: 'kept' } as const),
)
const joinRequest: fc.Arbitrary<JoinRequest> = fc.oneof(
  fc.constant({ kind: 'hello' } as const),
  fc.record({ kind: fc.constant('introduce' as const), statements }),
  fc.record({
    kind: fc.constant('join' as const),
    grant: statement,
    account: bytes(32),
    name,
    redemption: bytes(64),
    statements,
  }),
)
const joinReply: fc.Arbitrary<JoinReply> = fc.oneof(
  fc.record({ kind: fc.constant('greeting' as const), version: fc.nat(255) }),
  fc.constant({ kind: 'welcome' } as const),
  fc.record({
    kind: fc.constant('refusal' as const),
    reason: fc.constantFrom(
      'malformed',
      'expired',
      'used-up',
      'revoked',
      'removed',
      'unknown',
      'full',
      'failed',
      'leaving',
    ),
    usedBy: fc.array(name, { maxLength: 4 }),
    evidence: fc.array(statement, { maxLength: 4 }),
  }),
)

describe('messages about members', () => {
  it('come out as they went in', () => {
    fc.assert(
      fc.property(memberRequest, memberReply, joinRequest, joinReply, (ask, tell, knock, open) => {
        expect(decodeMemberRequest(encodeMemberRequest(ask))).toEqual(ask)
        expect(decodeMemberReply(encodeMemberReply(tell))).toEqual(tell)
        expect(decodeJoinRequest(encodeJoinRequest(knock))).toEqual(knock)
        expect(decodeJoinReply(encodeJoinReply(open))).toEqual(open)
      }),
    )
  })

  it('are refused with a typed error when they are anything else', () => {
    const message = fc.oneof(
      joinRequest.map(encodeJoinRequest),
      joinReply.map(encodeJoinReply),
      memberRequest.map(encodeMemberRequest),
    )
    const changed = fc
      .tuple(message, fc.nat(), fc.integer({ min: 1, max: 255 }))
      .map(([encoded, at, flip]) => {
        const copy = Uint8Array.from(encoded)
        const index = at % copy.length
        copy[index] = (copy[index] ?? 0) ^ flip
        return copy
      })
    fc.assert(
      fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 200 })), (encoded) => {
        for (const decode of [
          decodeMemberRequest,
          decodeMemberReply,
          decodeJoinRequest,
          decodeJoinReply,
        ]) {
          try {
            decode(encoded)
          } catch (error) {
            expect(error).toBeInstanceOf(MalformedMessageError)
          }
        }
      }),
    )
  })

  it('are written as they always were', () => {
    const summary = new Uint8Array(32).fill(7)
    expect(toHex(encodeMemberRequest({ kind: 'compare', summary }))).toBe(
      `a20001015820${'07'.repeat(32)}`,
    )
    expect(toHex(encodeMemberRequest({ kind: 'give', statements: [Uint8Array.of(1, 2)] }))).toBe(
      'a200030181420102',
    )
    expect(toHex(encodeJoinRequest({ kind: 'hello' }))).toBe('a10001')
    const refusal = { kind: 'refusal', reason: 'used-up', usedBy: ['eve'], evidence: [] } as const
    expect(toHex(encodeJoinReply(refusal))).toBe('a4000301020281636576650380')
  })
})

describe('an exchange', () => {
  /** The two ends of a conversation in memory. */
  function talks() {
    const questions: ((message: Uint8Array | undefined) => void)[] = []
    const pending: Uint8Array[] = []
    let answered: ((message: Uint8Array) => void) | undefined
    let messages = 0
    return {
      count: () => messages,
      asking: {
        ask: async (message: Uint8Array) => {
          messages++
          const answer = new Promise<Uint8Array>((resolve) => (answered = resolve))
          const waiting = questions.shift()
          if (waiting === undefined) pending.push(message)
          else waiting(message)
          return await answer
        },
      },
      answering: {
        receive: async () =>
          pending.shift() ??
          (await new Promise<Uint8Array | undefined>((resolve) => questions.push(resolve))),
        send: (message: Uint8Array) => {
          answered?.(message)
          return Promise.resolve()
        },
      },
      end: () => questions.shift()?.(undefined),
    }
  }

  const all = [
    ...FOUNDERS,
    named('carol'),
    named('carol', { seq: 2, status: 'removed' }),
    device('carol', 'carol'),
    admitted('dave', 'spring', { by: 'alice' }),
    admitted('erin', 'spring', { by: 'bob', atS: 5 }),
    device('dave', 'dave'),
    device('dave', 'dave', { seq: 2, status: 'removed' }),
    announced('alice'),
    announced('alice', { seq: 2, zone: 'elsewhere' }),
    announced('dave'),
    revoked('summer'),
    ...Array.from({ length: 60 }, (_, at) => named(`friend ${at}`)),
  ]

  it('makes any two members know the same, and is over at once where they do', async () => {
    const subset = fc.shuffledSubarray(all)
    await fc.assert(
      fc.asyncProperty(subset, subset, async (mine, theirs) => {
        const here = newKeeper(mine)
        const there = newKeeper(theirs)
        const meet = async (): Promise<number> => {
          const talk = talks()
          const answering = answerExchange(
            talk.answering,
            { membership: there.membership, learn: async (given) => await there.learn(given) },
            { pace: () => Promise.resolve() },
          )
          await exchange(talk.asking, {
            membership: here.membership,
            learn: async (given) => await here.learn(given),
          })
          talk.end()
          await answering
          return talk.count()
        }
        await meet()
        // What neither could take before may rest on what each has now.
        await meet()
        expect(toHex(here.membership.digests())).toBe(toHex(there.membership.digests()))
        expect(here.membership.nodes).toEqual(there.membership.nodes)
        expect(await meet()).toBe(1)
      }),
      { numRuns: 30 },
    )
  })

  it('is refused where the other answers with what was not asked for', async () => {
    const keeper = newKeeper(FOUNDERS)
    const learner = {
      membership: keeper.membership,
      learn: async (given: readonly Uint8Array[]) => await keeper.learn(given),
    }
    const answers: MemberReply[] = [
      { kind: 'digests', digests: new Uint8Array(16).fill(3) },
      { kind: 'statements', statements: [named('mallory')] },
    ]
    const asking = {
      ask: () => Promise.resolve(encodeMemberReply(answers.shift() ?? { kind: 'same' })),
    }
    await expect(exchange(asking, learner)).rejects.toBeInstanceOf(MalformedMessageError)
    expect(keeper.membership.members).toHaveLength(2)
    await expect(give(asking, [named('x')])).rejects.toBeInstanceOf(MalformedMessageError)
  })
})

describe('a member that never stops telling', () => {
  it('is answered at once for long, then at a pace, and the others are not held up', async () => {
    let nowMs = 0
    const waits: number[] = []
    const clock: Clock = {
      nowMs: () => nowMs,
      monotonicMs: () => nowMs,
      after(delayMs, action) {
        waits.push(delayMs)
        nowMs += delayMs
        action()
        return () => undefined
      },
    }
    const allowance = new Allowance(clock)
    const [noisy, quiet] = [deviceNamed('noisy'), deviceNamed('quiet')]
    for (let at = 0; at < MESSAGE_BURST; at++) await allowance.wait(noisy)
    expect(waits).toEqual([])
    for (let at = 0; at < 4; at++) await allowance.wait(noisy)
    expect(waits).toEqual([250, 250, 250, 250])
    await allowance.wait(quiet)
    expect(waits).toHaveLength(4)
  })
})
