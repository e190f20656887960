import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SimulatedDrive } from '../../../simulations/disk.ts'
import { SeededRandomness } from '../../../simulations/randomness.ts'
import { deriveKey } from '../../../src/crypto/hash.ts'
import { publicKeyOf, sign } from '../../../src/crypto/signatures.ts'
import { KEY_LABELS, TAGS } from '../../../src/crypto/tags.ts'
import { concatBytes, fromHex, viewOf } from '../../../src/foundation/bytes.ts'
import { encodeFields, MalformedMessageError } from '../../../src/protocol/cbor.ts'
import { decodeReply, decodeRequest, encodeReply } from '../../../src/protocol/codec.ts'
import type { SlotPutReply } from '../../../src/protocol/messages.ts'
import type { Refusal } from '../../../src/protocol/network.ts'
import { slotKey } from '../../../src/protocol/slot-key.ts'
import { headsOf, putRecord } from '../../support/slot-nodes.ts'
import { testRecord, testSlot, type TestSlot } from '../../support/slot-records.ts'
import { ALICE, BOB, HandClock, STRANGER, TestNode } from '../../support/storage-nodes.ts'

const SLOT_PUT = 9
const LEASE_S = 1000
const CLOCK_AT = 42

const writeKey = new Uint8Array(32).fill(7)
const slot = ownedBy(writeKey)
const held = testRecord(slot, { a: 3, b: 1 })

function ownedBy(key: Uint8Array): TestSlot {
  const seed = deriveKey(key, KEY_LABELS.slotSign)
  return { seed, slot: slotKey(publicKeyOf(seed)) }
}

/** A client of a peer's own making: writes its bytes by hand, and keeps to nothing. */
class HostileClient implements AsyncDisposable {
  readonly node: TestNode

  private constructor(node: TestNode) {
    this.node = node
  }

  /** Of a node that keeps one record of the slot. */
  static async open(): Promise<HostileClient> {
    const clock = new HandClock()
    const drive = new SimulatedDrive({ clock, randomness: new SeededRandomness(1) })
    const node = await TestNode.open({ disk: drive.open(), clock })
    await putRecord(node, held)
    return new HostileClient(node)
  }

  async put(
    body: Uint8Array,
    fields: readonly unknown[] = [LEASE_S],
  ): Promise<SlotPutReply | Refusal> {
    const entries = [SLOT_PUT, ...fields].map((value, at) => [at, value] as const)
    const request = decodeRequest(encodeFields(new Map<number, unknown>(entries)), body)
    const reply = encodeReply(await this.node.node.handle(BOB, request))
    return decodeReply('slot-put', reply.header, concatBytes(reply.body))
  }

  /** Nothing has changed, and it has cost nobody anything. */
  async expectUnharmed(): Promise<void> {
    expect(await headsOf(this.node, slot.slot)).toEqual([held])
    expect(await this.node.usedBytesOf(ALICE)).toBe(held.length)
    expect(await this.node.usedBytesOf(BOB)).toBe(0)
    expect(await this.node.node.recount()).toBe(true)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.node[Symbol.asyncDispose]()
  }
}

const BAD = { op: 'slot-put', outcome: 'bad', heads: [] }
const next = testRecord(slot, { a: 4, b: 1 })

function resigned(record: Uint8Array, seed = slot.seed): Uint8Array {
  const message = record.subarray(0, record.length - 64)
  return concatBytes([message, sign(seed, TAGS.slotSignature, message)])
}

/** A record with this clock, signed by the slot's own key as if all were well. */
function withClock(entries: readonly string[], count = entries.length): Uint8Array {
  const tail = next.subarray(CLOCK_AT + 1 + 24)
  const clock = fromHex(entries.join(''))!
  return resigned(concatBytes([next.subarray(0, CLOCK_AT), Uint8Array.of(count), clock, tail]))
}

function entry(tag: number, counter: number): string {
  return tag.toString(16).padStart(16, '0') + counter.toString(16).padStart(8, '0')
}

