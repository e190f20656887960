import type { ErasureCode } from '../../src/erasure/code.ts'
import type { GridView } from '../../src/grid/view.ts'
import { assert } from '../../src/foundation/error.ts'
import { choose } from './binomial.ts'
import { holdersOf } from './friends.ts'

/** What becomes of a grid's data when so many of its nodes are away at once: every possible choice of them was tried. */
export interface Tolerance {
  readonly away: number
  /** Ways to choose the nodes that are away. */
  readonly sets: number
  /** Of these, the ones with which some group of blocks cannot be read. */
  readonly setsThatLose: number
  /** The mean over all sets of the part of the groups that cannot be read. */
  readonly meanLost: number
}

/** The largest grid whose sets are all tried: 65,536 of them. */
const MAX_NODES = 16

/**
 * Tries every set of nodes that may be away, against the real placement of all groups. Exact, no chance in it.
 * @returns for 0 to all nodes away
 */
export function tolerances(view: GridView, code: ErasureCode): Tolerance[] {
  const { length: nodes } = view.nodes
  assert(nodes <= MAX_NODES, 'all sets of nodes can be tried for few nodes only')
  const groupsByHolders = new Map<number, number>()
  const groups = holdersOf(view, code)
  for (const holders of groups) {
    let mask = 0
    for (const node of holders) mask |= 1 << node
    groupsByHolders.set(mask, (groupsByHolders.get(mask) ?? 0) + 1)
  }
  const losing = Array.from({ length: nodes + 1 }, () => 0)
  const lostGroups = Array.from({ length: nodes + 1 }, () => 0)
  for (let away = 0; away < 2 ** nodes; away++) {
    let lost = 0
    for (const [holders, count] of groupsByHolders) {
      if (bitsIn(holders & ~away) < code.required) lost += count
    }
    const size = bitsIn(away)
    lostGroups[size]! += lost
    if (lost > 0) losing[size]!++
  }
  return losing.map((setsThatLose, away) => {
    const sets = choose(nodes, away)
    return { away, sets, setsThatLose, meanLost: lostGroups[away]! / groups.length / sets }
  })
}

/** The most nodes that may be away, whichever they are, so that every block can still be read. */
export function mostAway(view: GridView, code: ErasureCode): number {
  return tolerances(view, code).findIndex(({ setsThatLose }) => setsThatLose > 0) - 1
}

function bitsIn(mask: number): number {
  let count = 0
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++
  return count
}
