import { defaultCrypto } from '@libp2p/noise/crypto'
import { x25519 } from '@noble/curves/ed25519.js'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pattern } from '../support/pattern.ts'
import { x25519KeyPair, x25519SharedKey } from '../../src/crypto/x25519.ts'

const keys = fc.uint8Array({ minLength: 32, maxLength: 32 })
const plain = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes)

describe('X25519', () => {
  it('is what another implementation computes, for whatever keys', () => {
    fc.assert(
      fc.property(keys, keys, (seed, others) => {
        const { publicKey, privateKey } = x25519KeyPair(seed)
        expect(privateKey).toEqual(seed)
        expect(plain(publicKey)).toEqual(x25519.getPublicKey(seed))
        const other = x25519.getPublicKey(others)
        const shared = x25519.getSharedSecret(seed, other)
        expect(plain(x25519SharedKey(seed, other))).toEqual(shared)
      }),
      { numRuns: 100 },
    )
  })

  it('agrees with those who use the library as it is', () => {
    const own = x25519KeyPair(pattern(32, 1))
    const other = defaultCrypto.generateX25519KeyPair()
    expect(plain(x25519SharedKey(own.privateKey, other.publicKey))).toEqual(
      plain(defaultCrypto.generateX25519SharedKey(other.privateKey, own.publicKey)),
    )
  })

  it.each([
    ['zero', '00'.repeat(32)],
    ['one', `01${'00'.repeat(31)}`],
    ['minus one', `ec${'ff'.repeat(30)}7f`],
    ['cut short', '09'.repeat(31)],
  ])('refuses a key of small order, and what is none: %s', (_, publicKey) => {
    const { privateKey } = x25519KeyPair(pattern(32, 1))
    expect(() => x25519SharedKey(privateKey, Buffer.from(publicKey, 'hex'))).toThrow()
  })
})
