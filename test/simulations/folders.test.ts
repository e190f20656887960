import { describe, expect, it } from 'vitest'
import { playFolders } from '../../simulations/folders/scenario.ts'

/** Enough for some of everything; `npm run simulate -- --folders` plays more. */
const SEEDS = 36
/** Every so many seeds are played twice. */
const REPLAYED = 9
const BATCH = 9

describe('devices that change one folder in bad weather', () => {
  const batches = Array.from({ length: SEEDS / BATCH }, (_, at) => at * BATCH + 1)
  const outcomes = new Map<string, number>()

  it.each(batches)('lose nothing that was promised, from seed %i on', async (first) => {
    for (let seed = first; seed < first + BATCH; seed++) {
      const result = await playFolders(seed)
      const replay = `npm run simulate -- --folders --seed ${seed} --verbose`
      expect(result.violations, replay).toEqual([])
      for (const [name, count] of result.outcomes) {
        outcomes.set(name, (outcomes.get(name) ?? 0) + count)
      }
      if (seed % REPLAYED !== 0) continue
      expect((await playFolders(seed)).digest, replay).toBe(result.digest)
    }
  })

  it('do all that they are meant to, and not only fail at it', () => {
    for (const name of ['look ok', 'change ok', 'join ok', 'read all ok']) {
      expect(outcomes.get(name), name).toBeGreaterThanOrEqual(SEEDS)
    }
    const expected = ['change crashed', 'change path-not-found', 'change too-few-nodes']
    for (const name of expected) expect(outcomes.get(name), name).toBeGreaterThan(0)
    expect(outcomes.get('rollback told')).toBeGreaterThan(SEEDS / 4)
    expect(outcomes.get('conflict seen')).toBeGreaterThan(0)
  })
})
