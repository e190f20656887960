import { compareBytes } from '../foundation/bytes.ts'
import type { KeyValueStore } from './disk.ts'
import type { RowKind, Weight } from './row-kinds.ts'
import { ID_PREFIXES, keyAfter } from './rows.ts'

/** Rows read in one step, between which the node works on. */
const STEP_ROWS = 256

/**
 * Adds up all rows, kind by kind, while they change: the sums are those over the rows that were reached, kept true by
 * {@link moved}.
 */
export class Recount {
  readonly #kinds: CountedRows[]
  #next: Uint8Array = new Uint8Array(0)
  spoilt = false
  usedBytes = 0
  shares = 0
  /** Bytes by account number. */
  readonly accounts = new Map<number, number>()

  /** @param kinds in the order of their keys */
  constructor(kinds: readonly CountedRows[]) {
    this.#kinds = [...kinds]
  }

  get isAtEnd(): boolean {
    return this.#kinds.length === 0
  }

  /** Goes on by some rows. */
  async addSome(rows: Pick<KeyValueStore, 'range'>): Promise<void> {
    const [kind] = this.#kinds
    if (kind === undefined) return
    const { from, to } = kind
    if (compareBytes(this.#next, from) < 0) this.#next = from
    const some = await rows.range({ from: this.#next, to, limit: STEP_ROWS })
    for (const { value } of some) {
      const weight = kind.weigh(value)
      if (weight !== undefined) this.#add(weight, 1)
    }
    const last = some.at(-1)
    if (last !== undefined && some.length === STEP_ROWS) {
      this.#next = keyAfter(last.key)
    } else {
      this.#next = to
      this.#kinds.shift()
    }
  }

  /** Takes note that a row has changed. */
  moved(key: Uint8Array, before: Weight | undefined, after: Weight | undefined): void {
    if (compareBytes(key, this.#next) >= 0) return
    if (before !== undefined) this.#add(before, -1)
    if (after !== undefined) this.#add(after, 1)
  }

  #add({ bytes, shares, leased }: Weight, sign: 1 | -1): void {
    this.shares += sign * shares
    this.usedBytes += sign * bytes
    for (const { account, bytes: leasedBytes } of leased) {
      this.accounts.set(account, (this.accounts.get(account) ?? 0) + sign * leasedBytes)
    }
  }
}

/** The rows of one kind, as they are added up. */
export interface CountedRows {
  readonly from: Uint8Array
  readonly to: Uint8Array
  weigh(value: Uint8Array): Weight | undefined
}

export function allRowsOf<Id extends Uint8Array, Row>(
  kind: RowKind<Id, Row, Row | undefined>,
): CountedRows {
  const { from, to } = kind.range(0, ID_PREFIXES)
  return {
    from,
    to,
    weigh: (value) => {
      const row = kind.decode(value)
      return row === undefined ? undefined : kind.weigh(row)
    },
  }
}
