import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { drawLine, formatDuration } from '../../src/cli/progress.ts'

const MIB = 2 ** 20
const state = { label: 'Putting a.bin', bytes: 50 * MIB, totalBytes: 200 * MIB, elapsedMs: 2000 }

describe('a line of progress', () => {
  it('tells how much, how fast and how long still', () => {
    const line = drawLine({ ...state, columns: 100 })
    expect(line).toContain('Putting a.bin')
    expect(line).toContain('25 %')
    expect(line).toContain('25.0 MiB/s')
    expect(line).toContain('0:06 left')
  })

  it('knows neither share nor end of what has no size', () => {
    const line = drawLine({ ...state, totalBytes: 0, columns: 100 })
    expect(line).toContain('50.0 MiB')
    expect(line).not.toContain('%')
    expect(line).not.toContain('left')
  })

  it('is never wider than the terminal', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme-ascii', maxLength: 300 }),
        fc.nat({ max: 2 ** 45 }),
        fc.nat({ max: 2 ** 45 }),
        fc.nat({ max: 10 ** 9 }),
        fc.integer({ min: 10, max: 300 }),
        (label, bytes, totalBytes, elapsedMs, columns) => {
          const line = drawLine({ label, bytes, totalBytes, elapsedMs, columns })
          expect(Array.from(line).length).toBeLessThan(columns)
        },
      ),
    )
  })
})

describe('a duration', () => {
  it.each([
    [0, '0:00'],
    [999, '0:01'],
    [75_000, '1:15'],
    [3_600_000, '1:00:00'],
    [36_061_000, '10:01:01'],
  ])('of %d ms is %s', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text)
  })
})
