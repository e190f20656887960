import { assert } from '../foundation/error.ts'
import type { ErasureCode } from './code.ts'
import { fieldOf, type Field } from './field.ts'

/** Rows of field elements; row `r` gives output shard `r` as a linear combination of the input shards. */
export type Matrix = readonly (readonly number[])[]

/**
 * The (n−k)×k matrix that makes parity from data: a Cauchy matrix, 1 / ((k + r) xor c), improved as Plank and Xu do
 * ("Optimizing Cauchy Reed-Solomon Codes for Fault-Tolerant Network Storage Applications", NCA 2006): dividing
 * columns and rows by nonzero elements keeps every square submatrix invertible, and leaves fewer packets to XOR.
 * The first row becomes all ones, so the first parity shard is the plain XOR of the data shards.
 */
export function parityMatrix(code: ErasureCode): Matrix {
  return range(code.total - code.required).map((row) => parityRow(code, row))
}

function parityRow(code: ErasureCode, row: number): readonly number[] {
  const field = fieldOf(code)
  const cauchy = (row: number, column: number): number =>
    field.divide(1, (code.required + row) ^ column)
  const scaled = range(code.required).map((column) =>
    field.divide(cauchy(row, column), cauchy(0, column)),
  )
  return row === 0 ? scaled : lightest(field, scaled)
}

/**
 * The matrix that gives the shards `wanted` from the shards `available`, in these orders.
 * @param available k distinct shard indices
 */
export function decodingMatrix(
  code: ErasureCode,
  { available, wanted }: { available: readonly number[]; wanted: readonly number[] },
): Matrix {
  assert(available.length === code.required, 'Decoding takes exactly as many shards as required')
  const field = fieldOf(code)
  const encodingRow = (index: number): readonly number[] =>
    index < code.required ? unitRow(code.required, index) : parityRow(code, index - code.required)
  const inverse = invert(field, available.map(encodingRow))
  return wanted.map((index) => multiplyRow(field, encodingRow(index), inverse))
}

/** Gauss–Jordan elimination. @throws AssertionError where `matrix` is singular, which no k distinct rows of a code are */
function invert(field: Field, matrix: Matrix): Matrix {
  const size = matrix.length
  const work = matrix.map((row, index) => [...row, ...unitRow(size, index)])
  for (let column = 0; column < size; column++) {
    const pivot = work.findIndex((row, index) => index >= column && row[column] !== 0)
    assert(pivot >= 0, 'The matrix of distinct shards is singular')
    const pivotRow = at(work, pivot)
    const divisor = at(pivotRow, column)
    const reduced = pivotRow.map((element) => field.divide(element, divisor))
    work[pivot] = at(work, column)
    work[column] = reduced
    for (let index = 0; index < size; index++) {
      const row = at(work, index)
      const factor = at(row, column)
      if (index === column || factor === 0) continue
      work[index] = row.map((element, c) => element ^ field.multiply(factor, at(reduced, c)))
    }
  }
  return work.map((row) => row.slice(size))
}

/** `row` divided by that one of its elements which leaves the fewest ones, the first of equals. */
function lightest(field: Field, row: readonly number[]): readonly number[] {
  let best: readonly number[] = row
  let fewestOnes = Infinity
  for (const divisor of row) {
    const candidate = row.map((element) => field.divide(element, divisor))
    const ones = candidate.reduce((sum, element) => sum + field.ones(element), 0)
    if (ones < fewestOnes) {
      best = candidate
      fewestOnes = ones
    }
  }
  return best
}

function multiplyRow(field: Field, row: readonly number[], matrix: Matrix): readonly number[] {
  return range(matrix.length).map((column) =>
    row.reduce((sum, factor, r) => sum ^ field.multiply(factor, at(at(matrix, r), column)), 0),
  )
}

function unitRow(size: number, index: number): number[] {
  return range(size).map((column) => (column === index ? 1 : 0))
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index)
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index]
  assert(item !== undefined, 'An index lies outside its matrix')
  return item
}
