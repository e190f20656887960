import { assert } from '../foundation/error.ts'
import { backend } from './backends.ts'

/**
 * A 32-byte key from a password: scrypt (RFC 7914) with N = 2^17, r = 8, p = 1, which takes 128 MiB and some tenths of a
 * second, on purpose, and blocks for as long. The salt is random, kept beside what the key protects.
 */
export function keyOfPassword(password: Uint8Array, salt: Uint8Array): Uint8Array {
  assert(salt.length >= MIN_SALT_BYTES, 'a salt has at least 16 bytes')
  return backend.scrypt(password, { salt, ...COST, length: 32 })
}

const MIN_SALT_BYTES = 16

const COST = { cost: 2 ** 17, blockSize: 8, parallelization: 1 }
