import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sha256 } from '../../../src/crypto/hash.ts'
import { toHex, utf8 } from '../../../src/foundation/bytes.ts'
import { MAX_SLOT_HEADS } from '../../../src/protocol/limits.ts'
import { compareVectors, covers } from '../../../src/protocol/version-vector.ts'
import { admit, liveHeads } from '../../../src/storage-node/slots/register.ts'
import type { HeldRecord } from '../../../src/storage-node/slots/slot-rows.ts'
import { testClock } from '../../support/slot-records.ts'

const NOW_S = 1000

function recordOf(
  counters: Readonly<Record<string, number>>,
  { noise = 0, expiresS = 0 } = {},
): HeldRecord {
  const digest = sha256(utf8(JSON.stringify([counters, noise])))
  return { digest, tag: noise, expiresS, lapsesS: 0, bytes: 959, clock: testClock(counters) }
}

/** Offers all in order. @returns the heads, and what was answered for each */
function offerAll(
  offered: readonly HeldRecord[],
  start: readonly HeldRecord[] = [],
): { heads: readonly HeldRecord[]; answers: string[] } {
  let heads = start
  const answers = offered.map((record) => {
    const admitted = admit(heads, record, NOW_S)
    if (typeof admitted === 'string') return admitted
    heads = admitted.heads
    return 'stored'
  })
  return { heads, answers }
}

function namesOf(records: readonly HeldRecord[]): Set<string> {
  return new Set(records.map(({ digest }) => toHex(digest)))
}

/** What the register is to hold, by its definition: those that no other one strictly contains. */
function maximaOf(records: readonly HeldRecord[]): HeldRecord[] {
  return records.filter(({ clock }) =>
    records.every((other) => compareVectors(clock, other.clock) !== 'before'),
  )
}

/** Two to five devices, few counters: contained, equal and concurrent clocks all happen often. */
const record = fc
  .record({
    counters: fc.dictionary(
      fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      fc.integer({ min: 1, max: 3 }),
      {
        minKeys: 1,
        maxKeys: 3,
      },
    ),
    noise: fc.nat(1),
  })
  .map(({ counters, noise }) => recordOf(counters, { noise }))
/** With a device each: as many siblings as there are records. */
const sibling = fc.nat(11).map((at) => recordOf({ [`device ${at}`]: 1 }))
const records = fc.array(fc.oneof({ arbitrary: record, weight: 3 }, sibling), { maxLength: 24 })
const shuffled = records.chain((all) =>
  fc.tuple(
    fc.constant(all),
    fc.shuffledSubarray(all, { minLength: all.length }),
    fc.shuffledSubarray(all, { minLength: all.length }),
  ),
)

