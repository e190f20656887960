import { assert } from '../foundation/error.ts'
import { toHex } from '../foundation/bytes.ts'
import type { BlockId } from '../protocol/block-id.ts'
import type { SlotKey } from '../protocol/slot-key.ts'
import type { RowChange } from './disk.ts'
import { BLOCKS, SLOTS, type RowKind, type Weight } from './row-kinds.ts'
import {
  accountKey,
  encodeAccountRow,
  encodeTotals,
  shareKey,
  TOTALS_KEY,
  type AccountRow,
  type BlockRow,
  type Totals,
} from './rows.ts'
import { recordRowKey, type SlotRow } from './slots/slot-rows.ts'

/** What a group of changes makes of the books, until it is durable. */
export class Draft {
  readonly #before: Books
  readonly #blocks: Sheet<BlockId, BlockRow>
  readonly #slots: Sheet<SlotKey, SlotRow>
  readonly #contents = new Map<string, RowChange>()
  #accounts: Map<string, AccountRow>
  readonly #namesByNumber = new Map<number, string>()
  #usedBytes: number
  #shares: number
  #nextAccount: number

  constructor(books: Books, loaded: LoadedRows = { blocks: new Map(), slots: new Map() }) {
    this.#before = books
    const weigh = (weight: Weight, sign: 1 | -1): void => {
      this.#weigh(weight, sign)
    }
    this.#blocks = new Sheet(BLOCKS, loaded.blocks, weigh)
    this.#slots = new Sheet(SLOTS, loaded.slots, weigh)
    this.#accounts = new Map(books.accounts)
    for (const [name, { number }] of books.accounts) this.#namesByNumber.set(number, name)
    this.#usedBytes = books.totals.usedBytes
    this.#shares = books.totals.shares
    this.#nextAccount = books.totals.nextAccount
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  usedBytesOf(account: string): number {
    return this.#accounts.get(account)?.usedBytes ?? 0
  }

  /** The number of an account that has, or had, a lease here. */
  knownNumberOf(account: string): number | undefined {
    return this.#accounts.get(account)?.number
  }

  /** The number of an account, which it gets with its first lease. */
  numberOf(account: string): number {
    const known = this.#accounts.get(account)
    if (known !== undefined) return known.number
    const number = this.#nextAccount++
    this.#accounts.set(account, { number, usedBytes: 0 })
    this.#namesByNumber.set(number, account)
    return number
  }

  row(id: BlockId): BlockRow | undefined {
    return this.#blocks.row(id)
  }

  /** Replaces a block's row, and moves the sums by the difference; one without shares is deleted. */
  setRow(id: BlockId, row: BlockRow): void {
    assert(row.shares.length > 0 || row.leases.length === 0, 'a lease is for a share that is held')
    this.#blocks.setRow(id, row)
  }

  /** Puts (or without `contents`, deletes) what a small share consists of. */
  setContents(id: BlockId, index: number, contents?: Uint8Array): void {
    this.#set(shareKey(id, index), contents)
  }

  slot(slot: SlotKey): SlotRow | undefined {
    return this.#slots.row(slot)
  }

  /** Replaces a slot's row, deletes the records that it held and holds no more, and moves the sums. */
  setSlot(slot: SlotKey, row: SlotRow): void {
    assert(row.heads.length > 0 || row.leases.length === 0, 'a lease is for a slot that is held')
    for (const head of this.#slots.row(slot)?.heads ?? []) {
      if (!row.heads.includes(head)) this.#set(recordRowKey(slot, head.digest), undefined)
    }
    this.#slots.setRow(slot, row)
  }

  /** Puts a record that the slot's row names. */
  setRecord(slot: SlotKey, digest: Uint8Array, record: Uint8Array): void {
    this.#set(recordRowKey(slot, digest), record)
  }

  /** Takes sums from a recount. */
  replaceBooks({ totals, accounts }: Books): void {
    this.#accounts = new Map(accounts)
    this.#usedBytes = totals.usedBytes
    this.#shares = totals.shares
  }

  books(): Books {
    return {
      totals: {
        usedBytes: this.#usedBytes,
        shares: this.#shares,
        nextAccount: this.#nextAccount,
      },
      accounts: this.#accounts,
    }
  }

  /** Rows to write. */
  changes(): RowChange[] {
    const changes: RowChange[] = [
      ...this.#contents.values(),
      ...this.#blocks.changes(),
      ...this.#slots.changes(),
    ]
    for (const [name, account] of this.#accounts) {
      const before = this.#before.accounts.get(name)
      if (before?.usedBytes === account.usedBytes) continue
      changes.push({ key: accountKey(name), value: encodeAccountRow(account) })
    }
    const { totals } = this.books()
    const { usedBytes, shares, nextAccount } = this.#before.totals
    if (
      totals.usedBytes !== usedBytes ||
      totals.shares !== shares ||
      totals.nextAccount !== nextAccount
    ) {
      changes.push({ key: TOTALS_KEY, value: encodeTotals(totals) })
    }
    return changes
  }

  *movedRows(): Generator<MovedRow, void> {
    yield* this.#blocks.movedRows()
    yield* this.#slots.movedRows()
  }

  #set(key: Uint8Array, value: Uint8Array | undefined): void {
    this.#contents.set(toHex(key), value === undefined ? { key } : { key, value })
  }

