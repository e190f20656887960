import { assert } from '../foundation/error.ts'
import type { ErasureCode } from './code.ts'

/** GF(2^bits). Elements are integers below 2^bits; addition is XOR. */
export interface Field {
  readonly bits: 4 | 8
  multiply(a: number, b: number): number
  /** @param b not 0 */
  divide(a: number, b: number): number
  /** How many ones the bit matrix of `element` has: the XORs of packets that multiplying by it costs. */
  ones(element: number): number
}

/**
 * The smallest of the two fields that has room: a code over n shards needs n distinct elements. The bit matrices of
 * the smaller field have fewer ones per packet, hence code faster.
 */
export function fieldOf(code: ErasureCode): Field {
  return code.total <= 16 ? GF_16 : GF_256
}

/** @param polynomial primitive over GF(2), including its leading term, so that 2 generates all nonzero elements */
function createField(bits: 4 | 8, polynomial: number): Field {
  const order = (1 << bits) - 1
  const powers = new Uint8Array(order)
  const logarithms = new Uint8Array(order + 1)
  let element = 1
  for (let exponent = 0; exponent < order; exponent++) {
    powers[exponent] = element
    logarithms[element] = exponent
    element <<= 1
    if (element > order) element ^= polynomial
  }
  assert(element === 1, 'The polynomial of a field must be primitive')

  const log = (nonzero: number): number => logarithms[nonzero] ?? 0
  const power = (exponent: number): number => powers[exponent % order] ?? 0
  const multiply = (a: number, b: number): number =>
    a === 0 || b === 0 ? 0 : power(log(a) + log(b))
  const ones = Uint8Array.from({ length: order + 1 }, (_, element) => {
    let count = 0
    for (let column = 0; column < bits; column++) {
      for (let rest = multiply(element, 1 << column); rest !== 0; rest &= rest - 1) count++
    }
    return count
  })
  return {
    bits,
    multiply,
    divide(a, b) {
      assert(b !== 0, 'Division by zero in a finite field')
      return a === 0 ? 0 : power(log(a) + order - log(b))
    },
    ones: (element) => ones[element] ?? 0,
  }
}

/** x⁴ + x + 1 */
const GF_16 = createField(4, 0x13)

/** x⁸ + x⁴ + x³ + x² + 1 */
const GF_256 = createField(8, 0x11d)
