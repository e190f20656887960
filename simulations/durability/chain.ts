import { assert } from '../../src/foundation/error.ts'
import type { ErasureCode } from '../../src/erasure/code.ts'

/** How what is lost comes back. Waits are exponential, as a Markov chain needs them. */
export type Repair =
  /** All that is missing comes back at once, `meanDays` after fewer than `below` shares are left. */
  | { readonly kind: 'together'; readonly below: number; readonly meanDays: number }
  /** Each missing share comes back by itself: its household has bought another disk. */
  | { readonly kind: 'each'; readonly meanDays: number }

export interface BlockModel {
  readonly code: ErasureCode
  /** Shares of the block in each household that holds some. They add up to n. */
  readonly sharesByHousehold: readonly number[]
  /** Mean time until a node is gone for good: disk, theft of the machine, a friend who leaves. */
  readonly nodeLifeDays: number
  /** Mean time until a household loses all of its nodes at once: fire, flood, burglary. May be infinite. */
  readonly householdLifeDays: number
  readonly repair: Repair
}

interface Jump {
  /** State, or {@link LOST}. */
  readonly to: number
  /** A day. */
  readonly rate: number
}

const LOST = -1

/** One household's part in a state. */
interface Household {
  readonly shares: number
  readonly alive: number
}

/**
 * One block as a Markov chain in continuous time: its states are how many shares are left in each household, equal
 * households being taken together, and the last one is that fewer than k are left. With one share a household it is the
 * birth-death chain of the textbooks (K. S. Trivedi, "Probability and Statistics with Reliability, Queuing and Computer
 * Science Applications", chapter 8).
 */
export class BlockChain {
  /** From each state; the first is that all shares are there. */
  readonly #jumps: readonly (readonly Jump[])[]

  constructor(model: BlockModel) {
    this.#jumps = statesOf(model)
  }

  get states(): number {
    return this.#jumps.length
  }

  /**
   * Mean time from all shares to loss. States are eliminated one by one without any subtraction (W. K. Grassmann,
   * M. I. Taksar, D. P. Heyman, "Regenerative analysis and steady state distributions for Markov chains", 1985), so that
   * the smallest probabilities keep all of their digits.
   */
  meanDaysToLoss(): number {
    const count = this.#jumps.length
    const rates = this.#jumps.map((jumps) => {
      const row = new Float64Array(count + 1)
      for (const { to, rate } of jumps) row[to === LOST ? count : to]! += rate
      return row
    })
    const days = new Float64Array(count).fill(1)
    for (let gone = count - 1; gone > 0; gone--) {
      const from = rates[gone] as Float64Array
      let out = from[count]!
      for (let to = 0; to < gone; to++) out += from[to]!
      for (let state = 0; state < gone; state++) {
        const row = rates[state] as Float64Array
        const part = row[gone]! / out
        if (part === 0) continue
        days[state]! += part * days[gone]!
        for (let to = 0; to < gone; to++) if (to !== state) row[to]! += part * from[to]!
        row[count]! += part * from[count]!
      }
    }
    return days[0]! / rates[0]![count]!
  }

  /**
   * The probability that the block is lost within so many days. Exact by uniformization (A. Jensen, 1953), all terms
   * positive, as long as that takes no more than {@link MAX_STEPS} steps; else by the mean time to loss, which is exact
   * to many digits where repairs are that much faster than losses.
   */
  lossProbability(days: number): number {
    const pace = Math.max(...this.#jumps.map((jumps) => sumOfRates(jumps)))
    const mean = pace * days
    const steps = Math.ceil(mean + 10 * Math.sqrt(mean) + 30)
    if (steps > MAX_STEPS) return -Math.expm1(-days / this.meanDaysToLoss())
    let now = new Float64Array(this.#jumps.length)
    now[0] = 1
    let lost = 0
    let probability = 0
    let logWeight = -mean
    for (let step = 0; step <= steps; step++) {
      probability += Math.exp(logWeight) * lost
      logWeight += Math.log(mean) - Math.log(step + 1)
      const next = new Float64Array(now.length)
      for (const [state, jumps] of this.#jumps.entries()) {
        const here = now[state]!
        if (here === 0) continue
        next[state]! += here * (1 - sumOfRates(jumps) / pace)
        for (const { to, rate } of jumps) {
          if (to === LOST) lost += (here * rate) / pace
          else next[to]! += (here * rate) / pace
        }
      }
      now = next
    }
    return probability
  }
}

/** Under a second for the chains that there are. */
const MAX_STEPS = 100_000

function sumOfRates(jumps: readonly Jump[]): number {
  let sum = 0
  for (const { rate } of jumps) sum += rate
  return sum
}

/** Walks from the state in which all is there to all that can be reached from it. */
function statesOf(model: BlockModel): Jump[][] {
  const { code, sharesByHousehold } = model
  const total = sharesByHousehold.reduce((sum, shares) => sum + shares, 0)
  assert(total === code.total, 'the households of a block hold its n shares')
  const numbers = new Map<string, number>()
  const states: Household[][] = []
  const numberOf = (state: readonly Household[]): number => {
    if (aliveIn(state) < code.required) return LOST
    const sorted = state.toSorted((a, b) => a.shares - b.shares || a.alive - b.alive)
    const name = sorted.map(({ shares, alive }) => `${shares}:${alive}`).join(' ')
    const known = numbers.get(name)
    if (known !== undefined) return known
    numbers.set(name, states.length)
    states.push(sorted)
    return states.length - 1
  }
  numberOf(sharesByHousehold.map((shares) => ({ shares, alive: shares })))
  const jumps: Jump[][] = []
  for (let at = 0; at < states.length; at++) {
    const next = jumpsFrom(states[at] as Household[], model)
    jumps.push(next.map(({ to, rate }) => ({ to: numberOf(to), rate })))
  }
  return jumps.map((list, at) => list.filter(({ to }) => to !== at))
}

function jumpsFrom(
  state: readonly Household[],
  { code, nodeLifeDays, householdLifeDays, repair }: BlockModel,
): { to: Household[]; rate: number }[] {
  const withAlive = (at: number, alive: number): Household[] =>
    state.map((household, index) => (index === at ? { ...household, alive } : household))
  const jumps: { to: Household[]; rate: number }[] = []
  for (const [at, { shares, alive }] of state.entries()) {
    if (alive > 0) {
      jumps.push({ to: withAlive(at, alive - 1), rate: alive / nodeLifeDays })
      jumps.push({ to: withAlive(at, 0), rate: 1 / householdLifeDays })
    }
    if (repair.kind === 'each' && alive < shares) {
      jumps.push({ to: withAlive(at, alive + 1), rate: (shares - alive) / repair.meanDays })
    }
  }
  const alive = aliveIn(state)
  if (repair.kind === 'together' && alive < Math.min(repair.below, code.total)) {
    const whole = state.map(({ shares }) => ({ shares, alive: shares }))
    jumps.push({ to: whole, rate: 1 / repair.meanDays })
  }
  return jumps.filter(({ rate }) => rate > 0)
}

function aliveIn(state: readonly Household[]): number {
  let sum = 0
  for (const { alive } of state) sum += alive
  return sum
}
