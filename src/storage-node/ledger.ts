import { assert } from '../foundation/error.ts'
import { toHex } from '../foundation/bytes.ts'
import type { BlockId } from '../protocol/block-id.ts'
import type { SlotKey } from '../protocol/slot-key.ts'
import type { KeyValueStore, RowChange } from './disk.ts'
import { GroupCommit } from './group-commit.ts'
import { Draft, type Books, type LoadedRows } from './ledger-draft.ts'
import { allRowsOf, Recount } from './recount.ts'
import { BLOCKS, SLOTS, type RowKind } from './row-kinds.ts'
import {
  ACCOUNT_ROWS,
  accountNameOfKey,
  decodeAccountRow,
  decodeTotals,
  ID_PREFIXES,
  keyAfter,
  TOTALS_KEY,
  type AccountRow,
  type BlockRow,
} from './rows.ts'
import type { Totals } from './rows.ts'
import type { SlotRow } from './slots/slot-rows.ts'

/** Changes in one group, and ids in it: a few MiB of memory, and a pause that other requests do not notice. */
const MAX_GROUP_CHANGES = 512
const MAX_GROUP_WEIGHT = 4 * 1024 * 1024
/** Memory that one row of the index takes in a group, about. */
const ROW_WEIGHT = 512
/** Rows read in one go when all are gone through. */
const SCAN_ROWS = 256

/** Something to do to the index, with the rows of `ids` and `slots` at hand. Synchronous: nothing comes between. */
export interface LedgerChange<T> {
  readonly ids?: readonly BlockId[]
  readonly slots?: readonly SlotKey[]
  /** Bytes of contents that go along. */
  readonly contentBytes?: number
  apply(draft: Draft): T
}

