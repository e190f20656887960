/**
 * Which commits of a folder to keep the trees of: all of the last 24 hours, the last of each hour for 7 days, of each
 * day for 30 days, of each month for a year, and the newest in any case. Hours, days and months are those of UTC, so
 * that what is dropped today is never missed by a coarser rule tomorrow: thinning often leaves what thinning once does.
 *
 * @param timesMs of the commits, ms since 1970, in any order
 * @returns those to keep, the last first, each once
 */
export function keptCommits(timesMs: readonly number[], nowMs: number): number[] {
  const newestFirst = [...new Set(timesMs)].sort((a, b) => b - a)
  const periods = new Set<string>()
  return newestFirst.filter((timeMs, at) => {
    const period = periodOf(timeMs, nowMs - timeMs)
    if (period === undefined) return at === 0
    const isLast = !periods.has(period)
    periods.add(period)
    return isLast || at === 0
  })
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const ALL_FOR_MS = DAY_MS
const HOURLY_FOR_MS = 7 * DAY_MS
const DAILY_FOR_MS = 30 * DAY_MS
const MONTHLY_FOR_MS = 365 * DAY_MS

/** Of commits with one period the last is kept; undefined: too old for any. */
function periodOf(timeMs: number, ageMs: number): string | undefined {
  if (ageMs < ALL_FOR_MS) return `commit ${timeMs}`
  if (ageMs < HOURLY_FOR_MS) return `hour ${Math.floor(timeMs / HOUR_MS)}`
  if (ageMs < DAILY_FOR_MS) return `day ${Math.floor(timeMs / DAY_MS)}`
  if (ageMs >= MONTHLY_FOR_MS) return undefined
  const date = new Date(timeMs)
  return `month ${date.getUTCFullYear()}-${date.getUTCMonth()}`
}
