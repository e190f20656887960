import { sha256 } from '../../crypto/hash.ts'
import { allocateBytes, concatBytes, equalBytes, viewOf } from '../../foundation/bytes.ts'
import { MAX_SLOT_HEADS } from '../../protocol/limits.ts'
import { SLOT_KEY_BYTES, slotKey, type SlotKey } from '../../protocol/slot-key.ts'
import { RECORD_DIGEST_BYTES } from '../../protocol/slot-record.ts'
import {
  decodeVector,
  encodeVector,
  MalformedVectorError,
  vectorBytes,
  type VersionVector,
} from '../../protocol/version-vector.ts'
import { UnreadableIndexError } from '../rows.ts'

/**
 * What a node knows of one slot, in one row, so that a write is compared with what is held without reading any record:
 * `'l' ‖ P → u8 2 ‖ u8 count ‖ count × (digest 32 ‖ u32 tag ‖ u64 expires ‖ u48 lapses ‖ u16 bytes ‖ clock)
 *            ‖ leases × (u32 account ‖ u48 expiry) ‖ first 4 bytes of SHA-256 of all before`.
 * Beside it: `'r' ‖ P ‖ digest → record`.
 *
 * A rotten record shows by its digest; the checksum shows a rotten row, which would make a node refuse writes for being
 * older than what nobody wrote.
 */
export interface SlotRow {
  /** At most 8, none of which contains another; in the order in which they came. */
  readonly heads: readonly HeldRecord[]
  /** At most one for each account. */
  readonly leases: readonly SlotLease[]
}

/** A record that is held, by what tells it from others. */
export interface HeldRecord {
  readonly digest: Uint8Array
  /** Random, 32 bits: tells a copy from one of the same record that was kept before or after it. */
  readonly tag: number
  /** When it says that it expires, by the calendar; 0 for never. */
  readonly expiresS: number
  /** When that is in the time that leases are counted in; 0 for never. */
  readonly lapsesS: number
  /** Of the record. */
  readonly bytes: number
  readonly clock: VersionVector
}

export interface SlotLease {
  /** The account's number. */
  readonly account: number
  readonly expiresS: number
}

const VERSION = 2
const HEADER_BYTES = 2
const LEASE_BYTES = 10
const CHECKSUM_BYTES = 4
/** Of a held record, before its clock. */
const HELD_BYTES = RECORD_DIGEST_BYTES + 4 + 8 + 6 + 2
const SLOT = 'l'.charCodeAt(0)
const RECORD = 'r'.charCodeAt(0)

export function slotRowKey(slot: SlotKey): Uint8Array {
  return concatBytes([Uint8Array.of(SLOT), slot])
}

/** Keys of the slots whose keys start with a number of 16 bits in [first, end). */
export function slotRows(first: number, end: number): { from: Uint8Array; to: Uint8Array } {
  const key = (at: number): Uint8Array =>
    at > 0xffff ? Uint8Array.of(SLOT + 1) : Uint8Array.of(SLOT, at >> 8, at & 0xff)
  return { from: key(first), to: key(end) }
}

export function slotOfRowKey(key: Uint8Array): SlotKey {
  return slotKey(key.slice(1, 1 + SLOT_KEY_BYTES))
}

export function recordRowKey(slot: SlotKey, digest: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(RECORD), slot, digest])
}

/** Bytes of the records that are held: what a slot counts for. */
export function slotBytes({ heads }: SlotRow): number {
  return heads.reduce((sum, { bytes }) => sum + bytes, 0)
}

export function encodeSlotRow({ heads, leases }: SlotRow): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(VERSION, heads.length)]
  for (const { digest, tag, expiresS, lapsesS, bytes, clock } of heads) {
    const numbers = allocateBytes(HELD_BYTES - RECORD_DIGEST_BYTES)
    const view = viewOf(numbers)
    view.setUint32(0, tag)
    view.setBigUint64(4, BigInt(expiresS))
    setUint48(view, 12, lapsesS)
    view.setUint16(18, bytes)
    parts.push(digest, numbers, encodeVector(clock))
  }
  const tail = allocateBytes(LEASE_BYTES * leases.length)
  const view = viewOf(tail)
  leases.forEach(({ account, expiresS }, position) => {
    view.setUint32(position * LEASE_BYTES, account)
    setUint48(view, position * LEASE_BYTES + 4, expiresS)
  })
  const row = concatBytes([...parts, tail])
  return concatBytes([row, checksumOf(row)])
}

/**
 * @returns undefined if the row has rotted
 * @throws UnreadableIndexError
 */
export function decodeSlotRow(whole: Uint8Array): SlotRow | undefined {
  const bytes = whole.subarray(0, -CHECKSUM_BYTES)
  if (!equalBytes(checksumOf(bytes), whole.subarray(-CHECKSUM_BYTES))) return undefined
  const count = bytes[1] ?? 0
  if (bytes[0] !== VERSION || count > MAX_SLOT_HEADS) throw new UnreadableIndexError()
  const view = viewOf(bytes)
  const heads: HeldRecord[] = []
  let at = HEADER_BYTES
  for (let i = 0; i < count; i++) {
    const clockAt = at + HELD_BYTES
    const end = clockAt + vectorBytes(bytes[clockAt] ?? 0)
    if (end > bytes.length) throw new UnreadableIndexError()
    heads.push({
      digest: bytes.slice(at, at + RECORD_DIGEST_BYTES),
      tag: view.getUint32(at + RECORD_DIGEST_BYTES),
      expiresS: Number(view.getBigUint64(at + RECORD_DIGEST_BYTES + 4)),
      lapsesS: getUint48(view, at + RECORD_DIGEST_BYTES + 12),
      bytes: view.getUint16(at + RECORD_DIGEST_BYTES + 18),
      clock: readClock(bytes.subarray(clockAt, end)),
    })
    at = end
  }
  if ((bytes.length - at) % LEASE_BYTES !== 0) throw new UnreadableIndexError()
  const leases: SlotLease[] = []
  for (; at < bytes.length; at += LEASE_BYTES) {
    leases.push({ account: view.getUint32(at), expiresS: getUint48(view, at + 4) })
  }
  return { heads, leases }
}

/** The latest time that a row can tell. */
export const MAX_LAPSE_S = 2 ** 48 - 1

function checksumOf(row: Uint8Array): Uint8Array {
  return sha256(row).subarray(0, CHECKSUM_BYTES)
}

function readClock(bytes: Uint8Array): VersionVector {
  try {
    return decodeVector(bytes)
  } catch (error) {
    if (error instanceof MalformedVectorError) throw new UnreadableIndexError()
    throw error
  }
}

function setUint48(view: DataView, at: number, value: number): void {
  view.setUint16(at, Math.floor(value / 2 ** 32))
  view.setUint32(at + 2, value % 2 ** 32)
}

function getUint48(view: DataView, at: number): number {
  return view.getUint16(at) * 2 ** 32 + view.getUint32(at + 2)
}
