import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alternatives } from '../../simulations/durability/alternatives.ts'
import { below, choose, poissonBinomial } from '../../simulations/durability/binomial.ts'
import { BlockChain, type BlockModel } from '../../simulations/durability/chain.ts'
import { lossOfGroups, lossOfRandomSets } from '../../simulations/durability/copysets.ts'
import {
  codeFor,
  GROUPS,
  holdersOf,
  makeGrid,
  ordersOf,
} from '../../simulations/durability/friends.ts'
import { playGrid, type GridModel } from '../../simulations/durability/play.ts'
import { meanOf } from '../../simulations/durability/sampling.ts'
import { tolerances } from '../../simulations/durability/tolerance.ts'
import { uptimes } from '../../simulations/durability/uptimes.ts'
import { withTables } from '../../simulations/models/page.ts'
import { formatTable } from '../../simulations/models/table.ts'
import { SeededRandomness } from '../../simulations/randomness.ts'
import { erasureCode } from '../../src/erasure/code.ts'

const YEAR_DAYS = 365.25

function ones(count: number): number[] {
  return Array.from({ length: count }, () => 1)
}

describe('counts of independent things', () => {
  it('are what listing all outcomes gives', () => {
    const probability = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(fc.array(probability, { minLength: 1, maxLength: 8 }), (probabilities) => {
        const listed = Array.from({ length: probabilities.length + 1 }, () => 0)
        for (let outcome = 0; outcome < 2 ** probabilities.length; outcome++) {
          let [weight, count] = [1, 0]
          for (const [at, part] of probabilities.entries()) {
            const isThere = (outcome & (1 << at)) !== 0
            weight *= isThere ? part : 1 - part
            if (isThere) count++
          }
          listed[count]! += weight
        }
        for (const [count, value] of poissonBinomial(probabilities).entries()) {
          expect(value).toBeCloseTo(listed[count]!, 12)
        }
      }),
    )
  })

  it('follow the binomial law where all are alike', () => {
    const distribution = poissonBinomial(Array.from({ length: 10 }, () => 0.8))
    expect(distribution[3]).toBeCloseTo(choose(10, 3) * 0.8 ** 3 * 0.2 ** 7, 14)
    expect(below(distribution, 3)).toBeCloseTo(7.79264e-5, 12)
  })
})

describe('the chain of a block', () => {
  const model = (changes: Partial<BlockModel>): BlockModel => ({
    code: erasureCode(1, 2),
    sharesByHousehold: [1, 1],
    nodeLifeDays: 1000,
    householdLifeDays: Infinity,
    repair: { kind: 'each', meanDays: 10 },
    ...changes,
  })

  it('is the textbook one for two copies', () => {
    const [loss, repair] = [1 / 1000, 1 / 10]
    const chain = new BlockChain(model({}))
    expect(chain.meanDaysToLoss()).toBeCloseTo((3 * loss + repair) / (2 * loss ** 2), 6)
  })

  it('is one exponential without a spare', () => {
    const chain = new BlockChain(model({ code: erasureCode(1, 1), sharesByHousehold: [1] }))
    expect(chain.meanDaysToLoss()).toBeCloseTo(1000, 9)
    expect(chain.lossProbability(500)).toBeCloseTo(1 - Math.exp(-0.5), 12)
  })

  it('keeps the digits of the rarest losses', () => {
    // Ten shares, repaired within minutes: the leading term is the product of the seven rates on the way down.
    const [life, wait] = [1500, 0.01]
    const chain = new BlockChain(
      model({
        code: erasureCode(3, 10),
        sharesByHousehold: ones(10),
        nodeLifeDays: life,
        repair: { kind: 'each', meanDays: wait },
      }),
    )
    let rate = 10 / life
    for (let gone = 1; gone <= 7; gone++) rate *= ((10 - gone) / life) * (wait / gone)
    expect(1 / chain.meanDaysToLoss() / rate).toBeCloseTo(1, 3)
  })

  it('gives the same probability by either of its ways where both are exact', () => {
    const chain = new BlockChain(
      model({ code: erasureCode(2, 5), sharesByHousehold: [2, 2, 1], householdLifeDays: 9000 }),
    )
    const days = 3650
    const byMean = -Math.expm1(-days / chain.meanDaysToLoss())
    expect(chain.lossProbability(days) / byMean).toBeCloseTo(1, 2)
  })

  const five = (changes: Partial<BlockModel>): number =>
    new BlockChain(
      model({
        code: erasureCode(2, 5),
        sharesByHousehold: ones(5),
        householdLifeDays: 20_000,
        ...changes,
      }),
    ).meanDaysToLoss()

  it('fares worse with shorter lives, longer waits and fires', () => {
    const days = fc.double({ min: 5, max: 5000, noNaN: true })
    fc.assert(
      fc.property(days, days, days, (nodeLifeDays, meanDays, householdLifeDays) => {
        const repair = { kind: 'each', meanDays } as const
        const all = { nodeLifeDays, householdLifeDays, repair }
        const time = five(all)
        expect(five({ ...all, nodeLifeDays: nodeLifeDays * 1.5 })).toBeGreaterThan(time)
        expect(five({ ...all, householdLifeDays: Infinity })).toBeGreaterThan(time)
        const sooner = { kind: 'each', meanDays: meanDays / 1.5 } as const
        expect(five({ ...all, repair: sooner })).toBeGreaterThan(time)
      }),
      { numRuns: 50 },
    )
  })

  it('fares worse in fewer households, where fires are rare', () => {
    const times = [ones(5), [2, 1, 1, 1], [2, 2, 1], [3, 2], [5]].map((sharesByHousehold) =>
      five({ sharesByHousehold }),
    )
    expect(times).toEqual(times.toSorted((a, b) => b - a))
  })
})

