import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { erasureCode } from '../../src/erasure/code.ts'
import { fieldOf } from '../../src/erasure/field.ts'
import { decodingMatrix, parityMatrix, type Matrix } from '../../src/erasure/matrix.ts'
import { multiply, oracleMatrix } from './oracle.ts'

const anyCode = fc
  .integer({ min: 1, max: 24 })
  .chain((k) => fc.tuple(fc.constant(k), fc.integer({ min: k, max: 255 })))

describe('the fields', () => {
  test.each([16, 17])('of codes with n = %d multiply as polynomials and divide back', (n) => {
    const field = fieldOf(erasureCode(1, n))
    expect(field.bits).toBe(n === 16 ? 4 : 8)
    const elements = Array.from({ length: 1 << field.bits }, (_, element) => element)
    const isField = elements.every((a) =>
      elements.every((b) => {
        const product = field.multiply(a, b)
        return product === multiply(field.bits, a, b) && (b === 0 || field.divide(product, b) === a)
      }),
    )
    expect(isField).toBe(true)
  })
})

describe('the parity matrix', () => {
  test('is that of the specification', () => {
    fc.assert(
      fc.property(anyCode, ([k, n]) => {
        expect(parityMatrix(erasureCode(k, n))).toEqual(oracleMatrix(k, n))
      }),
      { numRuns: 15, examples: [[[24, 255]], [[3, 10]], [[5, 16]], [[5, 17]]] },
    )
  })

  test('makes the first parity shard the plain XOR of the data', () => {
    fc.assert(
      fc.property(anyCode, ([k, n]) => {
        if (n > k) expect(parityMatrix(erasureCode(k, n))[0]).toEqual(Array(k).fill(1))
      }),
      { numRuns: 30 },
    )
  })

  test('holds no zero, so every shard counts in every parity shard', () => {
    const rows = parityMatrix(erasureCode(24, 255))
    expect(rows.flat().every((element) => element > 0)).toBe(true)
  })
})

describe('any k rows of a code', () => {
  test.each([
    [1, 6],
    [2, 8],
    [3, 8],
    [4, 8],
    [3, 10],
    [5, 10],
    [2, 17],
    [3, 17],
  ])('of %d-of-%d are independent: what they give is turned back into the data', (k, n) => {
    const code = erasureCode(k, n)
    const data = Array.from({ length: k }, (_, index) => index)
    const rows: Matrix = [...identity(k), ...parityMatrix(code)]
    for (const available of subsets(n, k)) {
      const inverse = decodingMatrix(code, { available, wanted: data })
      const picked = available.map((index) => rows[index]!)
      expect(product(fieldOf(code).bits, inverse, picked)).toEqual(identity(k))
    }
  })

  test('are no fewer and no more than k', () => {
    expect(() => decodingMatrix(erasureCode(2, 3), { available: [0], wanted: [1] })).toThrow(
      'exactly',
    )
  })

  test('that are not distinct have no inverse', () => {
    expect(() => decodingMatrix(erasureCode(2, 3), { available: [2, 2], wanted: [1] })).toThrow(
      'singular',
    )
  })
})

function identity(size: number): number[][] {
  return Array.from({ length: size }, (_, r) =>
    Array.from({ length: size }, (_, c) => (r === c ? 1 : 0)),
  )
}

function product(bits: number, left: Matrix, right: Matrix): number[][] {
  return left.map((row) =>
    right.map((_, c) => row.reduce((sum, x, i) => sum ^ multiply(bits, x, right[i]![c]!), 0)),
  )
}

function subsets(n: number, k: number, from = 0): number[][] {
  if (k === 0) return [[]]
  const all: number[][] = []
  for (let first = from; first <= n - k; first++) {
    for (const rest of subsets(n, k - 1, first + 1)) all.push([first, ...rest])
  }
  return all
}
