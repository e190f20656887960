import { sleep, type Clock } from './clock.ts'

/** So long may something keep all else in the process from its turn. */
const STRETCH_MS = 20

/** Lets others have their turn in the middle of much work that is done without waiting for anything. */
export class Turns {
  readonly #clock: Clock
  #sinceMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#sinceMs = clock.monotonicMs()
  }

  /** Waits if it is their turn. To be called between any two pieces of the work. */
  async give(signal?: AbortSignal): Promise<void> {
    if (this.#clock.monotonicMs() - this.#sinceMs < STRETCH_MS) return
    await sleep(this.#clock, 0, signal)
    this.#sinceMs = this.#clock.monotonicMs()
  }
}
