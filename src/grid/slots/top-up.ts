import type { Clock } from '../../foundation/clock.ts'
import { mapConcurrently } from '../../foundation/concurrency.ts'
import { HayloftError, systemCodeOf } from '../../foundation/error.ts'
import { randomBelow, type Randomness } from '../../foundation/randomness.ts'
import { slotKeyHex, type SlotKey, type SlotKeyHex } from '../../protocol/slot-key.ts'
import type { SlotMemory } from './memory.ts'

/**
 * Slots whose newest state is on too few nodes, or on too few of the slot's own, remembered beyond the end of the
 * program, and tried again and again until it is on enough: at once after the start, then at growing intervals.
 */
export class TopUpQueue implements Disposable {
  /** Resolves when what was owed before the start is known. */
  readonly loaded: Promise<void>
  readonly #memory: SlotMemory
  readonly #clock: Clock
  readonly #randomness: Randomness
  readonly #work: (slot: SlotKey) => Promise<boolean>
  readonly #owed = new Map<SlotKeyHex, SlotKey>()
  #intervalMs = FIRST_INTERVAL_MS
  #isRunning = false
  #isClosed = false
  #cancelTimer: (() => void) | undefined

  /** @param options.work brings a slot to enough nodes; resolves with whether it is there */
  constructor(options: {
    memory: SlotMemory
    clock: Clock
    randomness: Randomness
    work: (slot: SlotKey) => Promise<boolean>
  }) {
    this.#memory = options.memory
    this.#clock = options.clock
    this.#randomness = options.randomness
    this.#work = options.work
    this.loaded = this.#load()
    // Whoever awaits it gets the failure.
    this.loaded.catch(() => undefined)
  }

  /** Resolves when it would survive a power cut. */
  async add(slot: SlotKey): Promise<void> {
    this.#owed.set(slotKeyHex(slot), slot)
    await this.#memory.setOwed(slot, true)
    this.#intervalMs = FIRST_INTERVAL_MS
    this.#schedule()
  }

  /** The slot's newest state is where it should be. */
  async remove(slot: SlotKey): Promise<void> {
    if (!this.#owed.delete(slotKeyHex(slot))) return
    await this.#memory.setOwed(slot, false)
  }

  /**
   * Tries all that is owed now, also what a program owed that has ended since this one began.
   * @returns how many are still owed
   */
  async runNow(): Promise<number> {
    await this.loaded
    for (const slot of await this.#memory.owed()) this.#owed.set(slotKeyHex(slot), slot)
    if (!this.#isRunning && this.#owed.size > 0) {
      this.#isRunning = true
      try {
        await this.#round()
      } finally {
        this.#isRunning = false
      }
    }
    this.#schedule()
    return this.#owed.size
  }

  [Symbol.dispose](): void {
    this.#isClosed = true
    this.#cancelTimer?.()
  }

  async #load(): Promise<void> {
    for (const slot of await this.#memory.owed()) this.#owed.set(slotKeyHex(slot), slot)
    // A command may be over in less than an interval.
    this.#schedule({ atOnce: true })
  }

  #schedule({ atOnce = false } = {}): void {
    if (this.#isClosed || this.#isRunning || this.#owed.size === 0) return
    this.#cancelTimer?.()
    // Not all devices of a household at the moment in which its router is back.
    const laterMs = this.#intervalMs / 2 + randomBelow(this.#randomness, this.#intervalMs)
    const waitMs = atOnce ? 0 : laterMs
    this.#cancelTimer = this.#clock.after(waitMs, () => {
      this.#isRunning = true
      this.#intervalMs = Math.min(2 * this.#intervalMs, LONGEST_INTERVAL_MS)
      void this.#round().finally(() => {
        this.#isRunning = false
        this.#schedule()
      })
    })
  }

  async #round(): Promise<void> {
    await mapConcurrently([...this.#owed], SLOTS_AT_ONCE, async ([, slot]) => {
      try {
        if (this.#isClosed || !(await this.#work(slot))) return
        await this.remove(slot)
      } catch (error) {
        // The world may be better next time; the memory's disk is part of it.
        const isWorlds = error instanceof HayloftError || systemCodeOf(error) !== undefined
        if (!isWorlds && !this.#isClosed) throw error
      }
    })
  }
}

const FIRST_INTERVAL_MS = 2_000
const LONGEST_INTERVAL_MS = 10 * 60_000
/** As many as fit one message. */
const SLOTS_AT_ONCE = 64
