import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../src/foundation/bytes.ts'
import { decodeFields, encodeFields, MalformedMessageError } from '../../src/protocol/cbor.ts'

/** RFC 8949, appendix A: those of its examples whose types messages use, each as the value of field 1. */
const EXAMPLES: [unknown, string][] = [
  [0, '00'],
  [1, '01'],
  [10, '0a'],
  [23, '17'],
  [24, '1818'],
  [25, '1819'],
  [100, '1864'],
  [1000, '1903e8'],
  [1_000_000, '1a000f4240'],
  [1_000_000_000_000, '1b000000e8d4a51000'],
  [-1, '20'],
  [-10, '29'],
  [-100, '3863'],
  [-1000, '3903e7'],
  [false, 'f4'],
  [true, 'f5'],
  [null, 'f6'],
  [new Uint8Array(0), '40'],
  [Uint8Array.of(1, 2, 3, 4), '4401020304'],
  ['', '60'],
  ['a', '6161'],
  ['IETF', '6449455446'],
  ['"\\', '62225c'],
  ['\u00fc', '62c3bc'],
  ['\u6c34', '63e6b0b4'],
  ['\u{10151}', '64f0908591'],
  [[], '80'],
  [[1, 2, 3], '83010203'],
  [[1, [2, 3], [4, 5]], '8301820203820405'],
  [
    Array.from({ length: 25 }, (_, i) => i + 1),
    '98190102030405060708090a0b0c0d0e0f101112131415161718181819',
  ],
  [new Map(), 'a0'],
  [
    new Map([
      [1, 2],
      [3, 4],
    ]),
    'a201020304',
  ],
  [
    new Map<string, unknown>([
      ['a', 1],
      ['b', [2, 3]],
    ]),
    'a26161016162820203',
  ],
  [['a', new Map([['b', 'c']])], '826161a161626163'],
  [
    new Map(['a', 'b', 'c', 'd', 'e'].map((key) => [key, key.toUpperCase()])),
    'a56161614161626142616361436164614461656145',
  ],
]

describe('the examples of RFC 8949', () => {
  it.each(EXAMPLES)('%j', (value, encoded) => {
    const fields = new Map([[1, value]])
    const bytes = encodeFields(fields)
    expect(toHex(bytes)).toBe(`a101${encoded}`)
    expect(decodeFields(bytes)).toEqual(fields)
  })
})

describe('deterministic encoding (RFC 8949 §4.2.1)', () => {
  it('does not depend on the order in which fields are set', () => {
    const keys = [10, 100, 0, 24, 23]
    const fields = new Map(keys.map((key) => [key, key]))
    const sorted = new Map(keys.toSorted((a, b) => a - b).map((key) => [key, key]))
    expect(toHex(encodeFields(fields))).toBe('a500000a0a17171818181818641864')
    expect(encodeFields(sorted)).toEqual(encodeFields(fields))
  })

  it.each([
    ['an integer longer than need be', 'a1011801'],
    ['a length longer than need be', 'a101580101'],
    ['an array without its length', 'a1019f01ff'],
    ['a byte string without its length', 'a1015f4101ff'],
    ['a map without its length', 'bf0102ff'],
    ['a field twice', 'a201020103'],
    ['keys out of order', 'a203040102'],
    ['undefined', 'a101f7'],
    ['not-a-number', 'a101f97e00'],
    ['infinity', 'a101f97c00'],
    ['more bytes than one value', 'a1010200'],
    ['fewer bytes than one value', 'a10143ffff'],
    ['a length that no memory holds', 'a1015bffffffffffffffff'],
    ['text that is not UTF-8', 'a10162c328'],
    ['an array in place of a map', '820102'],
    ['nothing', ''],
  ])('refuses %s', (_, encoded) => {
    const bytes = fromHex(encoded) ?? new Uint8Array(0)
    expect(() => decodeFields(bytes)).toThrow(MalformedMessageError)
  })
})
