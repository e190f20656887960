import { describe, expect, it } from 'vitest'
import { playEngine } from '../../../simulations/sync/engine/scenario.ts'

/** Each of these failed once, for a reason of its own. */
const KEPT_SEEDS = [
  83, 104, 148, 155, 173, 243, 246, 306, 353, 446, 688, 28, 411, 24, 420, 425, 4977, 15531, 6370,
  3083, 23198, 9071,
]

describe('the whole engine over simulated disks', () => {
  it.each(KEPT_SEEDS)('keeps what it promises with seed %i', async (seed) => {
    const { violations } = await playEngine(seed)
    expect(violations, `npm run simulate-sync -- --engine --seed ${seed}`).toEqual([])
  })

  it('plays a seed the same way each time', async () => {
    const [first, second] = [await playEngine(7), await playEngine(7)]
    expect(second.digest).toBe(first.digest)
    expect((await playEngine(8)).digest).not.toBe(first.digest)
  })
})
