import { toHex, fromHex } from '../src/foundation/bytes.ts'
import { deferred, type Deferred } from '../src/foundation/concurrency.ts'
import { assert } from '../src/foundation/error.ts'
import type { KeyValueStore, Row, RowChange } from '../src/storage-node/disk.ts'
import type { SeededRandomness } from './randomness.ts'

/**
 * The rows of a simulated drive, as a journal over a sorted map. Writes become visible and durable in the order they
 * were made. A power cut keeps a prefix of those under way; a rejected one may have happened all the same.
 */
export class SimulatedRows {
  readonly #randomness: SeededRandomness
  /** What every resolved write has left. */
  #rows = new Map<string, Uint8Array>()
  #sortedKeys: string[] = []
  #isSorted = true
  #bytes = 0
  /** Writes under way, and those that wait for one of them. */
  #journal: JournalEntry[] = []
  #underWay = 0
  #idle: Deferred<void> | undefined

  constructor(randomness: SeededRandomness) {
    this.#randomness = randomness
  }

  get bytes(): number {
    return this.#bytes
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#rows.get(toHex(key))?.slice()
  }

  range({ from, to, limit }: Parameters<KeyValueStore['range']>[0]): Row[] {
    if (!this.#isSorted) this.#sortedKeys = [...this.#rows.keys()].sort()
    this.#isSorted = true
    const [first, end] = [toHex(from), toHex(to)]
    const found: Row[] = []
    for (let at = lowerBound(this.#sortedKeys, first); at < this.#sortedKeys.length; at++) {
      const name = this.#sortedKeys[at] as string
      if (name >= end || found.length >= limit) break
      found.push({ key: fromHex(name)!, value: (this.#rows.get(name) as Uint8Array).slice() })
    }
    return found
  }

  /** Starts a write; {@link commit} or {@link reject} ends it. */
  append(changes: readonly RowChange[]): JournalEntry {
    const copied = changes.map(({ key, value }) => ({ name: toHex(key), value: value?.slice() }))
    const entry: JournalEntry = { changes: copied, state: 'pending', done: deferred() }
    this.#journal.push(entry)
    this.#underWay++
    return entry
  }

  /** Resolves when this write and all before it are durable. */
  async commit(entry: JournalEntry): Promise<void> {
    entry.state = 'synced'
    this.#settleInOrder()
    await entry.done.promise
  }

  /** Ends a write that fails: none of it is there, or all of it is all the same. */
  reject(entry: JournalEntry): void {
    entry.state = this.#randomness.chance(1 / 2) ? 'synced' : 'dropped'
    this.#settleInOrder()
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    if (this.#underWay === 0) return
    this.#idle ??= deferred()
    await this.#idle.promise
  }

  /** Replays the journal as a new process would find it. */
  open(): void {
    if (this.#journal.length === 0) return
    for (const entry of this.#journal) {
      assert(entry.state !== 'pending', 'a drive opens when the last process has gone')
      if (entry.state !== 'dropped') this.#apply(entry)
    }
    this.#journal = []
  }

  cutPower(): void {
    const firstPending = this.#journal.findIndex(({ state }) => state === 'pending')
    const unfinished = firstPending === -1 ? [] : this.#journal.slice(firstPending)
    const kept = this.#randomness.below(unfinished.length + 1)
    this.#journal = this.#journal.slice(0, this.#journal.length - unfinished.length)
    for (const entry of unfinished.slice(0, kept)) {
      if (entry.state === 'pending') entry.state = 'synced'
      this.#journal.push(entry)
    }
    this.#underWay = 0
    this.#idle = undefined
    this.open()
  }

  largeValues(minBytes: number): Uint8Array[] {
    return [...this.#rows.values()].filter(({ length }) => length >= minBytes)
  }

  wipe(): void {
    this.#rows = new Map()
    this.#isSorted = false
    this.#journal = []
    this.#bytes = 0
  }

  #settleInOrder(): void {
    const open: JournalEntry[] = []
    let isBlocked = false
    for (const entry of this.#journal) {
      if (entry.state === 'pending') isBlocked = true
      if (entry.state === 'dropped') this.#underWay--
      if (entry.state === 'synced' && !isBlocked) {
        this.#apply(entry)
        entry.state = 'done'
        this.#underWay--
        entry.done.resolve()
      }
      if (isBlocked && entry.state !== 'dropped') open.push(entry)
    }
    this.#journal = open
    if (this.#underWay === 0) this.#idle?.resolve()
  }

  #apply({ changes }: JournalEntry): void {
    for (const { name, value } of changes) {
      const before = this.#rows.get(name)
      this.#bytes += sizeOf(name, value) - sizeOf(name, before)
      if (value === undefined) this.#rows.delete(name)
      else this.#rows.set(name, value)
      if ((before === undefined) !== (value === undefined)) this.#isSorted = false
    }
  }
}

export interface JournalEntry {
  readonly changes: readonly { readonly name: string; readonly value: Uint8Array | undefined }[]
  readonly done: Deferred<void>
  /** `synced`: on the drive, but an earlier one is not yet. `done`: visible. */
  state: 'pending' | 'synced' | 'done' | 'dropped'
}

function sizeOf(name: string, value: Uint8Array | undefined): number {
  return value === undefined ? 0 : name.length / 2 + value.length
}

/** The first place at which `sorted` is not below `name`. */
function lowerBound(sorted: readonly string[], name: string): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as string) < name) low = middle + 1
    else high = middle
  }
  return low
}
