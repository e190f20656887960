import { decode, encode, rfc8949EncodeOptions } from 'cborg'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DECLINED, quickDecode, quickEncode } from '../../src/protocol/quick-cbor.ts'

const wholes = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -70_000, max: 70_000 }),
  fc.constantFrom(0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1),
)
const leaves = fc.oneof(
  wholes,
  fc.uint8Array({ maxLength: 300 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.boolean(),
  fc.constant(null),
)
const { value: values } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, leaves, tie('array'), tie('map')),
  array: fc.array(tie('value'), { maxLength: 30 }),
  map: fc
    .uniqueArray(fc.tuple(fc.nat({ max: 300 }), tie('value')), {
      selector: ([key]) => key,
      maxLength: 30,
    })
    .map((pairs) => new Map(pairs)),
}))

const complete = (value: unknown): Uint8Array => new Uint8Array(encode(value, rfc8949EncodeOptions))

/** What the complete decoder makes of bytes that are the one encoding of their value; else undefined. */
function completely(bytes: Uint8Array): { value: unknown } | undefined {
  try {
    const value: unknown = decode(bytes, {
      useMaps: true,
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowBigInt: false,
      rejectDuplicateMapKeys: true,
    })
    return Buffer.from(complete(value)).equals(bytes) ? { value } : undefined
  } catch {
    return undefined
  }
}

describe('the quick encoder', () => {
  it('writes what the complete one writes, and reads it', () => {
    fc.assert(
      fc.property(values, (value) => {
        const quick = quickEncode(value)
        expect(quick).toEqual(complete(value))
        expect(quickDecode(quick as Uint8Array)).toEqual(value)
      }),
      { numRuns: 500 },
    )
  })

  it('reads nothing that the complete one reads otherwise or refuses, whatever the bytes', () => {
    const damaged = fc
      .tuple(values, fc.nat(), fc.nat({ max: 255 }), fc.nat({ max: 3 }))
      .map(([value, at, byte, cut]) => {
        const bytes = Uint8Array.from(complete(value))
        bytes[at % bytes.length] = byte
        return bytes.subarray(0, bytes.length - cut)
      })
    const anything = fc.oneof(damaged, fc.uint8Array({ minLength: 1, maxLength: 12 }))
    fc.assert(
      fc.property(anything, (bytes) => {
        const quick = quickDecode(bytes)
        if (quick !== DECLINED) expect({ value: quick }).toEqual(completely(bytes))
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['a float', 1.5],
    ['minus zero', -0],
    ['undefined', undefined],
    ['a map with names', new Map([['a', 1]])],
    ['an object', { a: 1 }],
    ['a large integer', 2n ** 60n],
    ['more than a header may have', new Uint8Array(80 * 1024)],
    ['what is nested deeply', Array.from({ length: 10 }).reduce((inner) => [inner], 1)],
  ])('declines %s', (_, value) => {
    expect(quickEncode(value)).toBe(DECLINED)
    expect(quickEncode([value])).toBe(DECLINED)
    expect(quickEncode(new Map([[1, value]]))).toBe(DECLINED)
  })

  it('declines to read arrays that cannot come, and depths without end', () => {
    const lengths = [0x9b, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
    expect(quickDecode(Uint8Array.from(lengths))).toBe(DECLINED)
    expect(quickDecode(new Uint8Array(60_000).fill(0x81))).toBe(DECLINED)
  })
})
