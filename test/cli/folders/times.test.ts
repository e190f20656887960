import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatTime, timeArgument } from '../../../src/cli/folders/times.ts'

const NOW_MS = Date.UTC(2026, 10, 23, 13, 45, 10)

const timeOf = (text: string): number | string => {
  const time = timeArgument(text, NOW_MS)
  return time.kind === 'time' ? time.timeMs : `index ${time.index}`
}

describe('a time', () => {
  it.each([
    ['now', 0],
    ['2h ago', 2 * 3_600_000],
    ['2h', 2 * 3_600_000],
    ['90 seconds ago', 90_000],
    ['1.5 hours', 5_400_000],
    ['30min', 1_800_000],
    ['5m', 300_000],
    ['yesterday', 86_400_000],
    ['3 days ago', 3 * 86_400_000],
    ['2 Weeks ago', 14 * 86_400_000],
  ])('may be told from now: %s', (text, agoMs) => {
    expect(timeOf(text)).toBe(NOW_MS - agoMs)
  })

  it('may be a moment of any zone, by default that of this computer', () => {
    expect(timeOf('2026-11-23T13:45:10Z')).toBe(NOW_MS)
    expect(timeOf('2026-11-23 14:45:10.5+01:00')).toBe(NOW_MS + 500)
    expect(timeOf('2026-11-23')).toBe(new Date(2026, 10, 23).getTime())
    expect(timeOf('2026-11-23 13:45')).toBe(new Date(2026, 10, 23, 13, 45).getTime())
    expect(timeOf('2024-02-29')).toBe(new Date(2024, 1, 29).getTime())
  })

  it('may be a number of the history', () => {
    expect(timeOf('0')).toBe('index 0')
    expect(timeOf(' 17 ')).toBe('index 17')
  })

  it.each(['', 'soon', '2026-02-30', '2026-13-01', '25h:00', '12:30', '-1', '1 fortnight'])(
    'is refused where it is none: %j',
    (text) => {
      expect(() => timeOf(text)).toThrow(expect.objectContaining({ code: 'usage' }) as Error)
    },
  )

  it('that is shown is understood again', () => {
    const seconds = fc.integer({ min: 0, max: 4_000_000_000 })
    fc.assert(
      fc.property(seconds, (s) => {
        const shown = formatTime(s * 1000, { seconds: true })
        // Where clocks are put back, one time of the clock stands for two.
        expect(formatTime(timeOf(shown) as number, { seconds: true })).toBe(shown)
      }),
    )
  })
})
