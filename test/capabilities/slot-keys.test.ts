import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  slotKeyOf,
  slotReadKey,
  slotReadKeys,
  slotVerifyKey,
  slotVerifyKeys,
  slotWriteKey,
  slotWriteKeys,
} from '../../src/capabilities/slot-keys.ts'
import { verify } from '../../src/crypto/signatures.ts'
import { TAGS } from '../../src/crypto/tags.ts'
import { toHex, utf8 } from '../../src/foundation/bytes.ts'
import { AssertionError } from '../../src/foundation/error.ts'
import frozen from '../vectors/capabilities-slots.json' with { type: 'json' }
import { bytes32, hex } from './support.ts'

const writeKeys = bytes32.map(slotWriteKey)

describe('the keys of a slot', () => {
  it('lead from writer to reader to verifier, and all of them differ', () => {
    fc.assert(
      fc.property(writeKeys, (writeKey) => {
        const writer = slotWriteKeys(writeKey)
        const reader = slotReadKeys(writer.readKey)
        const verifier = slotVerifyKeys(reader.verifyKey)
        expect(writer.verifyKey).toEqual(reader.verifyKey)
        expect(reader.linksBoxKey).toEqual(verifier.linksBoxKey)
        expect(writer.slot).toEqual(slotKeyOf(writeKey))
        const all = [
          writeKey,
          writer.slot,
          writer.readKey,
          writer.verifyKey,
          writer.childrenKey,
          writer.convergence,
          reader.payloadBoxKey,
          verifier.linksBoxKey,
        ].map(toHex)
        expect(new Set(all).size).toBe(all.length)
      }),
      { numRuns: 50 },
    )
  })

  it('sign what the slot’s own key verifies, under no other tag and in no other slot', () => {
    fc.assert(
      fc.property(
        writeKeys,
        writeKeys,
        fc.uint8Array({ maxLength: 2000 }),
        (own, other, record) => {
          fc.pre(toHex(own) !== toHex(other))
          const { sign, slot } = slotWriteKeys(own)
          const signed = { publicKey: slot, message: record, signature: sign(record) }
          expect(verify(TAGS.slotSignature, signed)).toBe(true)
          expect(verify(TAGS.slotRecord, signed)).toBe(false)
          const elsewhere = { ...signed, publicKey: slotKeyOf(other) }
          expect(verify(TAGS.slotSignature, elsewhere)).toBe(false)
        },
      ),
      { numRuns: 25 },
    )
  })

  it('have 32 bytes each', () => {
    for (const mint of [slotWriteKey, slotReadKey, slotVerifyKey]) {
      for (const length of [0, 31, 33, 64]) {
        expect(() => mint(new Uint8Array(length))).toThrow(AssertionError)
      }
    }
  })

  it.each(frozen.slots)('are frozen for the seed $seed', (slot) => {
    const writer = slotWriteKeys(slotWriteKey(hex(slot.writeKey)))
    const { sign, ...keys } = writer
    expect(keys).toEqual({
      slot: hex(slot.slot),
      readKey: hex(slot.readKey),
      verifyKey: hex(slot.verifyKey),
      childrenKey: hex(slot.childrenKey),
      convergence: hex(slot.convergence),
    })
    expect(slotReadKeys(writer.readKey)).toEqual({
      verifyKey: hex(slot.verifyKey),
      payloadBoxKey: hex(slot.payloadBoxKey),
      linksBoxKey: hex(slot.linksBoxKey),
    })
    expect(sign(utf8('Hayloft'))).toEqual(hex(slot.signature))
  })
})
