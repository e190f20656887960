import { expect, it } from 'vitest'
import { playCare } from '../../simulations/care/scenario.ts'

/** A few for every commit: each is two months of a grid. `npm run simulate -- --care` plays more. */
const SEEDS = [1, 2]

const digests = new Map<number, string>()
const outcomes = new Map<string, number>()

it.each(SEEDS)('two months of maintenance keep every promise: seed %i', async (seed) => {
  const result = await playCare(seed)
  expect(result.violations, `npm run simulate -- --care --seed ${seed} --verbose`).toEqual([])
  digests.set(seed, result.digest)
  for (const [name, count] of result.outcomes) {
    outcomes.set(name, (outcomes.get(name) ?? 0) + count)
  }
})

it('they replay from their seed, and much happens in them', async () => {
  const [first] = SEEDS
  expect((await playCare(first ?? 0)).digest).toBe(digests.get(first ?? 0))
  for (const what of ['nap', 'share placed', 'drilled', 'carer killed']) {
    expect(outcomes.get(what), what).toBeGreaterThan(0)
  }
})
