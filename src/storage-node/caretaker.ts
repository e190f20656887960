import { Semaphore } from '../foundation/concurrency.ts'
import type { KeyValueStore } from './disk.ts'
import { leaseOutlook, type LeaseOutlook } from './lease-outlook.ts'
import { maintain } from './maintenance.ts'
import { ID_PREFIXES } from './rows.ts'
import { UpkeepLog, type UpkeepHistory } from './upkeep-log.ts'
import {
  collectGarbage,
  scrub,
  sweepFiles,
  type CollectResult,
  type ScrubOptions,
  type ScrubResult,
  type SweepResult,
  type Upkeep,
} from './upkeep.ts'

/** An outlook costs going through all rows; what it says changes by the day. */
const OUTLOOK_VALID_MS = 5 * 60_000

/** Looks after what a node keeps, by itself and when asked to: each kind of upkeep runs once at a time. */
export class Caretaker {
  readonly #upkeep: Upkeep
  readonly #rows: Pick<KeyValueStore, 'get' | 'write'>
  readonly #log: UpkeepLog
  readonly #collecting = new Semaphore(1)
  readonly #scrubbing = new Semaphore(1)
  #maintenance: Promise<void> | undefined
  #outlook: { readonly atMs: number; readonly seen: Promise<LeaseOutlook> } | undefined

  constructor(upkeep: Upkeep, rows: Pick<KeyValueStore, 'get' | 'write'>) {
    this.#upkeep = upkeep
    this.#rows = rows
    this.#log = new UpkeepLog(rows)
  }

  /** Frees what nobody leases any more. */
  async collect(): Promise<CollectResult> {
    return await this.#alone(this.#collecting, async () => {
      const result = await collectGarbage(this.#upkeep)
      await this.#log.note({ collectedMs: this.#upkeep.clock.nowMs() })
      this.#outlook = undefined
      return result
    })
  }

  /** Checks all that is kept, or some. */
  async scrub(options: ScrubOptions = {}): Promise<ScrubResult> {
    return await this.#alone(this.#scrubbing, async () => {
      const result = await scrub(this.#upkeep, options)
      const nowMs = this.#upkeep.clock.nowMs()
      const { first = 0, end = ID_PREFIXES, endsRound = first === 0 } = options
      const isRound = end === ID_PREFIXES && endsRound
      await this.#log.note({
        scrubbedMs: nowMs,
        lost: result.lost,
        ...(isRound && { roundMs: nowMs }),
      })
      return result
    })
  }

  async sweep(): Promise<SweepResult> {
    return await sweepFiles(this.#upkeep)
  }

  /** Starts to do all of it in the background, until the node is closed. */
  start(): void {
    this.#maintenance ??= maintain({
      ...this.#upkeep,
      rows: this.#rows,
      collect: () => this.collect(),
      scrub: (options) => this.scrub(options),
    })
  }

  /** Resolves when the background work has ended. */
  async ended(): Promise<void> {
    await this.#maintenance
  }

  async history(): Promise<UpkeepHistory> {
    return await this.#log.read()
  }

  /** As of some minutes ago at most. */
  async outlook(): Promise<LeaseOutlook> {
    const { clock, store } = this.#upkeep
    const nowMs = clock.monotonicMs()
    if (this.#outlook === undefined || nowMs - this.#outlook.atMs > OUTLOOK_VALID_MS) {
      const seen = leaseOutlook(store.ledger, store.nowS())
      this.#outlook = { atMs: nowMs, seen }
      seen.catch(() => (this.#outlook = undefined))
    }
    return await this.#outlook.seen
  }

  async #alone<T>(turn: Semaphore, work: () => Promise<T>): Promise<T> {
    const release = await turn.acquire(1, this.#upkeep.signal)
    try {
      return await work()
    } finally {
      release()
    }
  }
}
