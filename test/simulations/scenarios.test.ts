import { describe, expect, it } from 'vitest'
import { playScenario } from '../../simulations/scenario.ts'

/** Enough for some of everything, and little enough for every commit; `npm run simulate` plays more. */
const SEEDS = 240
/** Every so many seeds are played twice. */
const REPLAYED = 12
const BATCH = 20

describe('the grid in bad weather', () => {
  const batches = Array.from({ length: SEEDS / BATCH }, (_, at) => at * BATCH + 1)
  const outcomes = new Map<string, number>()

  it.each(batches)('keeps its promises from seed %i on', async (first) => {
    for (let seed = first; seed < first + BATCH; seed++) {
      const result = await playScenario(seed)
      const replay = `npm run simulate -- --seed ${seed} --verbose`
      expect(result.violations, replay).toEqual([])
      for (const [name, count] of result.outcomes) {
        outcomes.set(name, (outcomes.get(name) ?? 0) + count)
      }
      if (seed % REPLAYED !== 0) continue
      expect((await playScenario(seed)).digest, replay).toBe(result.digest)
    }
  })

  it('does all that it is meant to, and not only fail at it', () => {
    for (const operation of ['put', 'get', 'check', 'repair']) {
      expect(outcomes.get(`${operation} ok`), operation).toBeGreaterThan(SEEDS / 10)
      expect(outcomes.get(`${operation} aborted`), operation).toBeGreaterThan(0)
    }
    expect(outcomes.get('put too-few-nodes')).toBeGreaterThan(0)
    expect(outcomes.get('get not-enough-shares')).toBeGreaterThan(0)
  })
})