describe('the register of a slot', () => {
  test('holds the maxima of what was offered, whatever the order, below its limit', () => {
    fc.assert(
      fc.property(shuffled, ([all, first, second]) => {
        const outcomes = [offerAll(first), offerAll(second)]
        fc.pre(outcomes.every(({ answers }) => !answers.includes('merge-first')))
        for (const { heads } of outcomes) expect(namesOf(heads)).toEqual(namesOf(maximaOf(all)))
      }),
    )
  })

  test('holds the maxima at its limit too, when what was refused is offered again', () => {
    fc.assert(
      fc.property(shuffled, ([all, first, second]) => {
        let { heads } = offerAll(first)
        for (let round = 0; round <= all.length; round++) heads = offerAll(second, heads).heads
        const maxima = namesOf(maximaOf(all))
        expect(heads).toHaveLength(Math.min(maxima.size, MAX_SLOT_HEADS))
        for (const name of namesOf(heads)) expect(maxima).toContain(name)
      }),
    )
  })

  test('never loses what it took, and never holds more than 8 or one that another contains', () => {
    fc.assert(
      fc.property(records, (all) => {
        let heads: readonly HeldRecord[] = []
        const taken: HeldRecord[] = []
        for (const offered of all) {
          const { heads: next, answers } = offerAll([offered], heads)
          heads = next
          if (answers[0] === 'stored') taken.push(offered)
          expect(heads.length).toBeLessThanOrEqual(MAX_SLOT_HEADS)
          expect(maximaOf(heads)).toEqual(heads)
          for (const { clock, digest } of taken) {
            const equal = heads.some((head) => toHex(head.digest) === toHex(digest))
            const contained = heads.some((head) => compareVectors(clock, head.clock) === 'before')
            expect(equal || contained).toBe(true)
          }
        }
      }),
    )
  })

  test('changes nothing when the same comes again', () => {
    fc.assert(
      fc.property(records, (all) => {
        const { heads, answers } = offerAll(all)
        fc.pre(!answers.includes('merge-first'))
        const again = offerAll(all, heads)
        expect(again.heads).toBe(heads)
        for (const answer of again.answers) expect(['have', 'stale']).toContain(answer)
      }),
    )
  })

  test('answers for a reason', () => {
    fc.assert(
      fc.property(records, record, (all, offered) => {
        const { heads } = offerAll(all)
        const answer = admit(heads, offered, NOW_S)
        const isHeld = namesOf(heads).has(toHex(offered.digest))
        const isContained = heads.some(
          ({ clock }) => compareVectors(offered.clock, clock) === 'before',
        )
        const replaces = heads.some(
          ({ clock }) => compareVectors(clock, offered.clock) === 'before',
        )
        const expected = isHeld
          ? 'have'
          : isContained
            ? 'stale'
            : heads.length === MAX_SLOT_HEADS && !replaces
              ? 'merge-first'
              : 'object'
        expect(typeof answer === 'string' ? answer : typeof answer).toBe(expected)
      }),
    )
  })

  test('keeps both of two records of one clock, in either order', () => {
    const [a, b] = [recordOf({ a: 5 }, { noise: 1 }), recordOf({ a: 5 }, { noise: 2 })]
    for (const order of [
      [a, b],
      [b, a],
    ]) {
      expect(namesOf(offerAll(order).heads)).toEqual(namesOf([a, b]))
    }
    const merged = recordOf({ a: 6 })
    expect(offerAll([a, b, merged]).heads).toEqual([merged])
    expect(offerAll([merged, b, a]).answers).toEqual(['stored', 'stale', 'stale'])
  })

  test('refuses a ninth sibling, takes what merges some, and ends with what merges all', () => {
    const eight = Array.from({ length: 8 }, (_, at) => recordOf({ [`d${at}`]: 1 }))
    const { heads, answers } = offerAll(eight)
    expect(answers).toEqual(Array(8).fill('stored'))
    const ninth = recordOf({ d8: 1 })
    expect(admit(heads, ninth, NOW_S)).toBe('merge-first')
    const some = recordOf({ d0: 1, d1: 1, d8: 1 })
    expect(offerAll([some, ninth], heads)).toMatchObject({ answers: ['stored', 'stale'] })
    expect(offerAll([some], heads).heads).toHaveLength(7)
    const counters = Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`d${at}`, 1]))
    const all = recordOf({ ...counters, d8: 2 })
    expect(offerAll([all], heads).heads).toEqual([all])
    expect(covers(all.clock, ninth.clock)).toBe(true)
  })

  test('shows no expired record, lets none come back that it contains, and makes room of it', () => {
    const old = recordOf({ a: 1 })
    const expired = recordOf({ a: 2 }, { expiresS: NOW_S })
    const { heads } = offerAll([old, expired])
    expect(liveHeads({ heads, leases: [] }, NOW_S - 1)).toEqual([expired])
    expect(liveHeads({ heads, leases: [] }, NOW_S)).toEqual([])
    expect(admit(heads, old, NOW_S)).toBe('stale')
    const seven = Array.from({ length: 7 }, (_, at) => recordOf({ [`d${at}`]: 1 }))
    const full = offerAll([...seven, recordOf({ d8: 1 })], heads)
    expect(full.answers).not.toContain('merge-first')
    expect(full.heads).toHaveLength(8)
    expect(full.heads).not.toContain(expired)
  })
})