  #weigh({ bytes, shares, leased }: Weight, sign: 1 | -1): void {
    this.#shares += sign * shares
    this.#usedBytes += sign * bytes
    for (const { account, bytes: leasedBytes } of leased) {
      const name = this.#namesByNumber.get(account)
      const known = name === undefined ? undefined : this.#accounts.get(name)
      assert(name !== undefined && known !== undefined, 'a lease belongs to a known account')
      const usedBytes = known.usedBytes + sign * leasedBytes
      this.#accounts.set(name, { number: account, usedBytes })
    }
  }
}

/** The rows of one kind in a draft. */
class Sheet<Id extends Uint8Array, Row> {
  readonly #kind: Pick<RowKind<Id, Row>, 'keyOf' | 'encode' | 'weigh' | 'isEmpty'>
  readonly #loaded: ReadonlyMap<string, Row | undefined>
  readonly #weigh: (weight: Weight, sign: 1 | -1) => void
  readonly #changed = new Map<string, { id: Id; row: Row | undefined }>()

  constructor(
    kind: Pick<RowKind<Id, Row>, 'keyOf' | 'encode' | 'weigh' | 'isEmpty'>,
    loaded: ReadonlyMap<string, Row | undefined>,
    weigh: (weight: Weight, sign: 1 | -1) => void,
  ) {
    this.#kind = kind
    this.#loaded = loaded
    this.#weigh = weigh
  }

  row(id: Id): Row | undefined {
    const hex = toHex(id)
    const changed = this.#changed.get(hex)
    if (changed !== undefined) return changed.row
    assert(this.#loaded.has(hex), 'a change names the rows that it touches')
    return this.#loaded.get(hex)
  }

  setRow(id: Id, row: Row): void {
    const before = this.row(id)
    if (before !== undefined) this.#weigh(this.#kind.weigh(before), -1)
    const kept = !this.#kind.isEmpty(row)
    if (kept) this.#weigh(this.#kind.weigh(row), 1)
    this.#changed.set(toHex(id), { id, row: kept ? row : undefined })
  }

  *changes(): Generator<RowChange, void> {
    for (const { id, row } of this.#changed.values()) {
      const key = this.#kind.keyOf(id)
      yield row === undefined ? { key } : { key, value: this.#kind.encode(row) }
    }
  }

  *movedRows(): Generator<MovedRow, void> {
    for (const [hex, { id, row }] of this.#changed) {
      const before = this.#loaded.get(hex)
      yield {
        key: this.#kind.keyOf(id),
        before: before === undefined ? undefined : this.#kind.weigh(before),
        after: row === undefined ? undefined : this.#kind.weigh(row),
      }
    }
  }
}

/** Rows at hand, by their ids in hexadecimal; undefined where there is none. */
export interface LoadedRows {
  readonly blocks: ReadonlyMap<string, BlockRow | undefined>
  readonly slots: ReadonlyMap<string, SlotRow | undefined>
}

export interface MovedRow {
  readonly key: Uint8Array
  readonly before: Weight | undefined
  readonly after: Weight | undefined
}

/** The sums, as they are on disk. */
export interface Books {
  readonly totals: Totals
  readonly accounts: ReadonlyMap<string, AccountRow>
}
