import type { Clock } from '../../foundation/clock.ts'

/** What is left of a budget, as it is kept beyond the end of the program. */
export interface BudgetState {
  readonly tokensBytes: number
  readonly atMs: number
}

/**
 * How much repairs and moves may send and fetch: a token bucket that fills at `perDayBytes` and holds a day's worth.
 * What is taken is written down first, in pieces, so a program that is killed has perhaps spent less than it wrote and
 * never more.
 */
export class TrafficBudget {
  readonly perDayBytes: number
  readonly #clock: Clock
  readonly #save: (state: BudgetState) => Promise<void>
  #tokensBytes: number
  #atMs: number
  /** Written down as taken, and not used yet. */
  #reservedBytes = 0
  #saving: Promise<void> = Promise.resolve()

  constructor({
    perDayBytes,
    state,
    clock,
    save,
  }: {
    perDayBytes: number
    state: BudgetState | undefined
    clock: Clock
    save: (state: BudgetState) => Promise<void>
  }) {
    this.perDayBytes = perDayBytes
    this.#clock = clock
    this.#save = save
    this.#atMs = Math.min(state?.atMs ?? clock.nowMs(), clock.nowMs())
    this.#tokensBytes = Math.min(state?.tokensBytes ?? perDayBytes, perDayBytes)
  }

  /** What may be taken now; less than zero after urgent work. */
  get leftBytes(): number {
    this.#refill()
    return this.#tokensBytes + this.#reservedBytes
  }

  /**
   * Takes what a piece of work will cost, if the budget allows. Urgent work may overdraw it by another day's worth; work
   * that can wait leaves half of it to what cannot.
   * @returns whether it may be done
   */
  async take(bytes: number, urgency: Urgency): Promise<boolean> {
    const floorBytes = this.perDayBytes * FLOORS[urgency]
    if (this.leftBytes - bytes < floorBytes) return false
    if (bytes > this.#reservedBytes) {
      const moreBytes = Math.max(bytes - this.#reservedBytes, this.perDayBytes / PIECES)
      this.#tokensBytes -= moreBytes
      this.#reservedBytes += moreBytes
      this.#reservedBytes -= bytes
      await this.#write()
    } else this.#reservedBytes -= bytes
    return true
  }

  /** When so much may be taken, in Unix ms. */
  readyMs(bytes: number): number {
    const lackingBytes = Math.max(0, bytes - this.leftBytes)
    return this.#clock.nowMs() + (lackingBytes / this.perDayBytes) * DAY_MS
  }

  /** Gives back what was reserved and not used. */
  async close(): Promise<void> {
    if (this.#reservedBytes === 0) return
    this.#tokensBytes += this.#reservedBytes
    this.#reservedBytes = 0
    await this.#write()
  }

  #refill(): void {
    const nowMs = this.#clock.nowMs()
    // A calendar that jumps ahead fills the bucket, which holds no more than a day; one set back stops it for so long.
    const elapsedMs = Math.max(0, nowMs - this.#atMs)
    this.#atMs = Math.max(this.#atMs, nowMs)
    const filledBytes = this.#tokensBytes + (elapsedMs / DAY_MS) * this.perDayBytes
    this.#tokensBytes = Math.min(this.perDayBytes - this.#reservedBytes, filledBytes)
  }

  async #write(): Promise<void> {
    const state = { tokensBytes: Math.round(this.#tokensBytes), atMs: this.#atMs }
    // One after another, so that the last state is the one that stays.
    const before = this.#saving
    const saving = (async (): Promise<void> => {
      await before.catch(() => undefined)
      await this.#save(state)
    })()
    this.#saving = saving
    await saving
  }
}

/** `critical`: one more loss may lose data. `repair`: below the threshold. `spare`: could be better. */
export type Urgency = 'critical' | 'repair' | 'spare'

/** What must be left after it, in days' worth. */
const FLOORS: Readonly<Record<Urgency, number>> = { critical: -1, repair: 0, spare: 0.5 }
const DAY_MS = 24 * 3_600_000
/** A killed program forgoes so much of a day at most. */
const PIECES = 64