describe('the game of a grid', () => {
  /** Plays on the real placement, and the chain of the same block; both must tell the same. */
  function agree(options: {
    households: number[]
    game: Omit<GridModel, 'code' | 'orders' | 'householdOf'>
    chain: Omit<BlockModel, 'code'>
    seed: string
  }): void {
    const { households, game, chain, seed } = options
    const randomness = new SeededRandomness(seed)
    const code = erasureCode(3, 10)
    const view = makeGrid(randomness, { households })
    const orders = ordersOf(view, code).slice(0, 4)
    const householdOf = view.nodes.map(({ zone }) => Number(zone.replace('house-', '')))
    const days = 10 * YEAR_DAYS
    const parts = Array.from({ length: 800 }, (_, run) => {
      const fork = randomness.fork(String(run))
      return playGrid({ code, orders, householdOf, ...game }, days, fork).lostPart
    })
    const { mean, spread } = meanOf(parts)
    const exact = new BlockChain({ code, ...chain }).lossProbability(days)
    // Wide enough for about one seed in twenty to fall outside of the 95 % interval, and none of these.
    expect(exact).toBeGreaterThan(0.1)
    expect(Math.abs(mean - exact)).toBeLessThan(1.5 * spread)
    expect(spread).toBeLessThan(0.04)
  }

  const exponential = (meanDays: number) => ({ kind: 'exponential', meanDays }) as const

  it('loses as often as the chain says, with repairs onto other nodes', () => {
    agree({
      households: ones(14),
      game: {
        nodeLife: exponential(365),
        replacement: { kind: 'fixed', days: 0 },
        repairBelow: 7,
        repair: exponential(60),
      },
      chain: {
        sharesByHousehold: ones(10),
        nodeLifeDays: 365,
        householdLifeDays: Infinity,
        repair: { kind: 'together', below: 7, meanDays: 60 },
      },
      seed: 'together',
    })
  })

  it('loses as often as the chain says, with households of two that burn', () => {
    const households = [2, 2, 2, 2, 2]
    agree({
      households,
      game: {
        nodeLife: exponential(700),
        householdLife: exponential(1500),
        replacement: exponential(200),
        repairBelow: 10,
        repair: { kind: 'fixed', days: 0 },
      },
      chain: {
        sharesByHousehold: households,
        nodeLifeDays: 700,
        householdLifeDays: 1500,
        repair: { kind: 'each', meanDays: 200 },
      },
      seed: 'each',
    })
  })

  it('replays from its seed, and loses nothing when nothing happens', () => {
    const code = erasureCode(3, 10)
    const view = makeGrid(new SeededRandomness('replay'), { households: ones(12) })
    const model: GridModel = {
      code,
      orders: ordersOf(view, code).slice(0, 4),
      householdOf: view.nodes.map((_, node) => node),
      nodeLife: exponential(200),
      outages: { on: exponential(1), off: exponential(0.5) },
      patienceDays: 2,
      replacement: { kind: 'fixed', days: 20 },
      repairBelow: 10,
      repair: { kind: 'fixed', days: 1 },
    }
    const play = (changes: Partial<GridModel>) =>
      playGrid({ ...model, ...changes }, YEAR_DAYS, new SeededRandomness(7))
    expect(play({})).toEqual(play({}))
    expect(play({}).repairedSharesPerYear).toBeGreaterThan(0)
    expect(play({ nodeLife: exponential(1e12), patienceDays: 1e9 })).toEqual({
      lostPart: 0,
      repairedSharesPerYear: 0,
      wastedPart: 0,
      keptShares: 10,
    })
  })
})

