import { allocateBytes, toHex, utf8, viewOf } from '../foundation/bytes.ts'
import { HayloftError } from '../foundation/error.ts'
import { BLOCK_ID_BYTES, blockId, type BlockId } from '../protocol/block-id.ts'

/**
 * What a node knows of one block, in one row, so that HAVE and LEASE look up one key an id:
 * `'b' ‖ id → u8 1 ‖ u32 share bytes ‖ u8 count ‖ count × (u8 index ‖ u8 place ‖ u32 tag)
 *            ‖ leases × (u32 account ‖ u8 index ‖ u48 expiry, unix seconds)`.
 * Beside it: `'s' ‖ id ‖ u8 index → contents` of a small share, `'a' ‖ name → u32 number ‖ u64 bytes` of an account,
 * `'t' → u64 bytes ‖ u64 shares ‖ u32 next account` the totals, `'m' → …` how far the scrub is, `'c' → …` the time that
 * leases are counted in, `'u' → …` when upkeep was last done. Rows of slots are described in `slots/slot-rows.ts`.
 *
 * A share's contents are its manifest followed by its shard, in a row as in a file: usually a node holds one share of
 * a block, and so a share is read in one step and explains itself even where the index is lost.
 */
export interface BlockRow {
  /** Of each share of this block, with its manifest: what it counts for. */
  readonly shareBytes: number
  /** Ascending by index. */
  readonly shares: readonly HeldShare[]
  /** At most one for each (account, index), each for a share that is held. */
  readonly leases: readonly Lease[]
}

export interface HeldShare {
  readonly index: number
  readonly place: 'row' | 'file'
  /** Random, 32 bits: tells a share from one that was kept under the same index before or after it. */
  readonly tag: number
}

export interface Lease {
  /** The account's number. */
  readonly account: number
  readonly index: number
  readonly expiresS: number
}

/** The index holds what this version of Hayloft cannot have written. */
export class UnreadableIndexError extends HayloftError {
  readonly code = 'storage-index-unreadable'

  constructor() {
    super(
      'The index of the stored shares cannot be read: it is damaged, or a newer Hayloft wrote it. ' +
        'Update Hayloft; if that does not help, start the node with an empty home and let the grid repair.',
    )
  }
}

const VERSION = 1
const BLOCK_HEADER_BYTES = 6
const SHARE_BYTES = 6
const LEASE_BYTES = 11
const IN_ROW = 0
const IN_FILE = 1

const letter = (text: string): number => text.charCodeAt(0)
const BLOCK = letter('b')
const SHARE = letter('s')
const ACCOUNT = letter('a')
export const TOTALS_KEY = Uint8Array.of(letter('t'))
export const SCRUB_KEY = Uint8Array.of(letter('m'))
export const LEASE_CLOCK_KEY = Uint8Array.of(letter('c'))
export const UPKEEP_LOG_KEY = Uint8Array.of(letter('u'))

/** All account rows. */
export const ACCOUNT_ROWS = { from: Uint8Array.of(ACCOUNT), to: Uint8Array.of(ACCOUNT + 1) }

export function blockKey(id: BlockId): Uint8Array {
  return keyOf(BLOCK, id)
}

/** Keys of the blocks whose ids start with a number of 16 bits in [first, end). */
export function blockRows(first: number, end: number): { from: Uint8Array; to: Uint8Array } {
  const key = (at: number): Uint8Array =>
    at > 0xffff ? Uint8Array.of(BLOCK + 1) : Uint8Array.of(BLOCK, at >> 8, at & 0xff)
  return { from: key(first), to: key(end) }
}

export const ID_PREFIXES = 0x1_0000

export function idOfBlockKey(key: Uint8Array): BlockId {
  return blockId(key.slice(1))
}

export function shareKey(id: BlockId, index: number): Uint8Array {
  const key = new Uint8Array(2 + BLOCK_ID_BYTES)
  key[0] = SHARE
  key.set(id, 1)
  key[1 + BLOCK_ID_BYTES] = index
  return key
}

export function accountKey(name: string): Uint8Array {
  return keyOf(ACCOUNT, utf8(name))
}

export function accountNameOfKey(key: Uint8Array): string {
  return new TextDecoder().decode(key.subarray(1))
}

/** The least key after `key`. */
export function keyAfter(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}

