import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { publicKeyOf, sign } from '../../src/crypto/signatures.ts'
import { TAGS } from '../../src/crypto/tags.ts'
import { concatBytes, fromHex, toHex } from '../../src/foundation/bytes.ts'
import { MAX_BODY_BYTES, MAX_SLOT_HEADS, MAX_SLOTS } from '../../src/protocol/limits.ts'
import { paddedBytes } from '../../src/protocol/padding.ts'
import { slotKey } from '../../src/protocol/slot-key.ts'
import {
  decodeSlotRecord,
  encodeSlotHead,
  headsDigest,
  MalformedSlotRecordError,
  MAX_SLOT_RECORD_BYTES,
  MIN_SLOT_RECORD_BYTES,
  recordDigest,
  signSlotRecord,
  slotRecordBytes,
} from '../../src/protocol/slot-record.ts'
import { tagHex } from '../../src/protocol/version-vector.ts'
import { testClock, testRecord, testSlot } from '../support/slot-records.ts'

const slot = testSlot(1)
const many = (tags: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: tags }, (_, at) => [`device ${at}`, at + 1]))

function isRefused(bytes: Uint8Array): void {
  expect(() => decodeSlotRecord(bytes)).toThrow(MalformedSlotRecordError)
}

/** Signs whatever stands before the signature anew, as its owner would. */
function resigned(bytes: Uint8Array, seed = slot.seed): Uint8Array {
  const message = bytes.subarray(0, bytes.length - 64)
  return concatBytes([message, sign(seed, TAGS.slotSignature, message)])
}

