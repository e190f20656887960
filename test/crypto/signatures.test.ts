import { ed25519, ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/foundation/bytes.ts'
import { isStrictPublicKey } from '../../src/crypto/ed25519-points.ts'
import { publicKeyOf, sign, verify } from '../../src/crypto/signatures.ts'
import { TAGS } from '../../src/crypto/tags.ts'
import { BACKENDS, bytes, flipBit, hex } from './support.ts'

const { Point } = ed25519
const GROUP_ORDER = Point.Fn.ORDER
const FIELD_PRIME = Point.Fp.ORDER
const SMALL_ORDER_KEYS = ED25519_TORSION_SUBGROUP.map(hex)

describe('a signature', () => {
  const tag = TAGS.slotSignature

  it('verifies, and never after any change', () => {
    fc.assert(
      fc.property(bytes(32), bytes(1, 100), fc.nat(), (seed, message, bit) => {
        const publicKey = publicKeyOf(seed)
        const signature = sign(seed, tag, message)
        expect(verify(tag, { publicKey, message, signature })).toBe(true)
        for (const changed of [
          { publicKey: flipBit(publicKey, bit), message, signature },
          { publicKey, message: flipBit(message, bit), signature },
          { publicKey, message, signature: flipBit(signature, bit) },
          { publicKey, message, signature: signature.subarray(1) },
          { publicKey: publicKey.subarray(1), message, signature },
        ]) {
          expect(verify(tag, changed)).toBe(false)
        }
        expect(verify(TAGS.blockId, { publicKey, message, signature })).toBe(false)
      }),
      { numRuns: 25 },
    )
  })
})

describe.each(BACKENDS)('strict verification by the $name backend', (backend) => {
  const message = Uint8Array.of(1, 2, 3)
  const seed = new Uint8Array(32).fill(5)
  const publicKey = backend.publicKeyOf(seed)
  const signature = backend.signerOf(seed).sign(message)

  it('refuses a scalar that is not reduced', () => {
    const scalar = fromLittleEndian(signature.subarray(32)) + GROUP_ORDER
    const malleated = concatBytes([signature.subarray(0, 32), toLittleEndian(scalar)])
    expect(backend.verify({ publicKey, message, signature })).toBe(true)
    expect(backend.verify({ publicKey, message, signature: malleated })).toBe(false)
  })

  it('refuses keys of small order, under which anyone can sign', () => {
    for (const key of SMALL_ORDER_KEYS) {
      for (const r of SMALL_ORDER_KEYS) {
        const forged = concatBytes([r, new Uint8Array(32)])
        expect(backend.verify({ publicKey: key, message, signature: forged })).toBe(false)
      }
    }
  })

  it('refuses keys whose coordinate is not reduced, and those off the curve', () => {
    for (let y = FIELD_PRIME; y < 2n ** 255n; y++) {
      const key = toLittleEndian(y)
      expect(isStrictPublicKey(key)).toBe(false)
      expect(backend.verify({ publicKey: key, message, signature })).toBe(false)
    }
    expect(backend.verify({ publicKey: toLittleEndian(2n), message, signature })).toBe(false)
  })

  it('compares without the cofactor: a key with a part of small order fits only where that part vanishes', () => {
    const torsion = Point.fromHex(
      ED25519_TORSION_SUBGROUP.find((text) => orderOf(text) === 8) ?? '',
    )
    const secret = 123_456_789n
    const nonce = 987_654_321n
    const mixedKey = Point.BASE.multiply(secret).add(torsion).toBytes()
    const r = Point.BASE.multiply(nonce).toBytes()
    const outcomes = new Set<boolean>()
    for (let i = 0; i < 32; i++) {
      const text = Uint8Array.of(i)
      const challenge = fromLittleEndian(sha512(concatBytes([r, mixedKey, text]))) % GROUP_ORDER
      const scalar = (nonce + challenge * secret) % GROUP_ORDER
      const crafted = concatBytes([r, toLittleEndian(scalar)])
      const fits = challenge % 8n === 0n
      outcomes.add(fits)
      // With the cofactor every one of these would pass, as noble's own function shows.
      expect(ed25519.verify(crafted, text, mixedKey, { zip215: false })).toBe(true)
      expect(backend.verify({ publicKey: mixedKey, message: text, signature: crafted })).toBe(fits)
    }
    expect(outcomes.size).toBe(2)
  })
})

it('the points of small order are all that the curve has, with either sign', () => {
  expect(SMALL_ORDER_KEYS).toHaveLength(8)
  for (const key of SMALL_ORDER_KEYS) {
    expect(isStrictPublicKey(key)).toBe(false)
    expect(isStrictPublicKey(flipBit(key, 255))).toBe(false)
  }
  expect(isStrictPublicKey(Point.BASE.toBytes())).toBe(true)
})

function orderOf(text: string): number {
  const point = Point.fromHex(text)
  let multiple = point
  let order = 1
  while (!multiple.is0()) {
    multiple = multiple.add(point)
    order++
  }
  return order
}

function fromLittleEndian(input: Uint8Array): bigint {
  return input.toReversed().reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
}

function toLittleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n))
}
