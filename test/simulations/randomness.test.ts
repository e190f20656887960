import { describe, expect, it } from 'vitest'
import { toHex } from '../../src/foundation/bytes.ts'
import { SeededRandomness } from '../../simulations/randomness.ts'

describe('seeded randomness', () => {
  it('gives one seed one stream, other seeds and forks others', () => {
    const start = (source: SeededRandomness): string => toHex(source.bytes(16))
    const streams = [1, 2, '1/a'].map((seed) => start(new SeededRandomness(seed)))
    expect(new Set(streams).size).toBe(3)
    expect(start(new SeededRandomness(1))).toBe(streams[0])
    const drawnFrom = new SeededRandomness(1)
    drawnFrom.bytes(999)
    expect(start(drawnFrom.fork('a'))).toBe(streams[2])
  })

  it('is level enough for choosing', () => {
    const source = new SeededRandomness('level')
    const counts = Array.from({ length: 10 }, () => 0)
    for (let draw = 0; draw < 10_000; draw++) counts[source.below(10)]!++
    // 99.99 % of chi-squared with nine degrees of freedom.
    const chiSquared = counts.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0)
    expect(chiSquared).toBeLessThan(33.7)
  })

  it('samples without repetition', () => {
    const source = new SeededRandomness('sample')
    const items = [1, 2, 3, 4, 5]
    expect(source.sample(items).toSorted((a, b) => a - b)).toEqual(items)
    expect(new Set(source.sample(items, 3)).size).toBe(3)
    expect(source.sample(items, 9)).toHaveLength(5)
  })
})