describe('a grid with the default code and the real placement', () => {
  it('of ten nodes loses nothing with any seven away, whatever their keys and capacities', () => {
    const capacities = fc.array(fc.integer({ min: 1, max: 1e6 }), { minLength: 10, maxLength: 10 })
    fc.assert(
      fc.property(fc.string(), capacities, (seed, gigabytes) => {
        const view = makeGrid(new SeededRandomness(seed), {
          households: ones(10),
          capacitiesBytes: gigabytes.map((size) => size * 1e9),
        })
        const seven = tolerances(view, codeFor(view))[7]
        expect(seven).toEqual({ away: 7, sets: 120, setsThatLose: 0, meanLost: 0 })
      }),
      { numRuns: 10 },
    )
  })

  it('survives the loss of any n − k nodes with one in each household', () => {
    for (let count = 1; count <= 12; count++) {
      const view = makeGrid(new SeededRandomness(`tolerance/${count}`), { households: ones(count) })
      const code = codeFor(view)
      const all = tolerances(view, code)
      const spare = code.total - code.required
      expect(all.slice(0, spare + 1).every(({ setsThatLose }) => setsThatLose === 0)).toBe(true)
      expect(all[spare + 1]?.setsThatLose).toBeGreaterThan(0)
    }
  })
})

describe('joint losses', () => {
  it('of groups are estimated as counting all sets of lost nodes gives them', () => {
    const [nodes, lost, code] = [12, 5, erasureCode(2, 5)]
    const randomness = new SeededRandomness('joint')
    const view = makeGrid(randomness, { households: ones(nodes) })
    const holders = holdersOf(view, code).slice(0, 40)
    let [sets, fatal] = [0, 0]
    for (let mask = 0; mask < 2 ** nodes; mask++) {
      const gone = Array.from({ length: nodes }, (_, node) => node).filter((n) => mask & (1 << n))
      if (gone.length !== lost) continue
      sets++
      if (holders.some((group) => group.filter((node) => gone.includes(node)).length >= 4)) fatal++
    }
    expect(sets).toBe(choose(nodes, lost))
    const { something, spread } = lossOfGroups({
      holders,
      nodes,
      lost,
      code,
      samples: 2000,
      randomness,
    })
    expect(Math.abs(something - fatal / sets)).toBeLessThan(1.5 * spread)
    expect(spread).toBeLessThan(0.03)
  })

  it('are rarer with groups, and larger then', () => {
    const [nodes, code] = [50, erasureCode(3, 10)]
    const randomness = new SeededRandomness('groups')
    const holders = holdersOf(makeGrid(randomness, { households: ones(nodes) }), code)
    expect(holders).toHaveLength(GROUPS)
    const grouped = lossOfGroups({ holders, nodes, lost: 10, code, samples: 20, randomness })
    const random = lossOfRandomSets({ nodes, lost: 10, code, blocks: 1e6 })
    expect(grouped.mean).toBe(random.mean)
    expect(grouped.something).toBeLessThan(random.something / 100)
  })
})

describe('the page of results', () => {
  const page = readFileSync(new URL('../../docs/durability.md', import.meta.url), 'utf8')

  it('has tables that the code computes', () => {
    for (const table of [alternatives(), ...uptimes().tables])
      expect(page).toContain(formatTable(table))
  })

  it('takes tables in place of older ones', () => {
    const table = { title: 'x', head: ['a', 'b'], rows: [['1', '2']] }
    const before = 'Text.\n\n<!-- x -->\n\n| old |\n| --- |\n\nMore.\n\n<!-- y -->\n'
    const after = withTables(before, [table])
    expect(after).toBe(
      'Text.\n\n<!-- x -->\n\n| a   | b   |\n| --- | --- |\n| 1   | 2   |\n\nMore.\n\n<!-- y -->\n',
    )
    expect(withTables(after, [table])).toBe(after)
  })
})
