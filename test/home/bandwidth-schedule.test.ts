import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  limitsAt,
  parseWeekTime,
  weekTimeText,
  withoutTime,
  withTime,
  type TimedLimits,
  type WeekTime,
} from '../../src/home/bandwidth-schedule.ts'

const day = fc.integer({ min: 0, max: 6 })
const weekTime: fc.Arbitrary<WeekTime> = fc
  .record({
    days: fc.uniqueArray(day, { minLength: 1 }).map((days) => days.toSorted((a, b) => a - b)),
    fromMinute: fc.integer({ min: 0, max: 1439 }),
    toMinute: fc.integer({ min: 1, max: 1440 }),
  })
  .filter(({ fromMinute, toMinute }) => fromMinute !== toMinute)
const rate = fc.option(fc.integer({ min: 10_000, max: 1e9 }), { nil: undefined })
const timed: fc.Arbitrary<TimedLimits> = fc
  .tuple(weekTime, fc.record({ uploadBytesPerS: rate, downloadBytesPerS: rate }))
  .map(([time, limits]) => Object.assign(limits, time))
/** A minute of the week that begins on Sunday, 4 January 2026, by the clock on the wall. */
const at = (weekMinute: number): Date => new Date(2026, 0, 4, 0, weekMinute)

/** Every minute of the week that a time is in, counted one by one. */
function minutesOf({ days, fromMinute, toMinute }: WeekTime): Set<number> {
  const minutes = new Set<number>()
  const length = (toMinute > fromMinute ? 0 : 1440) + toMinute - fromMinute
  for (const each of days) {
    for (let past = 0; past < length; past++) {
      minutes.add((each * 1440 + fromMinute + past) % (7 * 1440))
    }
  }
  return minutes
}

describe('a time of the week', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(weekTime, (time) => {
        expect(parseWeekTime(weekTimeText(time))).toEqual(time)
      }),
    )
  })

  it.each([
    ['mon-fri 08:00-18:00', 'mon-fri 08:00-18:00'],
    ['FRI-MON 8:00 - 9:30', 'mon,fri-sun 08:00-09:30'],
    ['sat,sun 22:00-06:00', 'sat,sun 22:00-06:00'],
    ['22:00-0:00', 'daily 22:00-24:00'],
    ['daily 00:00-24:00', 'daily 00:00-24:00'],
    ['wed-wed 12:00-13:00', 'wed 12:00-13:00'],
  ])('%s is %s', (text, expected) => {
    const time = parseWeekTime(text)
    expect(time === undefined ? undefined : weekTimeText(time)).toBe(expected)
  })

  it.each([
    '',
    'mon',
    'mon-fri',
    '8-18',
    '08:00',
    '08:00-08:00',
    '24:00-06:00',
    '08:60-09:00',
    '08:00-24:01',
    'someday 08:00-18:00',
    'mon-tue-wed 08:00-18:00',
    'mon, 08:00-18:00',
    `${'mon,'.repeat(20)}mon 08:00-18:00`,
  ])('"%s" is none', (text) => {
    expect(parseWeekTime(text)).toBeUndefined()
  })
})

describe('limits at a time', () => {
  it('are the lowest of the times it is in, and the usual ones in none', () => {
    const usual = { uploadBytesPerS: 1, downloadBytesPerS: 2 }
    const minute = fc.integer({ min: 0, max: 7 * 1440 - 1 })
    fc.assert(
      fc.property(fc.array(timed, { maxLength: 4 }), minute, (times, weekMinute) => {
        const current = times.filter((time) => minutesOf(time).has(weekMinute))
        const lowest = (rates: (number | undefined)[]): number | undefined => {
          const least = Math.min(...rates.map((each) => each ?? Infinity))
          return least === Infinity ? undefined : least
        }
        expect(limitsAt({ usual, times }, at(weekMinute))).toEqual(
          current.length === 0
            ? usual
            : {
                uploadBytesPerS: lowest(current.map((each) => each.uploadBytesPerS)),
                downloadBytesPerS: lowest(current.map((each) => each.downloadBytesPerS)),
              },
        )
      }),
    )
  })

  it('are set anew for a time that has some, and taken away', () => {
    fc.assert(
      fc.property(
        fc.array(timed, { maxLength: 3 }),
        timed,
        rate,
        (times, time, uploadBytesPerS) => {
          const before = { usual: {}, times: withoutTime({ usual: {}, times }, time).times }
          const once = withTime(before, time)
          const twice = withTime(once, { ...time, uploadBytesPerS })
          expect(twice.times).toEqual([...before.times, { ...time, uploadBytesPerS }])
          expect(withoutTime(twice, time)).toEqual(before)
        },
      ),
    )
  })
})
