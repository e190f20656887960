import { assert } from '../foundation/error.ts'
import { compareBytes } from '../foundation/bytes.ts'
import { blockIdHex, type BlockId, type BlockIdHex } from '../protocol/block-id.ts'
import type { KeyValueStore, RowChange } from './disk.ts'
import { GroupCommit } from './group-commit.ts'
import { Draft, type Books } from './ledger-draft.ts'
import {
  ACCOUNT_ROWS,
  accountNameOfKey,
  blockKey,
  blockRows,
  decodeAccountRow,
  decodeBlockRow,
  decodeTotals,
  ID_PREFIXES,
  idOfBlockKey,
  keyAfter,
  TOTALS_KEY,
  type AccountRow,
  type BlockRow,
  type Totals,
} from './rows.ts'

/** Changes in one group, and ids in it: a few MiB of memory, and a pause that other requests do not notice. */
const MAX_GROUP_CHANGES = 512
const MAX_GROUP_WEIGHT = 4 * 1024 * 1024
/** Memory that one row of the index takes in a group, about. */
const ROW_WEIGHT = 512
/** Rows read in one go when all are gone through. */
const SCAN_ROWS = 256

/** Something to do to the index, with the rows of `ids` at hand. Synchronous: nothing comes between. */
export interface LedgerChange<T> {
  readonly ids: readonly BlockId[]
  /** Bytes of contents that go along. */
  readonly contentBytes?: number
  apply(draft: Draft): T
}

/**
 * The node's books: which shares it holds, who leases them until when, and what that adds up to. Every change runs
 * alone, in the order of arrival, on the state that the changes before it left, and resolves when it is durable;
 * many share one write. Usage is exact by construction: it moves by the difference between a row before and after.
 */
export class Ledger {
  readonly #rows: KeyValueStore
  readonly #group: GroupCommit<QueuedWork, unknown>
  #books: Books
  /** A write failed, and may nevertheless be on the disk: what is in memory has to be read again. */
  #doubtful = false
  #recount: Recount | undefined

