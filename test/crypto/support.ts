import * as fc from 'fast-check'
import { fromHex } from '../../src/foundation/bytes.ts'
import { nobleBackend } from '../../src/crypto/noble-backend.ts'
import { nodeBackend } from '../../src/crypto/node-backend.ts'

export const BACKENDS = [nodeBackend, nobleBackend]

/** Bytes of a vector file. */
export function hex(text: string): Uint8Array {
  const bytes = fromHex(text)
  if (bytes === undefined) throw new Error('the vector is not hexadecimal')
  return bytes
}

/** Arbitrary bytes as plain arrays. */
export function bytes(minLength: number, maxLength = minLength): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength, maxLength })
}

/** A copy with one bit turned over. */
export function flipBit(original: Uint8Array, bit: number): Uint8Array {
  const changed = Uint8Array.from(original)
  const index = Math.floor(bit / 8) % original.length
  changed[index] = (changed[index] as number) ^ (1 << (bit % 8))
  return changed
}