/**
 * A share's file: in the folder of its id's first byte, so that a folder and a range of the index can be compared. By the
 * tag no name comes twice, so nothing that is late can meet the file of a later share.
 */
export function shareFileName(id: BlockId, { index, tag }: HeldShare): string {
  return `${toHex(id)}-${index}-${tag.toString(16).padStart(8, '0')}`
}

function keyOf(kind: number, rest: Uint8Array): Uint8Array {
  const key = new Uint8Array(1 + rest.length)
  key[0] = kind
  key.set(rest, 1)
  return key
}

export function encodeBlockRow({ shareBytes, shares, leases }: BlockRow): Uint8Array {
  const bytes = allocateBytes(
    BLOCK_HEADER_BYTES + SHARE_BYTES * shares.length + LEASE_BYTES * leases.length,
  )
  const view = viewOf(bytes)
  view.setUint8(0, VERSION)
  view.setUint32(1, shareBytes)
  view.setUint8(5, shares.length)
  let at = BLOCK_HEADER_BYTES
  for (const { index, place, tag } of shares) {
    view.setUint8(at, index)
    view.setUint8(at + 1, place === 'row' ? IN_ROW : IN_FILE)
    view.setUint32(at + 2, tag)
    at += SHARE_BYTES
  }
  for (const { account, index, expiresS } of leases) {
    view.setUint32(at, account)
    view.setUint8(at + 4, index)
    view.setUint16(at + 5, Math.floor(expiresS / 2 ** 32))
    view.setUint32(at + 7, expiresS % 2 ** 32)
    at += LEASE_BYTES
  }
  return bytes
}

/** @throws UnreadableIndexError */
export function decodeBlockRow(bytes: Uint8Array): BlockRow {
  const leasesAt = BLOCK_HEADER_BYTES + SHARE_BYTES * (bytes[5] ?? 0)
  if (bytes[0] !== VERSION || bytes.length < leasesAt) throw new UnreadableIndexError()
  if ((bytes.length - leasesAt) % LEASE_BYTES !== 0) throw new UnreadableIndexError()
  const view = viewOf(bytes)
  const shares: HeldShare[] = []
  for (let at = BLOCK_HEADER_BYTES; at < leasesAt; at += SHARE_BYTES) {
    const place = view.getUint8(at + 1) === IN_FILE ? 'file' : 'row'
    shares.push({ index: view.getUint8(at), place, tag: view.getUint32(at + 2) })
  }
  const leases: Lease[] = []
  for (let at = leasesAt; at < bytes.length; at += LEASE_BYTES) {
    const expiresS = view.getUint16(at + 5) * 2 ** 32 + view.getUint32(at + 7)
    leases.push({ account: view.getUint32(at), index: view.getUint8(at + 4), expiresS })
  }
  return { shareBytes: view.getUint32(1), shares, leases }
}

/** An account as the index knows it. */
export interface AccountRow {
  readonly number: number
  /** Of every share the account leases. */
  readonly usedBytes: number
}

export function encodeAccountRow({ number, usedBytes }: AccountRow): Uint8Array {
  const bytes = allocateBytes(12)
  viewOf(bytes).setUint32(0, number)
  viewOf(bytes).setBigUint64(4, BigInt(usedBytes))
  return bytes
}

/** @throws UnreadableIndexError */
export function decodeAccountRow(bytes: Uint8Array): AccountRow {
  if (bytes.length !== 12) throw new UnreadableIndexError()
  const view = viewOf(bytes)
  return { number: view.getUint32(0), usedBytes: Number(view.getBigUint64(4)) }
}

export interface Totals {
  /** Of all shares held, whoever leases them. */
  readonly usedBytes: number
  readonly shares: number
  readonly nextAccount: number
}

export function encodeTotals({ usedBytes, shares, nextAccount }: Totals): Uint8Array {
  const bytes = allocateBytes(20)
  const view = viewOf(bytes)
  view.setBigUint64(0, BigInt(usedBytes))
  view.setBigUint64(8, BigInt(shares))
  view.setUint32(16, nextAccount)
  return bytes
}

/** @throws UnreadableIndexError */
export function decodeTotals(bytes: Uint8Array): Totals {
  if (bytes.length !== 20) throw new UnreadableIndexError()
  const view = viewOf(bytes)
  return {
    usedBytes: Number(view.getBigUint64(0)),
    shares: Number(view.getBigUint64(8)),
    nextAccount: view.getUint32(16),
  }
}