describe('a slot record', () => {
  test('comes back from its bytes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 64 }),
        fc.nat(Number.MAX_SAFE_INTEGER),
        fc.nat(1000),
        fc.nat(4096).map(paddedBytes),
        (tags, expiresS, noise, payloadBytes) => {
          const bytes = testRecord(slot, many(tags), { expiresS, noise, payloadBytes })
          const record = decodeSlotRecord(bytes)
          expect(bytes.length).toBe(slotRecordBytes({ tags, payloadBytes }))
          expect(record).toMatchObject({ slot: slot.slot, expiresS, clock: testClock(many(tags)) })
          expect(signSlotRecord(slot.seed, record)).toEqual(bytes)
          expect(encodeSlotHead(record)).toEqual(record.head)
          const { head, linksBox, payloadBox, signature } = record
          expect(concatBytes([head, linksBox, payloadBox, signature])).toEqual(bytes)
          expect([linksBox.length, payloadBox.length]).toEqual([276, payloadBytes + 16])
        },
      ),
      { numRuns: 30 },
    )
  })

  test('has 947 to 5,287 bytes', () => {
    expect([MIN_SLOT_RECORD_BYTES, MAX_SLOT_RECORD_BYTES]).toEqual([947, 5287])
  })

  test('may be answered for in one message of as many slots as may be asked for, each with all its heads', () => {
    expect(MAX_SLOTS * MAX_SLOT_HEADS * MAX_SLOT_RECORD_BYTES).toBeLessThanOrEqual(MAX_BODY_BYTES)
  })

  test('is refused though signed, if its payload is not padded as it should be, or too long', () => {
    const good = testRecord(slot, { a: 1 })
    const end = good.length - 64
    const longer = (bytes: number): Uint8Array =>
      resigned(concatBytes([good.subarray(0, end), new Uint8Array(bytes), new Uint8Array(64)]))
    for (let bytes = 0; bytes < 4600; bytes++) {
      const payloadBytes = 512 + bytes
      if (payloadBytes <= 4096 && paddedBytes(payloadBytes) === payloadBytes) {
        expect(decodeSlotRecord(longer(bytes)).payloadBox).toHaveLength(payloadBytes + 16)
      } else isRefused(longer(bytes))
    }
    const shorter = concatBytes([good.subarray(0, end - 16), new Uint8Array(64)])
    isRefused(resigned(shorter))
  })

  test('is refused with any bit flipped', () => {
    const bytes = testRecord(slot, { a: 1, b: 2 }, { expiresS: 5 })
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
        isRefused(bytes.with(at, bytes[at]! ^ (1 << bit)))
      }),
      { numRuns: 400 },
    )
  })

  test('is refused at any other length', () => {
    const bytes = testRecord(slot, { a: 1, b: 2 })
    for (let length = 0; length < bytes.length; length++) isRefused(bytes.subarray(0, length))
    isRefused(concatBytes([bytes, new Uint8Array(1)]))
    isRefused(concatBytes([bytes, new Uint8Array(12)]))
    isRefused(concatBytes([bytes, new Uint8Array(16)]))
    isRefused(new Uint8Array(1_000_000))
  })

  test('is refused with another key than signed it, whether that key is good or not', () => {
    const bytes = testRecord(slot, { a: 1 })
    isRefused(testRecord(slot, { a: 1 }, { signWith: testSlot(2).seed }))
    // A foreign slot in front of a good signature.
    const moved = bytes.slice()
    moved.set(testSlot(2).slot, 2)
    isRefused(moved)
    // Keys of small order would let one signature fit many records; a strict verifier takes none.
    for (const key of ['00'.repeat(32), `01${'00'.repeat(31)}`, 'ff'.repeat(32)]) {
      const weak = bytes.slice()
      weak.set(fromHex(key)!, 2)
      isRefused(weak)
      weak.set(new Uint8Array(64), weak.length - 64)
      isRefused(weak)
    }
  })

  test('is refused with a signature made for another purpose, or made anew from a good one', () => {
    const bytes = testRecord(slot, { a: 1 })
    const message = bytes.subarray(0, bytes.length - 64)
    isRefused(concatBytes([message, sign(slot.seed, TAGS.blockId, message)]))
    // s + L in place of s: the same signature to a verifier that is not strict.
    const order = 2n ** 252n + 27742317777372353535851937790883648493n
    const s = BigInt(`0x${toHex(bytes.slice(-32).toReversed())}`)
    const other = fromHex((s + order).toString(16).padStart(64, '0'))!.toReversed()
    isRefused(concatBytes([bytes.subarray(0, bytes.length - 32), other]))
  })

  test('is refused though signed, if it breaks the format', () => {
    const good = testRecord(slot, { a: 1, b: 2 })
    const clockAt = 42
    isRefused(resigned(good.with(0, 2)))
    isRefused(resigned(good.with(1, 'T'.charCodeAt(0))))
    // An expiry that no number holds.
    isRefused(resigned(good.with(34, 0x20)))
    const entries = [good.slice(clockAt + 1, clockAt + 13), good.slice(clockAt + 13, clockAt + 25)]
    const rest = good.subarray(clockAt + 25)
    const withClock = (count: number, parts: readonly Uint8Array[]): Uint8Array =>
      resigned(concatBytes([good.subarray(0, clockAt), Uint8Array.of(count), ...parts, rest]))
    expect(decodeSlotRecord(withClock(2, entries)).clock.size).toBe(2)
    isRefused(withClock(2, entries.toReversed()))
    isRefused(withClock(2, [entries[0]!, entries[0]!]))
    isRefused(withClock(0, []))
    isRefused(withClock(1, entries))
    isRefused(withClock(1, [entries[0]!.with(11, 0)]))
    const sixtyFive = Array.from({ length: 65 }, (_, at) => {
      const entry = entries[0]!.slice()
      entry.fill(0, 0, 7)
      entry[7] = at
      return entry
    })
    expect(decodeSlotRecord(withClock(64, sixtyFive.slice(0, 64))).clock.size).toBe(64)
    isRefused(withClock(65, sixtyFive))
  })

  test('is named by a digest of all of it, a set of records by their digests in any order', () => {
    const digests = [1, 2, 3].map((noise) => recordDigest(testRecord(slot, { a: 1 }, { noise })))
    expect(new Set(digests.map(toHex)).size).toBe(3)
    expect(headsDigest(digests)).toEqual(headsDigest(digests.toReversed()))
    expect(headsDigest(digests)).not.toEqual(headsDigest(digests.slice(1)))
    expect(headsDigest(digests)).not.toEqual(headsDigest([]))
  })
})

interface Vector {
  seed: string
  slot: string
  expires: number
  clock: [tag: string, counter: number][]
  nonce: string
  linksBox: string
  payloadBox: string
  record: string
  digest: string
}

describe('frozen slot records', () => {
  const url = new URL('../vectors/slot-records.json', import.meta.url)
  const { records, heads } = JSON.parse(readFileSync(url, 'utf8')) as {
    records: Vector[]
    heads: { digests: string[]; digest: string }[]
  }
  for (const vector of records) {
    test(`of ${vector.clock.length} tags`, () => {
      const seed = fromHex(vector.seed)!
      expect(toHex(publicKeyOf(seed))).toBe(vector.slot)
      const head = encodeSlotHead({
        slot: slotKey(fromHex(vector.slot)!),
        expiresS: vector.expires,
        clock: new Map(vector.clock.map(([tag, counter]) => [tagHex(fromHex(tag)!), counter])),
        nonce: fromHex(vector.nonce)!,
      })
      const linksBox = fromHex(vector.linksBox)!
      const payloadBox = fromHex(vector.payloadBox)!
      const record = signSlotRecord(seed, { head, linksBox, payloadBox })
      expect(toHex(record)).toBe(vector.record)
      expect(toHex(recordDigest(record))).toBe(vector.digest)
    })
  }
  test('and the digests of their sets', () => {
    for (const { digests, digest } of heads) {
      expect(toHex(headsDigest(digests.map((hex) => fromHex(hex)!)))).toBe(digest)
    }
  })
})
