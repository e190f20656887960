import type { NodeKey } from '../../protocol/node-key.ts'
import type { Holding } from '../nodes/survey.ts'
import { spreadOverNodes } from '../placement/spread.ts'

/**
 * The distribution of how many of independent events happen: the Poisson binomial distribution, exactly, one event after
 * another. Terms are only ever added, so that small ones keep their digits.
 * @returns at j, the chance that j of them happen
 */
export function poissonBinomial(chances: readonly number[]): number[] {
  let distribution = [1]
  for (const chance of chances) distribution = convolve(distribution, [1 - chance, chance])
  return distribution
}

/**
 * The chance that fewer than `required` different shares are there, if every node is there by its own chance and
 * independently of the others. Exact also where nodes hold several shares or a share is on several nodes, unless more
 * than {@link MOST_ENTANGLED} nodes are tied together that way; then it is an upper bound.
 */
export function chanceOfTooFew(
  holdings: readonly Holding[],
  required: number,
  chanceOf: (node: NodeKey) => number,
): number {
  let distribution = [1]
  for (const part of partsOf(holdings)) {
    distribution = convolve(distribution, sharesOfPart(part, chanceOf))
  }
  return Math.min(1, sum(distribution.slice(0, required)))
}

/**
 * How many households may vanish, whichever they are, so that `required` different shares are still there; less than
 * zero, −1, if there are too few as it is. Exact for up to {@link MOST_CHOICES} choices of households, which is all
 * that there is between friends; past that it may say less than is true, never more.
 */
export function mayVanish(
  holdings: readonly Holding[],
  required: number,
  zoneOf: (node: NodeKey) => string,
): number {
  const zones = new Map<string, Set<number>>()
  for (const { index, node } of holdings) {
    const zone = zoneOf(node)
    zones.set(zone, (zones.get(zone) ?? new Set()).add(index))
  }
  const held = [...zones.values()]
  const distinct = new Set(holdings.map(({ index }) => index)).size
  if (distinct < required) return -1
  const sizes = held.map(({ size }) => size).sort((a, b) => b - a)
  const isDisjoint = sum(sizes) === distinct
  let vanished = 0
  for (let left = distinct; vanished < held.length; vanished++) {
    left -= sizes[vanished] ?? 0
    // Households that share nothing: the largest are the worst to lose. Others lose less than the sum of their sizes.
    if (left < required && (isDisjoint || someChoiceLeaves(held, vanished + 1, required))) break
  }
  return vanished
}

/** Nodes tied together by shares that several of them hold: 4,096 ways to be there or away. */
export const MOST_ENTANGLED = 12
/** Choices of households that are tried. */
const MOST_CHOICES = 50_000

/** Whether some `count` households leave fewer than `required` shares when they vanish. */
function someChoiceLeaves(
  held: readonly ReadonlySet<number>[],
  count: number,
  required: number,
): boolean {
  let tried = 0
  const search = (from: number, vanished: readonly number[]): boolean => {
    if (vanished.length === count) {
      tried += 1
      const left = new Set(held.flatMap((shares, at) => (vanished.includes(at) ? [] : [...shares])))
      return left.size < required || tried > MOST_CHOICES
    }
    for (let at = from; at < held.length; at++) if (search(at + 1, [...vanished, at])) return true
    return false
  }
  return search(0, [])
}

/** Nodes and shares that hang together, and with no others. */
function partsOf(holdings: readonly Holding[]): Holding[][] {
  const parts: { nodes: Set<NodeKey>; indices: Set<number>; holdings: Holding[] }[] = []
  for (const holding of holdings) {
    const { index, node } = holding
    const touched = parts.filter((part) => part.nodes.has(node) || part.indices.has(index))
    const joined = {
      nodes: new Set([node, ...touched.flatMap((part) => [...part.nodes])]),
      indices: new Set([index, ...touched.flatMap((part) => [...part.indices])]),
      holdings: [...touched.flatMap((part) => part.holdings), holding],
    }
    for (const part of touched) parts.splice(parts.indexOf(part), 1)
    parts.push(joined)
  }
  return parts.map((part) => part.holdings)
}

/** The distribution of how many different shares of one part are there. */
function sharesOfPart(
  part: readonly Holding[],
  chanceOf: (node: NodeKey) => number,
): readonly number[] {
  const nodes = [...new Set(part.map(({ node }) => node))]
  if (nodes.length > MOST_ENTANGLED) {
    // Each share on a node of its own, and what else the nodes hold left out.
    return poissonBinomial([...spreadOverNodes(part).values()].map(chanceOf))
  }
  const distribution: number[] = []
  const visit = (at: number, chance: number, there: ReadonlySet<number>): void => {
    const node = nodes[at]
    if (node === undefined) {
      while (distribution.length <= there.size) distribution.push(0)
      distribution[there.size] = (distribution[there.size] ?? 0) + chance
      return
    }
    const own = part.filter((holding) => holding.node === node).map(({ index }) => index)
    visit(at + 1, chance * (1 - chanceOf(node)), there)
    visit(at + 1, chance * chanceOf(node), new Set([...there, ...own]))
  }
  visit(0, 1, new Set())
  return distribution
}

function convolve(a: readonly number[], b: readonly number[]): number[] {
  const result = Array.from({ length: a.length + b.length - 1 }, () => 0)
  a.forEach((x, i) => {
    b.forEach((y, j) => {
      result[i + j] = (result[i + j] ?? 0) + x * y
    })
  })
  return result
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
