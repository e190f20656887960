import { rankNodes } from '../../src/grid/placement/rank.ts'
import { GROUPS, makeGrid } from '../durability/friends.ts'
import type { SeededRandomness } from '../randomness.ts'

export interface Measuring {
  /** Milliseconds of processor time so far, which do not depend on what else the machine does. */
  readonly cpuMs: () => number
  readonly randomness: SeededRandomness
}

export interface RankingCost {
  readonly nodes: number
  /** To rank all nodes for one group. */
  readonly rankMs: number
  /** To rank them for all groups, which a large upload soon needs, and again whenever nodes change. */
  readonly allMs: number
  /** Of all ranks, when they are remembered. */
  readonly bytes: number
}

/** Times the real ranking on this machine's processor. */
export function measureRanking(nodes: number, { cpuMs, randomness }: Measuring): RankingCost {
  const view = makeGrid(randomness, { households: Array.from({ length: nodes }, () => 1) })
  const rounds = Math.max(1, Math.min(500, Math.floor(50_000 / nodes)))
  const times = Array.from({ length: TRIALS }, () => {
    const start = cpuMs()
    for (let round = 0; round < rounds; round++) rankNodes(view, round % GROUPS)
    return (cpuMs() - start) / rounds
  })
  const rankMs = Math.min(...times)
  return { nodes, rankMs, allMs: rankMs * GROUPS, bytes: GROUPS * nodes * POINTER_BYTES }
}

/** The best of them counts: the first ones compile the code. */
const TRIALS = 3

/** An entry of an array in V8 on a 64-bit machine. */
const POINTER_BYTES = 8
