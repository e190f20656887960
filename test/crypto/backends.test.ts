import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backend } from '../../src/crypto/backends.ts'
import { nobleBackend as noble } from '../../src/crypto/noble-backend.ts'
import { nodeBackend as node } from '../../src/crypto/node-backend.ts'
import { BACKENDS, bytes, flipBit } from './support.ts'

const NONCE = { chacha: 12, xchacha: 24 }

describe('both backends give the same', () => {
  it('hashes', () => {
    fc.assert(
      fc.property(fc.array(bytes(0, 300), { maxLength: 5 }), (parts) => {
        const digest = node.sha256Parts(parts)
        const into = new Uint8Array(32)
        expect(noble.sha256Parts(parts)).toEqual(digest)
        for (const each of [node, noble]) {
          const streamed = each.startSha256()
          const copies = parts.map((part) => {
            const copy = streamed.copy()
            streamed.update(part)
            return copy
          })
          expect(streamed.digest()).toEqual(digest)
          for (const [at, copy] of copies.entries()) {
            for (const part of parts.slice(at)) copy.update(part)
            expect(copy.digest()).toEqual(digest)
          }
        }
        for (const each of BACKENDS) {
          each.sha256Into(new Uint8Array(Buffer.concat(parts)), into.fill(0), 0)
          expect(into).toEqual(digest)
        }
      }),
    )
  })

  it('authentication codes and derived keys, for keys of any length', () => {
    fc.assert(
      fc.property(
        bytes(0, 200),
        bytes(0, 200),
        fc.integer({ min: 1, max: 200 }),
        (a, b, length) => {
          expect(noble.hmacSha256(a, [b, a])).toEqual(node.hmacSha256(a, [b, a]))
          const options = { salt: b, info: a, length }
          expect(noble.hkdfSha256(a, options)).toEqual(node.hkdfSha256(a, options))
        },
      ),
    )
  })

  it('sealed bytes, and each opens what the other sealed', () => {
    fc.assert(
      fc.property(bytes(32), bytes(NONCE.chacha), bytes(0, 40), bytes(0, 700), (...given) => {
        const [key, nonce, associatedData, plaintext] = given
        const box = { key, nonce, associatedData }
        const [byNode, byNoble] = BACKENDS.map((each) => {
          const into = new Uint8Array(plaintext.length + 16)
          each.sealChaCha20Poly1305(box, plaintext, into)
          return into
        }) as [Uint8Array, Uint8Array]
        expect(byNoble).toEqual(byNode)
        expect(node.openChaCha20Poly1305(box, byNoble)).toEqual(plaintext)
        expect(noble.openChaCha20Poly1305(box, byNode)).toEqual(plaintext)
      }),
    )
  })

  it('public keys and signatures, and each verifies the other', () => {
    fc.assert(
      fc.property(bytes(32), bytes(0, 200), (seed, message) => {
        const publicKey = node.publicKeyOf(seed)
        const signature = node.signerOf(seed).sign(message)
        expect(noble.publicKeyOf(seed)).toEqual(publicKey)
        expect(noble.signerOf(seed).sign(message)).toEqual(signature)
        expect(noble.signerOf(seed).publicKey()).toEqual(node.signerOf(seed).publicKey())
        for (const each of BACKENDS) {
          expect(each.verify({ publicKey, message, signature })).toBe(true)
        }
      }),
      { numRuns: 20 },
    )
  })

  it('keys from passwords', () => {
    fc.assert(
      fc.property(bytes(0, 80), bytes(0, 40), (password, salt) => {
        const options = { salt, cost: 16, blockSize: 2, parallelization: 2, length: 40 }
        expect(noble.scrypt(password, options)).toEqual(node.scrypt(password, options))
      }),
      { numRuns: 20 },
    )
  })
})

describe.each(BACKENDS)('the $name backend', (each) => {
  it('opens nothing of which a bit was flipped, or with another key, nonce or associated data', () => {
    fc.assert(
      fc.property(bytes(32), bytes(24), bytes(1, 30), bytes(0, 100), fc.nat(), (...given) => {
        const [key, nonce, associatedData, plaintext, bit] = given
        const box = { key, nonce, associatedData }
        const shortBox = { ...box, nonce: nonce.subarray(0, NONCE.chacha) }
        const sealed = new Uint8Array(plaintext.length + 16)
        each.sealChaCha20Poly1305(shortBox, plaintext, sealed)
        const extended = each.sealXChaCha20Poly1305(box, plaintext)
        const changes = [
          { ...box, key: flipBit(key, bit) },
          { ...box, nonce: flipBit(nonce, bit) },
          { ...box, associatedData: flipBit(associatedData, bit) },
        ]
        expect(each.openChaCha20Poly1305(shortBox, flipBit(sealed, bit))).toBeUndefined()
        expect(each.openXChaCha20Poly1305(box, flipBit(extended, bit))).toBeUndefined()
        expect(each.openXChaCha20Poly1305(box, extended)).toEqual(plaintext)
        for (const changed of changes) {
          expect(each.openXChaCha20Poly1305(changed, extended)).toBeUndefined()
        }
      }),
    )
  })

  it('opens nothing shorter than a tag', () => {
    const box = { key: new Uint8Array(32), associatedData: new Uint8Array(0) }
    for (let length = 0; length < 17; length++) {
      const sealed = new Uint8Array(length)
      expect(each.openChaCha20Poly1305({ ...box, nonce: sealed12 }, sealed)).toBeUndefined()
      expect(each.openXChaCha20Poly1305({ ...box, nonce: sealed24 }, sealed)).toBeUndefined()
    }
  })

  it('returns memory of its own, as plain arrays', () => {
    const input = Uint8Array.of(1, 2, 3)
    const outputs = [
      each.sha256Parts([input]),
      each.hmacSha256(input, [input]),
      each.publicKeyOf(new Uint8Array(32)),
      each.signerOf(new Uint8Array(32)).sign(input),
    ]
    for (const output of outputs) expect(Object.getPrototypeOf(output)).toBe(Uint8Array.prototype)
    expect(input).toEqual(Uint8Array.of(1, 2, 3))
  })
})

it('the program runs on the native backend', () => {
  expect(backend.name).toBe('node')
})

const sealed12 = new Uint8Array(NONCE.chacha)
const sealed24 = new Uint8Array(NONCE.xchacha)