describe('a record that is not its slot’s', () => {
  const readKey = deriveKey(writeKey, KEY_LABELS.slotRead)
  const verifyKey = deriveKey(readKey, KEY_LABELS.slotVerify)
  const signers: Record<string, Uint8Array> = {
    'the read key': readKey,
    'the verify key': verifyKey,
    'a key derived from the read key as the writer’s is from its own': ownedBy(readKey).seed,
    'a key derived from the verify key likewise': ownedBy(verifyKey).seed,
    'the write key itself': writeKey,
    'a stranger’s key': testSlot(9).seed,
  }
  for (const [who, signWith] of Object.entries(signers)) {
    test(`is bad: signed with ${who}`, async () => {
      await using client = await HostileClient.open()
      const forged = testRecord(slot, { a: 9, b: 9 }, { signWith })
      expect(await client.put(forged)).toEqual(BAD)
      await client.expectUnharmed()
    })
  }

  test('is bad: a foreign slot over a good signature, a good slot over a foreign one', async () => {
    await using client = await HostileClient.open()
    const foreign = testRecord(testSlot(9), { a: 9 })
    const moved = foreign.slice()
    moved.set(slot.slot, 2)
    expect(await client.put(moved)).toEqual(BAD)
    const away = next.slice()
    away.set(testSlot(9).slot, 2)
    expect(await client.put(away)).toEqual(BAD)
    await client.expectUnharmed()
    expect(await headsOf(client.node, testSlot(9).slot)).toEqual([])
  })

  test('is stale: one that was replaced, brought again', async () => {
    await using client = await HostileClient.open()
    for (const counters of [{ a: 2 }, { a: 3 }, { b: 1 }]) {
      const reply = await client.put(testRecord(slot, counters))
      expect(reply).toEqual({ op: 'slot-put', outcome: 'stale', heads: [held] })
    }
    await client.expectUnharmed()
  })
})

describe('a record that breaks the format, though signed', () => {
  const malformed: Record<string, Uint8Array> = {
    'unsorted tags': withClock([entry(2, 1), entry(1, 1)]),
    'a tag twice': withClock([entry(2, 1), entry(2, 2)]),
    'a counter of zero': withClock([entry(2, 0)]),
    'no tags': withClock([]),
    'fewer tags than it says': withClock([entry(1, 1)], 2),
    'more tags than it says': withClock([entry(1, 1), entry(2, 1)], 1),
    'another version': resigned(next.with(0, 2)),
    'another kind': resigned(next.with(1, 0)),
    'an expiry beyond numbers': resigned(next.with(34, 255)),
    'a missing byte': resigned(next.subarray(0, next.length - 1)),
    'a byte too many': resigned(concatBytes([next, new Uint8Array(1)])),
    'nothing else': next.subarray(0, 1),
  }
  for (const [what, record] of Object.entries(malformed)) {
    test(`is bad: ${what}`, async () => {
      await using client = await HostileClient.open()
      expect(await client.put(record)).toEqual(BAD)
      await client.expectUnharmed()
    })
  }

  test('is bad with 65 tags, and refused before it is read if it is too long', async () => {
    await using client = await HostileClient.open()
    const tags = Array.from({ length: 65 }, (_, at) => entry(at, 1))
    expect(await client.put(withClock(tags.slice(0, 64)))).toMatchObject({ outcome: 'stored' })
    expect(await client.put(withClock(tags))).toEqual(BAD)
    const record = new Uint8Array(5288)
    await expect(client.put(record)).rejects.toThrow(MalformedMessageError)
    await expect(client.put(new Uint8Array(1_000_000))).rejects.toThrow(MalformedMessageError)
    // A network that does not check it is no way around.
    const reply = await client.node.node.handle(BOB, { op: 'slot-put', record, leaseS: 1 })
    expect(reply).toMatchObject({ op: 'refused', reason: 'malformed' })
  })

  test('is bad or refused, cut anywhere or changed anywhere', async () => {
    await using client = await HostileClient.open()
    await fc.assert(
      fc.asyncProperty(fc.nat(next.length - 1), fc.nat(7), fc.boolean(), async (at, bit, cut) => {
        const record = cut ? next.subarray(0, at) : next.with(at, next[at]! ^ (1 << bit))
        if (record.length === 0)
          await expect(client.put(record)).rejects.toThrow(MalformedMessageError)
        else expect(await client.put(record)).toEqual(BAD)
      }),
      { numRuns: 150 },
    )
    await client.expectUnharmed()
  })
})