/**
 * The node's books: which shares and slots it holds, who leases them until when, and what that adds up to. Every change runs
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

  /** Bytes of all shares and records that an account leases. */
  usedBytesOf(account: string): number {
    return this.#books.accounts.get(account)?.usedBytes ?? 0
  }

  /** Who stores how much, those who store most first; without those who store nothing any more. */
  accounts(): { readonly account: string; readonly usedBytes: number }[] {
    return [...this.#books.accounts]
      .map(([account, { usedBytes }]) => ({ account, usedBytes }))
      .filter(({ usedBytes }) => usedBytes > 0)
      .sort((a, b) => b.usedBytes - a.usedBytes || (a.account < b.account ? -1 : 1))
  }

  /** The name of the account that has this number in leases. */
  accountNumbered(number: number): string | undefined {
    for (const [name, account] of this.#books.accounts) if (account.number === number) return name
    return undefined
  }

  async read(id: BlockId): Promise<BlockRow | undefined> {
    return await this.#read(BLOCKS, id)
  }

  async readMany(ids: readonly BlockId[]): Promise<(BlockRow | undefined)[]> {
    return await this.#readMany(BLOCKS, ids)
  }

  async readSlots(slots: readonly SlotKey[]): Promise<(SlotRow | undefined)[]> {
    return await this.#readMany(SLOTS, slots)
  }

  commit<T>(change: LedgerChange<T>): Promise<T> {
    return this.#group.add({ kind: 'change', change }) as Promise<T>
  }

  /**
   * Goes through the blocks whose ids start with 16 bits in [first, end), in order, some at a time. Shows each as it
   * was when it was reached.
   */
  scan(range: ScanRange = {}): AsyncGenerator<ScannedRow<BlockId, BlockRow>[], void> {
    return this.#scan(BLOCKS, range)
  }

  /** The same for slots; without a row where that has rotted. */
  scanSlots(
    range: ScanRange = {},
  ): AsyncGenerator<ScannedRow<SlotKey, SlotRow | undefined>[], void> {
    return this.#scan(SLOTS, range)
  }

  /**
   * Adds everything up again while the node works on, and corrects the books if they were wrong.
   * @returns whether they were right
   */
  async recount(): Promise<boolean> {
    const recount = new Recount([allRowsOf(BLOCKS), allRowsOf(SLOTS)])
    assert(this.#recount === undefined, 'one recount at a time')
    this.#recount = recount
    try {
      while (!recount.isAtEnd) await this.#group.add({ kind: 'recount' })
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
    if (only?.kind === 'recount') return [await this.#recount?.addSome(this.#rows)]
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

  async #load(changes: readonly LedgerChange<unknown>[]): Promise<LoadedRows> {
    return {
      blocks: await this.#loadRows(
        BLOCKS,
        changes.flatMap(({ ids }) => ids ?? []),
      ),
      slots: await this.#loadRows(
        SLOTS,
        changes.flatMap(({ slots }) => slots ?? []),
      ),
    }
  }

  async #loadRows<Id extends Uint8Array, Row>(
    kind: RowKind<Id, Row, Row | undefined>,
    ids: readonly Id[],
  ): Promise<Map<string, Row | undefined>> {
    const byHex = new Map(ids.map((id) => [toHex(id), id]))
    const rows = byHex.size === 0 ? [] : await this.#readMany(kind, [...byHex.values()])
    return new Map([...byHex.keys()].map((hex, position) => [hex, rows[position]]))
  }

  async #read<Id extends Uint8Array, Row>(
    kind: RowKind<Id, Row, Row | undefined>,
    id: Id,
  ): Promise<Row | undefined> {
    const value = await this.#rows.get(kind.keyOf(id))
    return value === undefined ? undefined : kind.decode(value)
  }

  async #readMany<Id extends Uint8Array, Row>(
    kind: RowKind<Id, Row, Row | undefined>,
    ids: readonly Id[],
  ): Promise<(Row | undefined)[]> {
    const values = await this.#rows.getMany(ids.map((id) => kind.keyOf(id)))
    return values.map((value) => (value === undefined ? undefined : kind.decode(value)))
  }

  async *#scan<Id extends Uint8Array, Row>(
    kind: Pick<RowKind<Id, never, Row>, 'range' | 'idOf' | 'decode'>,
    { first = 0, end = ID_PREFIXES }: ScanRange,
  ): AsyncGenerator<ScannedRow<Id, Row>[], void> {
    const bounds = kind.range(first, end)
    let { from } = bounds
    for (;;) {
      const rows = await this.#rows.range({ from, to: bounds.to, limit: SCAN_ROWS })
      const last = rows.at(-1)
      if (last === undefined) return
      yield rows.map(({ key, value }) => ({ id: kind.idOf(key), row: kind.decode(value) }))
      if (rows.length < SCAN_ROWS) return
      from = keyAfter(last.key)
    }
  }

  async #write(changes: readonly RowChange[]): Promise<void> {
    try {
      await this.#rows.write(changes)
    } catch (error) {
      this.#doubtful = true
      throw error
    }
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
    const draft = new Draft(this.#books)
    draft.replaceBooks(counted)
    const changes = draft.changes()
    if (changes.length > 0) await this.#write(changes)
    this.#books = draft.books()
    return changes.length === 0
  }
}

/** Ids that start with a number of 16 bits in [first, end); all by default. */
export interface ScanRange {
  readonly first?: number
  readonly end?: number
}

export interface ScannedRow<Id, Row> {
  readonly id: Id
  readonly row: Row
}

type QueuedWork =
  | { readonly kind: 'change'; readonly change: LedgerChange<unknown> }
  | { readonly kind: 'recount' | 'settle' }

function weightOf(work: QueuedWork): number {
  // More than a whole group may weigh, so that counting never shares one.
  if (work.kind !== 'change') return MAX_GROUP_WEIGHT + 1
  const { ids = [], slots = [], contentBytes = 0 } = work.change
  return (ids.length + slots.length) * ROW_WEIGHT + contentBytes
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
