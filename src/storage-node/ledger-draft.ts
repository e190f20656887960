import { assert } from '../foundation/error.ts'
import { blockId, blockIdHex, type BlockId, type BlockIdHex } from '../protocol/block-id.ts'
import { fromHex } from '../foundation/bytes.ts'
import type { RowChange } from './disk.ts'
import {
  accountKey,
  blockKey,
  encodeAccountRow,
  encodeBlockRow,
  encodeTotals,
  shareKey,
  TOTALS_KEY,
  type AccountRow,
  type BlockRow,
  type Totals,
} from './rows.ts'

/** What a group of changes makes of the books, until it is durable. */
export class Draft {
  readonly #before: Books
  readonly #loaded: ReadonlyMap<BlockIdHex, BlockRow | undefined>
  readonly #rows = new Map<BlockIdHex, BlockRow | undefined>()
  readonly #contents = new Map<string, RowChange>()
  #accounts: Map<string, AccountRow>
  readonly #namesByNumber = new Map<number, string>()
  #usedBytes: number
  #shares: number
  #nextAccount: number

  constructor(books: Books, loaded: ReadonlyMap<BlockIdHex, BlockRow | undefined>) {
    this.#before = books
    this.#loaded = loaded
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
    const hex = blockIdHex(id)
    if (this.#rows.has(hex)) return this.#rows.get(hex)
    assert(this.#loaded.has(hex), 'a change names the ids that it touches')
    return this.#loaded.get(hex)
  }

  /** Replaces a block's row, and moves the sums by the difference; one without shares is deleted. */
  setRow(id: BlockId, row: BlockRow): void {
    const before = this.row(id)
    if (before !== undefined) this.#weigh(before, -1)
    const kept = row.shares.length > 0
    assert(kept || row.leases.length === 0, 'a lease is for a share that is held')
    if (kept) this.#weigh(row, 1)
    this.#rows.set(blockIdHex(id), kept ? row : undefined)
  }

  /** Puts (or without `contents`, deletes) what a small share consists of. */
  setContents(id: BlockId, index: number, contents?: Uint8Array): void {
    const change = contents === undefined ? {} : { value: contents }
    this.#contents.set(`${blockIdHex(id)}-${index}`, { key: shareKey(id, index), ...change })
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
    const changes: RowChange[] = [...this.#contents.values()]
    for (const [hex, row] of this.#rows) {
      const key = keyOfHex(hex)
      changes.push(row === undefined ? { key } : { key, value: encodeBlockRow(row) })
    }
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

  *movedRows(): Generator<{ key: Uint8Array; before?: BlockRow; after?: BlockRow }, void> {
    for (const [hex, after] of this.#rows) {
      const before = this.#loaded.get(hex)
      yield {
        key: keyOfHex(hex),
        ...(before === undefined ? {} : { before }),
        ...(after === undefined ? {} : { after }),
      }
    }
  }

  #weigh({ shareBytes, shares, leases }: BlockRow, sign: 1 | -1): void {
    this.#shares += sign * shares.length
    this.#usedBytes += sign * shares.length * shareBytes
    for (const { account } of leases) {
      const name = this.#namesByNumber.get(account)
      const known = name === undefined ? undefined : this.#accounts.get(name)
      assert(name !== undefined && known !== undefined, 'a lease belongs to a known account')
      const usedBytes = known.usedBytes + sign * shareBytes
      this.#accounts.set(name, { number: account, usedBytes })
    }
  }
}

function keyOfHex(hex: BlockIdHex): Uint8Array {
  const bytes = fromHex(hex)
  assert(bytes !== undefined, 'an id in hexadecimal')
  return blockKey(blockId(bytes))
}

/** The sums, as they are on disk. */
export interface Books {
  readonly totals: Totals
  readonly accounts: ReadonlyMap<string, AccountRow>
}
