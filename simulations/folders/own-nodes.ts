import { defaultCode, happinessThreshold } from '../../src/grid/placement/defaults.ts'
import { Ranking } from '../../src/grid/placement/rank.ts'
import type { GridView } from '../../src/grid/view.ts'
import type { NodeKey } from '../../src/protocol/node-key.ts'
import type { SlotKey } from '../../src/protocol/slot-key.ts'
import type { SeededRandomness } from '../randomness.ts'

/** The nodes where the copies of a slot belong, and where readers look first. */
export function ownNodesOf(
  view: GridView,
  slot: SlotKey,
): { someAway: (randomness: SeededRandomness) => NodeKey[]; mostAway: () => NodeKey[] } {
  const code = defaultCode(view.nodes)
  const enough = happinessThreshold(code)
  const own = new Ranking(view)
    .order(slot, code.total)
    .slice(0, code.total)
    .map(({ key }) => key)
  const most = Math.min(own.length, view.nodes.length - enough)
  return {
    /** So many that a write cannot be placed on enough of them, and not so many that it cannot be kept at all. */
    someAway: (randomness) => {
      const least = Math.min(most, own.length - enough + 1)
      return randomness.sample(own, randomness.between(least, most))
    },
    /** As many as those may be: all of them, where there are so many others. */
    mostAway: () => own.slice(0, most),
  }
}
