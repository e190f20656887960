import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex } from '../../src/foundation/bytes.ts'
import {
  compareVectors,
  covers,
  decodeVector,
  encodeVector,
  joinVectors,
  MalformedVectorError,
  tagHex,
  type VersionVector,
} from '../../src/protocol/version-vector.ts'

const few = 'abcd'.split('').map((letter) => tagHex(new Uint8Array(8).fill(letter.charCodeAt(0))))
/** Of few tags and low counters, so that all orders between two happen. */
const vector: fc.Arbitrary<VersionVector> = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...few), fc.integer({ min: 1, max: 3 })), {
    selector: ([tag]) => tag,
  })
  .map((entries) => new Map(entries))
const anyVector: fc.Arbitrary<VersionVector> = fc
  .uniqueArray(
    fc.tuple(
      fc.uint8Array({ minLength: 8, maxLength: 8 }).map(tagHex),
      fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    ),
    { selector: ([tag]) => tag, maxLength: 64 },
  )
  .map((entries) => new Map(entries))

/** All writes that a clock contains: what comparing and joining mean. */
function writesOf(clock: VersionVector): Set<string> {
  const writes = new Set<string>()
  for (const [tag, counter] of clock) {
    for (let at = 1; at <= counter; at++) writes.add(`${tag} ${at}`)
  }
  return writes
}

describe('a version vector', () => {
  test('compares and joins as the sets of writes that it stands for', () => {
    fc.assert(
      fc.property(vector, vector, (a, b) => {
        const [left, right] = [writesOf(a), writesOf(b)]
        const isWithin = [...left].every((write) => right.has(write))
        const contains = [...right].every((write) => left.has(write))
        const expected = isWithin
          ? contains
            ? 'equal'
            : 'before'
          : contains
            ? 'after'
            : 'concurrent'
        expect(compareVectors(a, b)).toBe(expected)
        expect(covers(a, b)).toBe(contains)
        expect(writesOf(joinVectors(a, b))).toEqual(new Set([...left, ...right]))
      }),
    )
  })

  test('covers a write if it counts that far', () => {
    fc.assert(
      fc.property(
        vector,
        fc.constantFrom(...few),
        fc.integer({ min: 1, max: 4 }),
        (a, tag, counter) => {
          expect(covers(a, { tag, counter })).toBe(writesOf(a).has(`${tag} ${counter}`))
        },
      ),
    )
  })

  test('comes back from its bytes, in whatever order it was put together', () => {
    fc.assert(
      fc.property(anyVector, (clock) => {
        const bytes = encodeVector(clock)
        expect(decodeVector(bytes)).toEqual(clock)
        expect(encodeVector(new Map([...clock].toReversed()))).toEqual(bytes)
      }),
    )
  })

  test('has one encoding: whatever decodes is written the same', () => {
    fc.assert(
      fc.property(anyVector, fc.nat(), fc.nat(255), (clock, where, value) => {
        const bytes = encodeVector(clock)
        const changed = bytes.with(where % bytes.length, value)
        let decoded: VersionVector
        try {
          decoded = decodeVector(changed)
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedVectorError)
          return
        }
        expect(encodeVector(decoded)).toEqual(changed)
      }),
    )
  })

  const one = '000000000000000100000001'
  const two = '000000000000000200000007'
  const refused: Record<string, string> = {
    'no bytes at all': '',
    'bytes after its end': `01${one}00`,
    'a missing byte': `01${one.slice(2)}`,
    'a counter of zero': '01000000000000000100000000',
    'unsorted tags': `02${two}${one}`,
    'a tag twice': `02${one}${one}`,
  }
  for (const [what, hex] of Object.entries(refused)) {
    test(`is refused for ${what}`, () => {
      if (what === 'no bytes at all')
        expect(() => decodeVector(new Uint8Array(0))).toThrow(MalformedVectorError)
      else expect(() => decodeVector(fromHex(hex)!)).toThrow(MalformedVectorError)
    })
  }

  test('is refused for more than 64 tags', () => {
    const entries = Array.from(
      { length: 65 },
      (_, at) => `${at.toString(16).padStart(16, '0')}00000001`,
    )
    const clock = (count: number): Uint8Array =>
      fromHex(count.toString(16).padStart(2, '0') + entries.slice(0, count).join(''))!
    expect(decodeVector(clock(64)).size).toBe(64)
    expect(() => decodeVector(clock(65))).toThrow(MalformedVectorError)
  })

  test('is written as specified', () => {
    const clock = new Map([
      [tagHex(fromHex('0000000000000002')!), 7],
      [tagHex(fromHex('0000000000000001')!), 1],
    ])
    expect(encodeVector(clock)).toEqual(fromHex(`02${one}${two}`))
  })
})
