import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Membership } from '../../../src/protocol/membership/membership.ts'
import { signMember } from '../../../src/protocol/membership/sign.ts'
import type { Member } from '../../../src/protocol/membership/state.ts'
import type { MemberStatement } from '../../../src/protocol/membership/statements.ts'
import { nextOf, type MemberChange } from '../../../src/protocol/membership/succeed.ts'
import { accountNamed, BY_GRID, GRID_ID, named, START_S } from '../../support/test-members.ts'

const BEN = accountNamed('ben')

function membership(statements: readonly Uint8Array[] = []): Membership {
  const made = new Membership({ gridId: GRID_ID, clock: { nowMs: () => START_S * 1000 } })
  made.add(statements)
  return made
}

function ben(of: Membership): Member {
  const member = of.member(BEN)
  if (member === undefined) throw new Error('there is no Ben')
  return member
}

const says = (of: Membership): unknown => {
  const { statement, overruled } = ben(of)
  return [statement?.hash, overruled?.hash, of.all().map(({ hash }) => hash)]
}

/** Whatever the grid's key may have signed, by admins who knew this or that, or by one who says two things at once. */
const anyStatement = fc
  .record({
    seq: fc.integer({ min: 1, max: 6 }),
    knew: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
    term: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
    status: fc.constantFrom<MemberStatement['status']>('in', 'removed'),
    quotaBytes: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
  })
  .map(({ seq, knew, ...said }) =>
    named('ben', { ...said, seq, basis: knew === undefined ? undefined : Math.min(knew, seq - 1) }),
  )

describe('what the grid says of someone', () => {
  it('is the same in whatever order and portions it is heard', () => {
    fc.assert(
      fc.property(
        fc
          .array(anyStatement, { minLength: 1, maxLength: 7 })
          .chain((said) =>
            fc.tuple(
              fc.constant(said),
              fc.shuffledSubarray(said, { minLength: said.length }),
              fc.integer({ min: 1, max: 3 }),
            ),
          ),
        ([said, shuffled, portion]) => {
          const made = membership()
          for (let at = 0; at < shuffled.length; at += portion) {
            made.add(shuffled.slice(at, at + portion))
          }
          expect(says(made)).toEqual(says(membership(said)))
        },
      ),
      { numRuns: 150 },
    )
  })
})

type Step =
  | { readonly kind: 'say'; readonly admin: number; readonly change: MemberChange }
  | { readonly kind: 'readmit'; readonly admin: number }
  | { readonly kind: 'meet' }

const admin = fc.nat({ max: 2 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: changeStep() },
  fc.record({ kind: fc.constant('readmit' as const), admin }),
  fc.record({ kind: fc.constant('meet' as const) }),
)

function changeStep(): fc.Arbitrary<Step> {
  const change: fc.Arbitrary<MemberChange> = fc.oneof(
    fc.record({ quotaBytes: fc.nat({ max: 3 }) }),
    fc.record({ role: fc.constantFrom<MemberStatement['role']>('admin', 'member') }),
    fc.constant({ status: 'removed' as const }),
  )
  return fc.record({ kind: fc.constant('say' as const), admin, change })
}

/** Three admins who say things of Ben, each knowing what it heard, by clocks that differ. */
class Admins {
  readonly each = Array.from({ length: 3 }, () => membership([named('ben', { quotaBytes: 1 })]))

  say(at: number, change: MemberChange): void {
    const own = this.each[at] as Membership
    const nowMs = 10 * (3 - at)
    own.add([signMember(nextOf(ben(own), change, nowMs), BY_GRID).bytes])
  }

  meet(): void {
    const all = this.each.flatMap((own) => own.all().map(({ bytes }) => bytes))
    for (const own of this.each) own.add(all)
  }
}

describe('admins who say things at once', () => {
  it('agree when they meet, and undo no removal that they had not heard of', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 14 }), (steps) => {
        const admins = new Admins()
        for (const each of steps) {
          if (each.kind === 'meet') {
            const removedSince = admins.each.filter((own) => ben(own).status === 'removed')
            const terms = admins.each.map((own) => ben(own).statement?.term ?? 0)
            const latest = Math.max(...terms)
            const removedLast = removedSince.some(
              (own) => (ben(own).statement?.term ?? 0) === latest,
            )
            admins.meet()
            expect(new Set(admins.each.map((own) => JSON.stringify(says(own)))).size).toBe(1)
            for (const own of admins.each) {
              expect(ben(own).status).toBe(removedLast ? 'removed' : 'in')
            }
          } else if (each.kind === 'say') {
            const own = admins.each[each.admin] as Membership
            const before = ben(own).status
            admins.say(each.admin, each.change)
            // A change takes nobody back in, and counts at once for whoever makes it.
            expect(ben(own).status).toBe(each.change.status ?? before)
            expect(ben(own)).toMatchObject(each.change)
            expect(ben(own).overruled).toBeUndefined()
          } else {
            admins.say(each.admin, { status: 'in' })
            expect(ben(admins.each[each.admin] as Membership).status).toBe('in')
          }
        }
      }),
      { numRuns: 150 },
    )
  })

  it('are told of what does not count, until one of them settles it', () => {
    const admins = new Admins()
    admins.say(0, { quotaBytes: 5 })
    admins.say(1, { name: 'Benjamin' })
    admins.meet()
    for (const own of admins.each) {
      // The first one's clock is ahead, so it counts.
      expect(ben(own)).toMatchObject({ name: 'ben', quotaBytes: 5 })
      expect(ben(own).overruled).toMatchObject({ name: 'Benjamin', quotaBytes: 1 })
    }
    admins.say(2, { name: 'Benjamin' })
    admins.meet()
    for (const own of admins.each) {
      expect(ben(own)).toMatchObject({ name: 'Benjamin', quotaBytes: 5, overruled: undefined })
    }
  })

  it('are told of a change by one who did not know that somebody was removed', () => {
    const admins = new Admins()
    admins.say(1, { status: 'removed' })
    admins.say(0, { quotaBytes: 9 })
    admins.meet()
    for (const own of admins.each) {
      expect(ben(own)).toMatchObject({ status: 'removed', quotaBytes: 1 })
      expect(ben(own).overruled?.quotaBytes).toBe(9)
    }
    admins.say(2, { status: 'removed' })
    admins.meet()
    expect(admins.each.map((own) => ben(own).overruled)).toEqual(Array(3).fill(undefined))
  })
})
