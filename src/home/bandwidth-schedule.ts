/** What a home sends and takes at most, in bytes a second; undefined for no limit. */
export interface RateLimits {
  readonly uploadBytesPerS?: number | undefined
  readonly downloadBytesPerS?: number | undefined
}

/** A part of the week, by the clock on the wall: from `fromMinute` of each of its days, up to `toMinute`. */
export interface WeekTime {
  /** 0 is Sunday; in ascending order, each once. */
  readonly days: readonly number[]
  /** Minutes since midnight, 0 to 1439. */
  readonly fromMinute: number
  /** Minutes since midnight, 1 to 1440; where it is not later than `fromMinute`, it is on the day after. */
  readonly toMinute: number
}

export interface TimedLimits extends WeekTime, RateLimits {}

export interface BandwidthSchedule {
  /** What holds at all other times. */
  readonly usual: RateLimits
  readonly times: readonly TimedLimits[]
}

export const NO_LIMITS: BandwidthSchedule = { usual: {}, times: [] }

/** More nobody can keep in mind. */
export const MAX_TIMES = 50

/**
 * What holds at a moment of the week: the limits of the times that it is in, instead of the usual ones; where several
 * overlap, the lower limit of each direction.
 *
 * @param at - by the clock on the wall
 */
export function limitsAt({ usual, times }: BandwidthSchedule, at: Date): RateLimits {
  const current = times.filter((time) => isWithin(time, at))
  if (current.length === 0) return usual
  return {
    uploadBytesPerS: lowest(current.map(({ uploadBytesPerS }) => uploadBytesPerS)),
    downloadBytesPerS: lowest(current.map(({ downloadBytesPerS }) => downloadBytesPerS)),
  }
}

function isWithin({ days, fromMinute, toMinute }: WeekTime, at: Date): boolean {
  const minute = at.getHours() * 60 + at.getMinutes()
  const today = at.getDay()
  if (toMinute > fromMinute)
    return days.includes(today) && minute >= fromMinute && minute < toMinute
  const yesterday = (today + 6) % 7
  return (
    (days.includes(today) && minute >= fromMinute) ||
    (days.includes(yesterday) && minute < toMinute)
  )
}

function lowest(limits: readonly (number | undefined)[]): number | undefined {
  const set = limits.filter((limit) => limit !== undefined)
  return set.length === 0 ? undefined : Math.min(...set)
}

/** A schedule with the limits of one time set anew, or added. */
export function withTime(
  { usual, times }: BandwidthSchedule,
  time: TimedLimits,
): BandwidthSchedule {
  return { usual, times: [...withoutTime({ usual, times }, time).times, time] }
}

export function withoutTime(
  { usual, times }: BandwidthSchedule,
  time: WeekTime,
): BandwidthSchedule {
  const name = weekTimeText(time)
  return { usual, times: times.filter((each) => weekTimeText(each) !== name) }
}

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6]
/** Monday first, as people read a week. */
const READING_ORDER = [1, 2, 3, 4, 5, 6, 0]

/**
 * A time of the week as people write it: `mon-fri 08:00-18:00`, `sat,sun 22:00-06:00` (to the next morning), or
 * `00:00-24:00`, which is every day.
 *
 * @returns undefined if it is none
 */
export function parseWeekTime(text: string): WeekTime | undefined {
  const match = /^(?:([a-z,-]{3,40})\s+)?(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})$/i.exec(
    text.trim(),
  )
  if (match === null) return undefined
  const [, dayText, fromHour, fromMinutes, toHour, toMinutes] = match
  const days = dayText === undefined ? EVERY_DAY : parseDays(dayText.toLowerCase())
  const fromMinute = minuteOf(fromHour, fromMinutes)
  const end = minuteOf(toHour, toMinutes)
  if (days === undefined || fromMinute === undefined || end === undefined) return undefined
  const toMinute = end === 0 ? 1440 : end
  if (fromMinute === 1440 || fromMinute === toMinute) return undefined
  return { days, fromMinute, toMinute }
}

function minuteOf(hourText = '', minuteText = ''): number | undefined {
  const [hour, minute] = [Number(hourText), Number(minuteText)]
  return minute < 60 && hour * 60 + minute <= 1440 ? hour * 60 + minute : undefined
}

function parseDays(text: string): readonly number[] | undefined {
  if (text === 'daily') return EVERY_DAY
  const days = new Set<number>()
  for (const part of text.split(',')) {
    const [first, last = first, ...rest] = part
      .split('-')
      .map((name) => DAYS.findIndex((day) => day === name))
    if (first === undefined || last === undefined || first < 0 || last < 0 || rest.length > 0)
      return undefined
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day)
      if (day === last) break
    }
  }
  return EVERY_DAY.filter((day) => days.has(day))
}

/** The one way in which a time is written back; {@link parseWeekTime} reads it. */
export function weekTimeText({ days, fromMinute, toMinute }: WeekTime): string {
  return `${daysText(days)} ${clockText(fromMinute)}-${clockText(toMinute)}`
}

function daysText(days: readonly number[]): string {
  if (days.length === EVERY_DAY.length) return 'daily'
  const runs: number[][] = []
  for (const day of READING_ORDER.filter((each) => days.includes(each))) {
    const run = runs.at(-1)
    if (run !== undefined && run.at(-1) === (day + 6) % 7) run.push(day)
    else runs.push([day])
  }
  const name = (day: number | undefined): string => DAYS[day ?? 0] ?? ''
  return runs
    .map((run) =>
      run.length > 2 ? `${name(run[0])}-${name(run.at(-1))}` : run.map(name).join(','),
    )
    .join(',')
}

function clockText(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
}