  private constructor(rows: KeyValueStore, books: Books) {
    this.#rows = rows
    this.#books = books
    this.#group = new GroupCommit({
      maxItems: MAX_GROUP_CHANGES,
      maxWeight: MAX_GROUP_WEIGHT,
      weigh: (work) => weightOf(work),
      commit: (works) => this.#commitGroup(works),
    })
  }

  /** @throws UnreadableIndexError */
  static async open(rows: KeyValueStore): Promise<Ledger> {
    return new Ledger(rows, await readBooks(rows))
  }

  get totals(): Totals {
    return this.#books.totals
  }

  /** Bytes of all shares that an account leases. */
  usedBytesOf(account: string): number {
    return this.#books.accounts.get(account)?.usedBytes ?? 0
  }

  async read(id: BlockId): Promise<BlockRow | undefined> {
    const value = await this.#rows.get(blockKey(id))
    return value === undefined ? undefined : decodeBlockRow(value)
  }

  async readMany(ids: readonly BlockId[]): Promise<(BlockRow | undefined)[]> {
    const values = await this.#rows.getMany(ids.map((id) => blockKey(id)))
    return values.map((value) => (value === undefined ? undefined : decodeBlockRow(value)))
  }

  commit<T>(change: LedgerChange<T>): Promise<T> {
    return this.#group.add({ kind: 'change', change }) as Promise<T>
  }

  /**
   * Goes through the blocks whose ids start with 16 bits in [first, end), in order, some at a time. Shows each as it
   * was when it was reached.
   */
  async *scan({
    first = 0,
    end = ID_PREFIXES,
  }: { first?: number; end?: number } = {}): AsyncGenerator<ScannedBlock[], void> {
    const bounds = blockRows(first, end)
    let { from } = bounds
    for (;;) {
      const rows = await this.#rows.range({ from, to: bounds.to, limit: SCAN_ROWS })
      const last = rows.at(-1)
      if (last === undefined) return
      yield rows.map(({ key, value }) => ({ id: idOfBlockKey(key), row: decodeBlockRow(value) }))
      if (rows.length < SCAN_ROWS) return
      from = keyAfter(last.key)
    }
  }

  /**
   * Adds everything up again while the node works on, and corrects the books if they were wrong.
   * @returns whether they were right
   */
  async recount(): Promise<boolean> {
    const recount = new Recount()
    assert(this.#recount === undefined, 'one recount at a time')
    this.#recount = recount
    try {
      const { from, to } = blockRows(0, ID_PREFIXES)
      recount.next = from
      for (;;) {
        const atEnd = (await this.#group.add({ kind: 'recount', to })) as boolean
        if (atEnd) break
      }
      return (await this.#group.add({ kind: 'settle' })) as boolean
    } finally {
      this.#recount = undefined
    }
  }

  async #commitGroup(works: readonly QueuedWork[]): Promise<readonly unknown[]> {
    if (this.#doubtful) {
      await this.#rows.recover()
      this.#books = await readBooks(this.#rows)
      this.#doubtful = false
      // What was counted before may be wrong now; the next recount will tell.
      if (this.#recount !== undefined) this.#recount.spoilt = true
    }
    const [only] = works
    if (only?.kind === 'recount') return [await this.#recountSome(only.to)]
    if (only?.kind === 'settle') return [await this.#settleRecount()]
    return await this.#commitChanges(
      works.map((work) => {
        assert(work.kind === 'change', 'counting goes alone')
        return work.change
      }),
    )
  }

  async #commitChanges(changes: readonly LedgerChange<unknown>[]): Promise<readonly unknown[]> {
    const draft = new Draft(this.#books, await this.#load(changes))
    const results = changes.map((change) => change.apply(draft))
    const written = draft.changes()
    if (written.length > 0) await this.#write(written)
    this.#books = draft.books()
    for (const { key, before, after } of draft.movedRows()) {
      this.#recount?.moved(key, before, after)
    }
    return results
  }

  async #load(
    changes: readonly LedgerChange<unknown>[],
  ): Promise<Map<BlockIdHex, BlockRow | undefined>> {
    const ids = new Map<BlockIdHex, BlockId>()
    for (const change of changes) for (const id of change.ids) ids.set(blockIdHex(id), id)
    const rows = await this.readMany([...ids.values()])
    return new Map([...ids.keys()].map((hex, position) => [hex, rows[position]]))
  }

  async #write(changes: readonly RowChange[]): Promise<void> {
    try {
      await this.#rows.write(changes)
    } catch (error) {
      this.#doubtful = true
      throw error
    }
  }

  async #recountSome(to: Uint8Array): Promise<boolean> {
    const recount = this.#recount
    assert(recount !== undefined, 'a recount is under way')
    const rows = await this.#rows.range({ from: recount.next, to, limit: SCAN_ROWS })
    for (const { value } of rows) recount.add(decodeBlockRow(value), 1)
    const last = rows.at(-1)
    if (last === undefined || rows.length < SCAN_ROWS) {
      recount.next = to
      return true
    }
    recount.next = keyAfter(last.key)
    return false
  }

  async #settleRecount(): Promise<boolean> {
    const recount = this.#recount
    assert(recount !== undefined, 'a recount is under way')
    if (recount.spoilt) return true
    const accounts = new Map<string, AccountRow>()
    for (const [name, { number }] of this.#books.accounts) {
      accounts.set(name, { number, usedBytes: recount.accounts.get(number) ?? 0 })
    }
    const { usedBytes, shares } = recount
    const counted = { accounts, totals: { ...this.#books.totals, usedBytes, shares } }
    const draft = new Draft(this.#books, new Map())
    draft.replaceBooks(counted)
    const changes = draft.changes()
    if (changes.length > 0) await this.#write(changes)
    this.#books = draft.books()
    return changes.length === 0
  }
}

export interface ScannedBlock {
  readonly id: BlockId
  readonly row: BlockRow
}

type QueuedWork =
  | { readonly kind: 'change'; readonly change: LedgerChange<unknown> }
  | { readonly kind: 'recount'; readonly to: Uint8Array }
  | { readonly kind: 'settle' }

function weightOf(work: QueuedWork): number {
  // More than a whole group may weigh, so that counting never shares one.
  if (work.kind !== 'change') return MAX_GROUP_WEIGHT + 1
  return work.change.ids.length * ROW_WEIGHT + (work.change.contentBytes ?? 0)
}

/** Sums over the rows before `next`, kept true while those rows change. */
class Recount {
  next: Uint8Array = new Uint8Array(0)
  spoilt = false
  usedBytes = 0
  shares = 0
  readonly accounts = new Map<number, number>()

  add({ shareBytes, shares, leases }: BlockRow, sign: 1 | -1): void {
    this.shares += sign * shares.length
    this.usedBytes += sign * shares.length * shareBytes
    for (const { account } of leases) {
      this.accounts.set(account, (this.accounts.get(account) ?? 0) + sign * shareBytes)
    }
  }

  moved(key: Uint8Array, before: BlockRow | undefined, after: BlockRow | undefined): void {
    if (compareBytes(key, this.next) >= 0) return
    if (before !== undefined) this.add(before, -1)
    if (after !== undefined) this.add(after, 1)
  }
}

async function readBooks(rows: KeyValueStore): Promise<Books> {
  const totals = await rows.get(TOTALS_KEY)
  const accounts = new Map<string, AccountRow>()
  let from: Uint8Array = ACCOUNT_ROWS.from
  for (;;) {
    const some = await rows.range({ from, to: ACCOUNT_ROWS.to, limit: SCAN_ROWS })
    for (const { key, value } of some) accounts.set(accountNameOfKey(key), decodeAccountRow(value))
    const last = some.at(-1)
    if (last === undefined || some.length < SCAN_ROWS) break
    from = keyAfter(last.key)
  }
  return {
    totals:
      totals === undefined ? { usedBytes: 0, shares: 0, nextAccount: 1 } : decodeTotals(totals),
    accounts,
  }
}
