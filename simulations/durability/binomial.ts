/**
 * The distribution of how many of several independent things are there, each with its own probability (Poisson's
 * binomial), by adding one after the other. All terms are sums of products of positive numbers, so that small
 * probabilities keep their digits.
 * @returns at index i, the probability that exactly i are there
 */
export function poissonBinomial(probabilities: readonly number[]): number[] {
  return sumOfIndependent(probabilities.map((probability) => [1 - probability, probability]))
}

/** The distribution of the sum of independent counts, each given by its own distribution from 0 on. */
function sumOfIndependent(distributions: readonly (readonly number[])[]): number[] {
  let sum = [1]
  for (const distribution of distributions) {
    const next = Array.from({ length: sum.length + distribution.length - 1 }, () => 0)
    for (const [a, ofA] of sum.entries()) {
      for (const [b, ofB] of distribution.entries()) next[a + b]! += ofA * ofB
    }
    sum = next
  }
  return sum
}

/** The probability of fewer than `count`. */
export function below(distribution: readonly number[], count: number): number {
  let sum = 0
  for (const probability of distribution.slice(0, count)) sum += probability
  return sum
}

/** n over k. Exact as long as it fits into 53 bits. */
export function choose(n: number, k: number): number {
  if (k < 0 || k > n) return 0
  let result = 1
  for (let at = 1; at <= Math.min(k, n - k); at++) result = (result * (n - at + 1)) / at
  return Math.round(result)
}

/** Of `drawn` of `total` things, of which `marked` are marked: the probability of `count` marked ones or more. */
export function hypergeometricTail(options: {
  readonly total: number
  readonly marked: number
  readonly drawn: number
  readonly count: number
}): number {
  const { total, marked, drawn, count } = options
  let sum = 0
  for (let hit = count; hit <= Math.min(marked, drawn); hit++) {
    sum += (choose(marked, hit) * choose(total - marked, drawn - hit)) / choose(total, drawn)
  }
  return sum
}

export interface ShareUptime {
  /** Shares in each household that has some. */
  readonly sharesByHousehold: readonly number[]
  /** The part of its time that a node is on while its household has power and a line. */
  readonly nodeUptime: number
  /** The part of the time that a household has both. */
  readonly householdUptime: number
}

/** How many shares can be reached at some moment. Households fail as one, and independently of each other. */
export function reachableShares(options: ShareUptime): number[] {
  const { sharesByHousehold, nodeUptime, householdUptime } = options
  return sumOfIndependent(
    sharesByHousehold.map((shares) => {
      const inside = poissonBinomial(Array.from({ length: shares }, () => nodeUptime))
      return inside.map(
        (probability, count) =>
          householdUptime * probability + (count === 0 ? 1 - householdUptime : 0),
      )
    }),
  )
}

/** The least uptime with which the probability of failing falls to `target`, by halving; `failing` must fall with it. */
export function uptimeNeeded(failing: (uptime: number) => number, target: number): number {
  let [low, high] = [0, 1]
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (failing(middle) > target) low = middle
    else high = middle
  }
  return high
}
