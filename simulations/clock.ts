import type { Clock } from '../src/foundation/clock.ts'
import { assert } from '../src/foundation/error.ts'

/**
 * Virtual time. It stands still while anything can run and then jumps to the next timer, so that a run of hours takes
 * milliseconds and always in the same order. Everything under it must wait for promises and this clock's timers
 * alone: real input and output would race with the jumps.
 */
export class SimulatedClock implements Clock {
  readonly #timers = new TimerHeap()
  readonly #startMs: number
  #elapsedMs = 0
  #sequence = 0

  /** @param startMs what the calendar says when the run begins */
  constructor(startMs = DEFAULT_START_MS) {
    this.#startMs = startMs
  }

  nowMs(): number {
    return this.#startMs + Math.floor(this.#elapsedMs)
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  after(delayMs: number, action: () => void): () => void {
    assert(delayMs >= 0, 'time does not run backwards')
    const timer = { atMs: this.#elapsedMs + delayMs, sequence: this.#sequence++, action }
    if (delayMs !== Infinity) this.#timers.push(timer)
    return () => {
      timer.action = nothing
    }
  }

  /**
   * Does `work` and lets time pass until it has settled. Runs may overlap; they share the time.
   * @param options.mayIdle the work waits for the caller too, so that having nothing to do is no fault
   * @throws StuckError if nothing is left to happen and the work is not done, or `limitMs` of virtual time are over
   */
  async run<T>(
    work: () => Promise<T>,
    { limitMs = DEFAULT_LIMIT_MS, mayIdle = false } = {},
  ): Promise<T> {
    const endMs = this.#elapsedMs + limitMs
    let settled = false
    const outcome = work().finally(() => {
      settled = true
    })
    // The rejection is the caller's, who awaits `outcome` below; this one keeps node from calling it unhandled.
    outcome.catch(nothing)
    let idleTurns = 0
    for (;;) {
      await turnOfTheLoop()
      if (settled) return outcome
      if (this.#elapsedMs >= endMs) throw new StuckError(`not done after ${limitMs} ms`)
      idleTurns = this.#fireNext(endMs) ? 0 : idleTurns + 1
      if (idleTurns > MAX_IDLE_TURNS && !mayIdle)
        throw new StuckError('everything waits and no timer is left')
    }
  }

  /** Lets `durationMs` pass. */
  async advance(durationMs: number): Promise<void> {
    await this.run(
      async () =>
        new Promise<void>((resolve) => {
          this.after(durationMs, resolve)
        }),
      { limitMs: durationMs + 1 },
    )
  }

  /** The same time as told by a machine whose calendar is wrong. */
  withOffset(offsetMs: number): Clock {
    return {
      nowMs: () => this.nowMs() + offsetMs,
      monotonicMs: () => this.monotonicMs(),
      after: (delayMs, action) => this.after(delayMs, action),
    }
  }

  /** Fires all timers of the earliest moment, or moves to `endMs` if that comes first. False if there is no timer. */
  #fireNext(endMs: number): boolean {
    const atMs = this.#timers.peek()?.atMs
    if (atMs === undefined) return false
    this.#elapsedMs = Math.min(atMs, endMs)
    const before = this.#sequence
    for (;;) {
      const next = this.#timers.peek()
      // Those set by these actions wait for a turn of their own, so that a moment without end cannot hang the machine.
      if (next === undefined || next.atMs > this.#elapsedMs || next.sequence >= before) return true
      this.#timers.pop()
      next.action()
    }
  }
}

/** A simulated run that does not end: some operation hangs. */
export class StuckError extends Error {
  override readonly name = 'StuckError'
}

/** 2026-01-01: any fixed day serves. */
const DEFAULT_START_MS = Date.UTC(2026, 0, 1)
/** Longer than any operation may take, with all of its timeouts one after another. */
const DEFAULT_LIMIT_MS = 3_600_000

/** Turns without a timer before a run counts as stuck: an overlapping run may have fired the last one just now. */
const MAX_IDLE_TURNS = 2

/**
 * Waits until all promises that can settle have settled: the one place in a simulation that touches the real event
 * loop. Node runs every microtask before the next immediate.
 */
async function turnOfTheLoop(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve)
  })
}

function nothing(): void {}

interface Timer {
  readonly atMs: number
  /** Order among timers of one moment. */
  readonly sequence: number
  action: () => void
}

/** A binary heap: thousands of timers wait at once, most of them to be cancelled. */
class TimerHeap {
  readonly #items: Timer[] = []

  /** The earliest timer that is not cancelled. */
  peek(): Timer | undefined {
    while (this.#items[0]?.action === nothing) this.pop()
    return this.#items[0]
  }

  push(timer: Timer): void {
    const items = this.#items
    let at = items.length
    items.push(timer)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (isBefore(items[parent]!, timer)) break
      items[at] = items[parent]!
      at = parent
    }
    items[at] = timer
  }

  pop(): Timer | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (last === undefined || items.length === 0) return first
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      if (left >= items.length) break
      const right = left + 1
      const child = right < items.length && isBefore(items[right]!, items[left]!) ? right : left
      if (isBefore(last, items[child]!)) break
      items[at] = items[child]!
      at = child
    }
    items[at] = last
    return first
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence)
}