describe('a writer who may, but means no good', () => {
  test('gets eight siblings and no ninth, and whoever merges ends it', async () => {
    await using client = await HostileClient.open()
    for (let at = 1; at < 8; at++) {
      expect(await client.put(testRecord(slot, { [`d${at}`]: 1 }))).toMatchObject({
        outcome: 'stored',
      })
    }
    for (let at = 8; at < 30; at++) {
      const reply = await client.put(testRecord(slot, { [`d${at}`]: 1 }))
      expect(reply).toMatchObject({ outcome: 'merge-first' })
      if (reply.op === 'slot-put') expect(reply.heads).toHaveLength(8)
    }
    const all = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`d${at}`, 2]))
    const merged = testRecord(slot, { ...all, a: 3, b: 1 })
    expect(await putRecord(client.node, merged)).toMatchObject({ outcome: 'stored', heads: [] })
    expect(await headsOf(client.node, slot.slot)).toEqual([merged])
  })

  test('cannot stop others by the largest counter, nor by a record that expires', async () => {
    await using client = await HostileClient.open()
    const top = testRecord(slot, { a: 2 ** 32 - 1 })
    expect(await client.put(top)).toMatchObject({ outcome: 'stored' })
    const merged = testRecord(slot, { a: 2 ** 32 - 1, b: 1, c: 1 })
    expect(await putRecord(client.node, merged)).toMatchObject({ outcome: 'stored' })
    const nowS = Date.UTC(2026, 0, 1) / 1000
    const brief = Array.from({ length: 8 }, (_, at) => {
      return testRecord(slot, { [`x${at}`]: 1 }, { expiresS: nowS + 1 + at })
    })
    for (const record of brief) await client.put(record)
    expect(await headsOf(client.node, slot.slot)).toHaveLength(8)
  })

  test('gets no more than its caller may: a stranger is not served', async () => {
    await using client = await HostileClient.open()
    for (const request of [
      { op: 'slot-put', record: next, leaseS: 1 },
      { op: 'slot-get', slots: [slot.slot] },
      { op: 'slot-watch', watches: [], waitS: 60 },
    ] as const) {
      const reply = await client.node.node.handle(STRANGER, request)
      expect(reply).toMatchObject({ op: 'refused', reason: 'unserved' })
    }
    await client.expectUnharmed()
  })
})

test('a lease, expected heads and other fields out of bounds are refused', async () => {
  await using client = await HostileClient.open()
  const digest = new Uint8Array(32)
  for (const fields of [
    [],
    [-1],
    [1e9],
    ['1'],
    [LEASE_S, new Uint8Array(31)],
    [LEASE_S, new Uint8Array(9 * 32)],
    [LEASE_S, [digest]],
  ]) {
    await expect(client.put(next, fields)).rejects.toThrow(MalformedMessageError)
  }
  // Other orders, and lengths that are not the shortest, are no deterministic CBOR.
  for (const header of ['a2 01 05 00 09', 'a2 00 09 01 1805', 'bf 00 09 01 05 ff']) {
    expect(() => decodeRequest(fromHex(header.replaceAll(' ', ''))!, next)).toThrow(
      MalformedMessageError,
    )
  }
  expect(viewOf(next).getUint8(CLOCK_AT)).toBe(2)
  await client.expectUnharmed()
})
