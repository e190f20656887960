import { playSeeds } from '../play-seeds.ts'
import { playEngine } from './engine/scenario.ts'
import { playSync } from './scenario.ts'

/** Plays devices that keep directories in step with one folder: the planner alone, or with `--engine` all there is. */
const at = process.argv.indexOf('--engine')
if (at === -1) await playSeeds('simulate-sync', playSync)
else {
  process.argv.splice(at, 1)
  await playSeeds('simulate-sync', playTwice, '--engine ')
}

/** Of two runs of one seed, one must be like the other. To save time every tenth is played again. */
async function playTwice(seed: number): ReturnType<typeof playEngine> {
  const result = await playEngine(seed)
  if (seed % 10 !== 0 || (await playEngine(seed)).digest === result.digest) return result
  const violations = [...result.violations, 'played again, it went another way']
  return { ...result, violations }
}
