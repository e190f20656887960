import { allocateBytes, viewOf } from '../foundation/bytes.ts'
import type { Clock } from '../foundation/clock.ts'
import type { KeyValueStore } from './disk.ts'
import { LEASE_CLOCK_KEY, UnreadableIndexError } from './rows.ts'

const DAY_MS = 24 * 3600_000
/** The longest that the calendar is believed at once to have gone on without this node. */
const MAX_ABSENCE_MS = DAY_MS
/** After so long in step with time, a calendar that was put back is believed again. */
const TRUST_AFTER_MS = 7 * DAY_MS
/** What a calendar may be put right by, from one look to the next, and still be in step. */
const MAX_DRIFT_MS = 60_000

/**
 * The time that leases are counted in. A machine's calendar can be wrong by decades, for a moment or for good: an empty
 * battery makes it 1970 or 2038. No number of looks at a wrong calendar tells that it is wrong, and a node that took it
 * at its word would find every lease expired and delete all that it keeps. So here time counts only as far as it was
 * witnessed:
 *
 * - While the node runs, this clock goes on by measured time, whatever the calendar says.
 * - What the calendar has gone on beyond that (the computer slept, the node was off, or somebody set the clock) counts
 *   up to a day at once, far less than the grace of a lease. So a node that is on for some of each day loses nothing; of
 *   a month's absence 29 days do not count, and all leases last 29 days longer, which wastes some space and no data.
 * - The calendar gets this credit only for going further than it ever was, so one that jumps to and fro gets it once.
 *   When it has been in step with measured time for a week, what it was before is forgotten.
 *
 * It started as the calendar's time when the node first ran, and from then on only ever lags: it is good for leases,
 * whose length is relative, and for nothing else. One that begins in a wrong year is as good.
 */
export class LeaseClock {
  readonly #clock: Clock
  readonly #rows: Pick<KeyValueStore, 'write'>
  /** This clock when the measured one said `#measuredMs`. */
  #timeMs: number
  #measuredMs: number
  /** The farthest that the calendar has been, carried along with measured time. */
  #farthestMs: number
  /** For how long the calendar has been in step, and by how much it then differs from the measured clock. */
  #inStepMs = 0
  #differenceMs: number

  private constructor(clock: Clock, rows: Pick<KeyValueStore, 'write'>, saved: SavedTime) {
    this.#clock = clock
    this.#rows = rows
    this.#timeMs = saved.timeMs
    this.#farthestMs = saved.farthestMs
    this.#measuredMs = clock.monotonicMs()
    this.#differenceMs = clock.nowMs() - this.#measuredMs
  }

  /** @throws UnreadableIndexError */
  static async open(rows: Pick<KeyValueStore, 'get' | 'write'>, clock: Clock): Promise<LeaseClock> {
    const row = await rows.get(LEASE_CLOCK_KEY)
    const nowMs = clock.nowMs()
    const saved = row === undefined ? { timeMs: nowMs, farthestMs: nowMs } : decodeTime(row)
    return new LeaseClock(clock, rows, saved)
  }

  nowMs(): number {
    return Math.floor(this.#timeMs + this.#clock.monotonicMs() - this.#measuredMs)
  }

  nowS(): number {
    return Math.ceil(this.nowMs() / 1000)
  }

  /**
   * Looks at the calendar.
   * @returns by how much it has gone on unbelievably, in milliseconds
   */
  observe(): number {
    const measuredMs = this.#clock.monotonicMs()
    const calendarMs = this.#clock.nowMs()
    const elapsedMs = measuredMs - this.#measuredMs
    this.#measuredMs = measuredMs
    this.#timeMs += elapsedMs
    this.#farthestMs += elapsedMs
    this.#keepStep(calendarMs - measuredMs, elapsedMs)
    const aheadMs = calendarMs - this.#farthestMs
    if (aheadMs > 0 || this.#inStepMs >= TRUST_AFTER_MS) this.#farthestMs = calendarMs
    if (aheadMs <= 0) return 0
    const creditMs = Math.min(aheadMs, MAX_ABSENCE_MS)
    this.#timeMs += creditMs
    return aheadMs - creditMs
  }

  /** Looks at the calendar and keeps the time for when the node starts again. @returns what {@link observe} does */
  async save(): Promise<number> {
    const unbelievedMs = this.observe()
    const value = encodeTime({ timeMs: this.#timeMs, farthestMs: this.#farthestMs })
    await this.#rows.write([{ key: LEASE_CLOCK_KEY, value }])
    return unbelievedMs
  }

  #keepStep(differenceMs: number, elapsedMs: number): void {
    const inStep = Math.abs(differenceMs - this.#differenceMs) <= MAX_DRIFT_MS
    this.#inStepMs = inStep ? this.#inStepMs + elapsedMs : 0
    this.#differenceMs = differenceMs
  }
}

interface SavedTime {
  readonly timeMs: number
  readonly farthestMs: number
}

function encodeTime({ timeMs, farthestMs }: SavedTime): Uint8Array {
  const bytes = allocateBytes(16)
  viewOf(bytes).setFloat64(0, timeMs)
  viewOf(bytes).setFloat64(8, farthestMs)
  return bytes
}

function decodeTime(bytes: Uint8Array): SavedTime {
  if (bytes.length !== 16) throw new UnreadableIndexError()
  const saved = { timeMs: viewOf(bytes).getFloat64(0), farthestMs: viewOf(bytes).getFloat64(8) }
  if (!Number.isFinite(saved.timeMs) || !Number.isFinite(saved.farthestMs)) {
    throw new UnreadableIndexError()
  }
  return saved
}
