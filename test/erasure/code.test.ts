import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { erasureCode, InvalidErasureCodeError, shardSize } from '../../src/erasure/code.ts'

describe('an erasure code', () => {
  test('exists for 1 ≤ k ≤ 24 and k ≤ n ≤ 255', () => {
    for (const [k, n] of [
      [1, 1],
      [1, 255],
      [24, 24],
      [24, 255],
    ] as const) {
      expect(erasureCode(k, n)).toEqual({ required: k, total: n })
    }
  })

  test.each([
    [0, 1],
    [-1, 3],
    [25, 30],
    [4, 3],
    [1, 256],
    [1.5, 3],
    [1, 2.5],
    [NaN, 3],
    [1, Infinity],
  ])('does not exist as %d-of-%d, and the error tells which was asked for', (k, n) => {
    expect(() => erasureCode(k, n)).toThrow(InvalidErasureCodeError)
    expect(new InvalidErasureCodeError(k, n)).toMatchObject({
      code: 'erasure-code-invalid',
      required: k,
      total: n,
    })
  })

  test('has the smallest shards of whole words that k of which hold the content', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 24 }), fc.nat(2 ** 21), (k, length) => {
        const size = shardSize(erasureCode(k, k), length)
        expect(size % 8).toBe(0)
        expect(size * k).toBeGreaterThanOrEqual(length)
        expect((size - 8) * k).toBeLessThan(length)
      }),
    )
  })
})
