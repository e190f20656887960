import { describe, expect, it } from 'vitest'
import { playFolders } from '../../simulations/folders/scenario.ts'

/**
 * Where batches begin: few seeds and some of everything; conflicts, which are rare, in the last. What changes the
 * course of the seeds may call for others. `npm run simulate -- --folders` plays more.
 */
const FIRST_SEEDS = [1, 5, 9, 13, 17, 21, 25, 190, 194]
const BATCH = 4
const SEEDS = FIRST_SEEDS.length * BATCH
/** Every so many seeds are played twice. */
const REPLAYED = 9

describe('devices that change one folder in bad weather', () => {
  const outcomes = new Map<string, number>()

  it.each(FIRST_SEEDS)('lose nothing that was promised, from seed %i on', async (first) => {
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
    const expected = [
      'change crashed',
      'change path-not-found',
      'change too-few-nodes',
      'change told',
      'link ok',
      'link followed',
      'promote ok',
      'restore ok',
      'look back ok',
      'history ok',
      'snapshot ok',
    ]
    for (const name of expected) expect(outcomes.get(name), name).toBeGreaterThan(0)
    expect(outcomes.get('rollback told')).toBeGreaterThan(SEEDS / 4)
    expect(outcomes.get('conflict seen')).toBeGreaterThan(0)
  })
})
