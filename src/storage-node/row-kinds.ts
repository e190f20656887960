import type { BlockId } from '../protocol/block-id.ts'
import type { SlotKey } from '../protocol/slot-key.ts'
import {
  blockKey,
  blockRows,
  decodeBlockRow,
  encodeBlockRow,
  idOfBlockKey,
  type BlockRow,
} from './rows.ts'
import {
  decodeSlotRow,
  encodeSlotRow,
  slotBytes,
  slotOfRowKey,
  slotRowKey,
  slotRows,
  type SlotRow,
} from './slots/slot-rows.ts'

/** What the ledger has to know of a kind of rows. `Read` is what reading one gives: undefined if it has rotted. */
export interface RowKind<Id extends Uint8Array, Row, Read = Row> {
  keyOf(id: Id): Uint8Array
  idOf(key: Uint8Array): Id
  /** Keys of the rows whose ids start with a number of 16 bits in [first, end). */
  range(first: number, end: number): { from: Uint8Array; to: Uint8Array }
  encode(row: Row): Uint8Array
  /** @throws UnreadableIndexError */
  decode(bytes: Uint8Array): Read
  weigh(row: Row): Weight
  /** Whether there is nothing left to keep a row for. */
  isEmpty(row: Row): boolean
}

/** What a row adds to the sums in the books. */
export interface Weight {
  readonly bytes: number
  readonly shares: number
  /** An item a lease: the account's number, and what the lease counts for. */
  readonly leased: readonly { readonly account: number; readonly bytes: number }[]
}

export const BLOCKS: RowKind<BlockId, BlockRow> = {
  keyOf: blockKey,
  idOf: idOfBlockKey,
  range: blockRows,
  encode: encodeBlockRow,
  decode: decodeBlockRow,
  weigh: ({ shareBytes, shares, leases }) => ({
    bytes: shares.length * shareBytes,
    shares: shares.length,
    leased: leases.map(({ account }) => ({ account, bytes: shareBytes })),
  }),
  isEmpty: ({ shares }) => shares.length === 0,
}

export const SLOTS: RowKind<SlotKey, SlotRow, SlotRow | undefined> = {
  keyOf: slotRowKey,
  idOf: slotOfRowKey,
  range: slotRows,
  encode: encodeSlotRow,
  decode: decodeSlotRow,
  weigh: (row) => {
    const bytes = slotBytes(row)
    return { bytes, shares: 0, leased: row.leases.map(({ account }) => ({ account, bytes })) }
  },
  isEmpty: ({ heads }) => heads.length === 0,
}
