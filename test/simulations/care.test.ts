import { expect, it } from 'vitest'
import { playCare } from '../../simulations/care/scenario.ts'

/** A few for every commit: each is two months of a grid. `npm run simulate -- --care` plays more. */
const SEEDS = [1, 2]

it('two months of maintenance keep every promise, and replay from their seed', async () => {
  const outcomes = new Map<string, number>()
  for (const seed of SEEDS) {
    const result = await playCare(seed)
    const replay = `npm run simulate -- --care --seed ${seed} --verbose`
    expect(result.violations, replay).toEqual([])
    for (const [name, count] of result.outcomes)
      outcomes.set(name, (outcomes.get(name) ?? 0) + count)
    if (seed === SEEDS[0]) expect((await playCare(seed)).digest, replay).toBe(result.digest)
  }
  for (const what of ['nap', 'share placed', 'drilled', 'carer killed']) {
    expect(outcomes.get(what), what).toBeGreaterThan(0)
  }
})
