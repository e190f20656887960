import { expect, it } from 'vitest'
import { keyOfPassword } from '../../src/crypto/passwords.ts'
import { nodeBackend } from '../../src/crypto/node-backend.ts'
import { AssertionError } from '../../src/foundation/error.ts'
import { utf8 } from '../../src/foundation/bytes.ts'

it('a key from a password is scrypt with N = 2^17, r = 8, p = 1', () => {
  const password = utf8('correct horse')
  const salt = new Uint8Array(16).fill(1)
  const cost = { cost: 131_072, blockSize: 8, parallelization: 1, length: 32 }
  expect(keyOfPassword(password, salt)).toEqual(nodeBackend.scrypt(password, { ...cost, salt }))
  expect(() => keyOfPassword(password, salt.subarray(1))).toThrow(AssertionError)
})
