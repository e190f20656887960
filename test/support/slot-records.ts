import { publicKeyOf } from '../../src/crypto/signatures.ts'
import { sha256 } from '../../src/crypto/hash.ts'
import { utf8 } from '../../src/foundation/bytes.ts'
import { slotKey, type SlotKey } from '../../src/protocol/slot-key.ts'
import { encodeSlotHead, signSlotRecord } from '../../src/protocol/slot-record.ts'
import { tagHex, type TagHex, type VersionVector } from '../../src/protocol/version-vector.ts'

/** A slot whose key pair follows from a number. */
export interface TestSlot {
  readonly seed: Uint8Array
  readonly slot: SlotKey
}

export function testSlot(number: number): TestSlot {
  const seed = sha256(utf8(`slot ${number}`))
  return { seed, slot: slotKey(publicKeyOf(seed)) }
}

/** A clock by short names of devices: `{ a: 1, b: 3 }`. */
export function testClock(counters: Readonly<Record<string, number>>): VersionVector {
  return new Map(Object.entries(counters).map(([name, counter]) => [tagOf(name), counter]))
}

/** A record as a storage node sees it: it cannot open the boxes, so noise serves. `noise` tells it from its equals. */
export function testRecord(
  { seed, slot }: TestSlot,
  counters: Readonly<Record<string, number>>,
  { expiresS = 0, noise = 0, signWith = seed, payloadBytes = 512 } = {},
): Uint8Array {
  const head = encodeSlotHead({
    slot,
    expiresS,
    clock: testClock(counters),
    nonce: noiseOf(`nonce ${noise}`, 24),
  })
  return signSlotRecord(signWith, {
    head,
    linksBox: noiseOf(`links ${noise}`, 276),
    payloadBox: noiseOf(`payload ${noise}`, payloadBytes + 16),
  })
}

function tagOf(name: string): TagHex {
  return tagHex(sha256(utf8(name)).subarray(0, 8))
}

function noiseOf(text: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 32) {
    bytes.set(sha256(utf8(`${text} ${at}`)).subarray(0, length - at), at)
  }
  return bytes
}
