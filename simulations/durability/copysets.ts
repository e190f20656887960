import type { ErasureCode } from '../../src/erasure/code.ts'
import type { SeededRandomness } from '../randomness.ts'
import { choose, hypergeometricTail } from './binomial.ts'

/** What is lost when some nodes, chosen by chance, are lost together. */
export interface JointLoss {
  /** The probability that any block at all is lost. */
  readonly something: number
  /** Half of the 95 % interval of `something`; 0 where it is exact. */
  readonly spread: number
  /** The part of all blocks that is lost on average; placement cannot change it. */
  readonly mean: number
}

/**
 * Every block on n nodes of its own choice: with many blocks, some block lies on any n nodes. Exact.
 * @param blocks how many are stored
 */
export function lossOfRandomSets(options: {
  readonly nodes: number
  readonly lost: number
  readonly code: ErasureCode
  readonly blocks: number
}): JointLoss {
  const { nodes, lost, code, blocks } = options
  const mean = lossOfOneSet({ nodes, lost, code })
  return { something: -Math.expm1(blocks * Math.log1p(-mean)), spread: 0, mean }
}

/**
 * Blocks in groups, of which each has its n nodes (A. Cidon et al., "Copysets: Reducing the Frequency of Data Loss in
 * Cloud Storage", 2013). The probability of the union of rare events is estimated by drawing one of the events, then a
 * world in which it happens, and weighing that world by how many of them happen in it (R. M. Karp, M. Luby, "Monte-Carlo
 * algorithms for enumeration and reliability problems", 1983), so that the relative error is small however rare it is.
 */
export function lossOfGroups(options: {
  /** The nodes that hold shares of each group, by index below `nodes`. */
  readonly holders: readonly (readonly number[])[]
  readonly nodes: number
  readonly lost: number
  readonly code: ErasureCode
  readonly samples: number
  readonly randomness: SeededRandomness
}): JointLoss {
  const { holders, nodes, lost, code, samples, randomness } = options
  const mean = lossOfOneSet({ nodes, lost, code })
  if (mean === 0) return { something: 0, spread: 0, mean }
  const fatal = code.total - code.required + 1
  let sum = 0
  let squares = 0
  for (let sample = 0; sample < samples; sample++) {
    const own = randomness.pick(holders)
    const others = Array.from({ length: nodes }, (_, node) => node).filter((n) => !own.includes(n))
    const hits = drawHits({ nodes, lost, code, randomness })
    const gone = new Set([
      ...randomness.sample(own, hits),
      ...randomness.sample(others, lost - hits),
    ])
    let lostGroups = 0
    for (const group of holders) {
      let missing = 0
      for (const node of group) if (gone.has(node)) missing++
      if (missing >= fatal) lostGroups++
    }
    sum += 1 / lostGroups
    squares += 1 / lostGroups ** 2
  }
  const share = sum / samples
  const deviation = Math.sqrt(Math.max(0, squares / samples - share ** 2) / samples)
  const scale = holders.length * mean
  return { something: scale * share, spread: 1.96 * deviation * scale, mean }
}

/** The probability that one given set of n nodes loses too many. */
function lossOfOneSet(options: { nodes: number; lost: number; code: ErasureCode }): number {
  const { required, total } = options.code
  const { nodes, lost } = options
  return hypergeometricTail({
    total: nodes,
    marked: total,
    drawn: lost,
    count: total - required + 1,
  })
}

/** How many of a group's nodes are lost, given that they are too many. */
function drawHits(options: {
  nodes: number
  lost: number
  code: ErasureCode
  randomness: SeededRandomness
}): number {
  const { nodes, lost, code, randomness } = options
  const first = code.total - code.required + 1
  const last = Math.min(code.total, lost)
  const weights: number[] = []
  for (let hits = first; hits <= last; hits++) {
    weights.push(choose(code.total, hits) * choose(nodes - code.total, lost - hits))
  }
  let left = randomness.fraction() * weights.reduce((sum, weight) => sum + weight, 0)
  for (const [at, weight] of weights.entries()) {
    left -= weight
    if (left < 0) return first + at
  }
  return last
}
