import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { open, openBox, seal, sealBox } from '../../src/crypto/aead.ts'
import { nobleBackend } from '../../src/crypto/noble-backend.ts'
import { AssertionError } from '../../src/foundation/error.ts'
import { bytes, flipBit } from './support.ts'

const counters = fc.integer({ min: 0, max: 2 ** 32 - 1 })

describe('sealing under a counter', () => {
  it('opens to what was sealed, and to nothing after any change', () => {
    fc.assert(
      fc.property(bytes(32), counters, bytes(0, 200), fc.nat(), (key, counter, plaintext, bit) => {
        const sealed = new Uint8Array(plaintext.length + 16)
        seal(key, counter, plaintext, sealed)
        expect(open(key, counter, sealed)).toEqual(plaintext)
        expect(open(key, counter, flipBit(sealed, bit))).toBeUndefined()
        expect(open(flipBit(key, bit), counter, sealed)).toBeUndefined()
        expect(open(key, (counter + 1) % 2 ** 32, sealed)).toBeUndefined()
        expect(open(key, counter, sealed.subarray(1))).toBeUndefined()
      }),
    )
  })

  it('takes the counter as a 96-bit big-endian nonce and no associated data', () => {
    const key = new Uint8Array(32).fill(3)
    const plaintext = Uint8Array.of(1, 2, 3)
    const nonce = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4)
    const expected = new Uint8Array(19)
    const sealed = new Uint8Array(19)
    const box = { key, nonce, associatedData: new Uint8Array(0) }
    nobleBackend.sealChaCha20Poly1305(box, plaintext, expected)
    seal(key, 0x01020304, plaintext, sealed)
    expect(sealed).toEqual(expected)
  })

  it('writes into part of a larger array and touches nothing else', () => {
    const whole = new Uint8Array(40).fill(9)
    const key = new Uint8Array(32)
    seal(key, 0, new Uint8Array(4), whole.subarray(10, 30))
    expect(whole.subarray(0, 10)).toEqual(new Uint8Array(10).fill(9))
    expect(whole.subarray(30)).toEqual(new Uint8Array(10).fill(9))
    expect(open(key, 0, whole.subarray(10, 30))).toEqual(new Uint8Array(4))
  })

  it('refuses lengths and counters that only a bug brings', () => {
    const key = new Uint8Array(32)
    const into = new Uint8Array(20)
    for (const counter of [-1, 0.5, 2 ** 32, Number.NaN]) {
      expect(() => seal(key, counter, new Uint8Array(4), into)).toThrow(AssertionError)
    }
    expect(() => seal(key.subarray(1), 0, new Uint8Array(4), into)).toThrow(AssertionError)
    expect(() => seal(key, 0, new Uint8Array(5), into)).toThrow(AssertionError)
  })
})

describe('boxes', () => {
  it('open to what was sealed, and to nothing after any change', () => {
    fc.assert(
      fc.property(bytes(32), bytes(24), bytes(1, 99), bytes(0, 99), fc.nat(), (...given) => {
        const [key, nonce, associatedData, plaintext, bit] = given
        const box = { key, nonce, associatedData }
        const sealed = sealBox(box, plaintext)
        expect(openBox(box, sealed)).toEqual(plaintext)
        expect(openBox(box, flipBit(sealed, bit))).toBeUndefined()
        const other = { ...box, associatedData: flipBit(associatedData, bit) }
        expect(openBox(other, sealed)).toBeUndefined()
      }),
    )
  })

  it('refuse a nonce of another length', () => {
    const box = { key: new Uint8Array(32), associatedData: new Uint8Array(0) }
    expect(() => sealBox({ ...box, nonce: new Uint8Array(12) }, box.key)).toThrow(AssertionError)
  })
})
