/**
 * Which commits of a folder to keep the trees of: all of the last 24 hours, the last of each hour for 7 days, of each
 * day for 30 days, of each month for a year, and the newest in any case. Hours, days and months are those of UTC, so
 * that what is dropped today is never missed by a coarser rule tomorrow: thinning often leaves what thinning once does.
 *
 * @param timesMs of the commits, ms since 1970, in any order
 * @returns those to keep, the last first, each once
 */
export function keptCommits(timesMs: readonly number[], nowMs: number): number[] {
  const rule = new RetentionRule(nowMs)
  const newestFirst = [...new Set(timesMs)].sort((a, b) => b - a)
  return newestFirst.filter((timeMs) => rule.keeps(timeMs))
}

/** The same for who meets commits one after the other. */
export class RetentionRule {
  readonly #nowMs: number
  /** What was asked about last, and the next later one. */
  #timeMs: number | undefined
  #laterMs: number | undefined

  constructor(nowMs: number) {
    this.#nowMs = nowMs
  }

  /** @param timeMs no later than those asked about before */
  keeps(timeMs: number): boolean {
    if (timeMs !== this.#timeMs) this.#laterMs = this.#timeMs
    this.#timeMs = timeMs
    if (this.#laterMs === undefined) return true
    const ageMs = this.#nowMs - timeMs
    if (ageMs >= MONTHLY_FOR_MS) return false
    // The last of all in its period, not only of those as old: else a bound that cuts through a period would call for
    // a commit that the finer rule has dropped.
    return periodOf(timeMs, ageMs) !== periodOf(this.#laterMs, ageMs)
  }
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const ALL_FOR_MS = DAY_MS
const HOURLY_FOR_MS = 7 * DAY_MS
const DAILY_FOR_MS = 30 * DAY_MS
const MONTHLY_FOR_MS = 365 * DAY_MS

/** Which of the periods a time lies in of which, at an age, the last commit is kept. */
function periodOf(timeMs: number, ageMs: number): number {
  if (ageMs < ALL_FOR_MS) return timeMs
  if (ageMs < HOURLY_FOR_MS) return Math.floor(timeMs / HOUR_MS)
  if (ageMs < DAILY_FOR_MS) return Math.floor(timeMs / DAY_MS)
  const date = new Date(timeMs)
  return date.getUTCFullYear() * 12 + date.getUTCMonth()
}
