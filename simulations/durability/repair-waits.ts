import { happinessThreshold } from '../../src/grid/placement/defaults.ts'
import type { ErasureCode } from '../../src/erasure/code.ts'
import type { Findings, Table } from '../models/table.ts'
import type { Chart, Series } from '../models/chart.ts'
import type { SeededRandomness } from '../randomness.ts'
import {
  CODES,
  chanceText,
  DAYS_PER_YEAR,
  daysText,
  HORIZON_DAYS,
  HOUSEHOLD_LIFE_DAYS,
  nameOf,
  NODE_LIFE_DAYS,
  oneEach,
} from './assumptions.ts'
import { BlockChain, type Repair } from './chain.ts'
import { makeGrid, ordersOf } from './friends.ts'
import { playGrid } from './play.ts'
import { meanOf } from './sampling.ts'

/** The probability that a block, with a share in each of n households, is lost within the ten years. */
export function lossWithin(
  code: ErasureCode,
  repair: Repair,
  nodeLifeDays = NODE_LIFE_DAYS,
): number {
  const householdLifeDays = HOUSEHOLD_LIFE_DAYS
  const sharesByHousehold = oneEach(code)
  const chain = new BlockChain({ code, sharesByHousehold, nodeLifeDays, householdLifeDays, repair })
  return chain.lossProbability(HORIZON_DAYS)
}

/** The longest mean wait with which the loss stays below a target. */
function longestWaitDays(
  code: ErasureCode,
  target: number,
  repair: (meanDays: number) => Repair,
): number {
  let [low, high] = [Math.log(MIN_WAIT_DAYS), Math.log(MAX_WAIT_DAYS)]
  for (let step = 0; step < 24; step++) {
    const middle = (low + high) / 2
    if (lossWithin(code, repair(Math.exp(middle))) > target) high = middle
    else low = middle
  }
  return Math.exp(low)
}

const MIN_WAIT_DAYS = 1e-4
const MAX_WAIT_DAYS = 4000

const eachAfter = (meanDays: number): Repair => ({ kind: 'each', meanDays })
const TARGETS = [0.01, 0.001, 1e-6] as const

/** How long may a lost node stay lost, and from how many missing shares on is a block to be repaired? */
export function repairWaits(randomness: SeededRandomness, runs: number): Findings {
  return {
    charts: new Map([
      ['durability-repair-wait', waitChart(randomness, runs)],
      ['durability-threshold', thresholdChart()],
      ['durability-node-life', lifeChart()],
    ]),
    tables: [waitTable(), thresholdTable()],
  }
}

const DAYS = [1, 2, 4, 7, 14, 30, 60, 120, 240, 365.25, 730.5]

function waitChart(randomness: SeededRandomness, runs: number): Chart {
  const lines = CODES.map((code) => ({
    name: nameOf(code),
    points: DAYS.map((days) => [days, lossWithin(code, eachAfter(days))] as const),
  }))
  const played: Series = {
    name: 'played, fixed waits',
    isScattered: true,
    points: playedPoints(randomness, runs),
  }
  return {
    title: 'Data loss in ten years, a node in each of n households',
    x: { ...DAYS_AXIS, label: 'mean wait until a lost node is replaced and full again' },
    y: LOSS_AXIS,
    series: [...lines, played],
    marks: [{ y: 0.001, name: '1 in 1,000' }],
  }
}

/** The event-driven game, where waits are always equally long, beside the chains, where they are exponential. */
function playedPoints(
  randomness: SeededRandomness,
  runs: number,
): (readonly [number, number, number])[] {
  return CODES.flatMap((code) =>
    [30, 120, 365.25].flatMap((days) => {
      if (lossWithin(code, eachAfter(days)) * runs < 20) return []
      const view = makeGrid(randomness, { households: oneEach(code) })
      // All groups of a grid of n nodes are on the same nodes, so one tells of all.
      const orders = ordersOf(view, code).slice(0, 1)
      const parts = Array.from({ length: runs }, (_, run) => {
        const model = {
          code,
          orders,
          householdOf: view.nodes.map((_, node) => node),
          nodeLife: { kind: 'exponential', meanDays: NODE_LIFE_DAYS },
          householdLife: { kind: 'exponential', meanDays: HOUSEHOLD_LIFE_DAYS },
          replacement: { kind: 'fixed', days },
          repairBelow: code.total,
          repair: { kind: 'fixed', days: 0 },
        } as const
        const fork = randomness.fork(`${nameOf(code)}/${days}/${run}`)
        return playGrid(model, HORIZON_DAYS, fork).lostPart
      })
      const { mean, spread } = meanOf(parts)
      return [[days, mean, spread] as const]
    }),
  )
}

/** Lazy repair as the protocol asks for it (below h) against repair at the first missing share, with nodes to spare. */
function thresholdChart(): Chart {
  const codes = CODES.filter(({ total }) => [4, 5, 7, 10].includes(total))
  return {
    title: 'Repair at the first missing share, or below h? (more nodes than n)',
    x: { ...DAYS_AXIS, label: 'mean wait until a repair has been made' },
    y: LOSS_AXIS,
    series: codes.flatMap((code) =>
      [code.total, happinessThreshold(code)].map((below) => ({
        name: `${nameOf(code)}, below ${below}`,
        points: DAYS.map(
          (meanDays) =>
            [meanDays, lossWithin(code, { kind: 'together', below, meanDays })] as const,
        ),
      })),
    ),
    marks: [{ y: 0.001, name: '1 in 1,000' }],
  }
}

function lifeChart(): Chart {
  const years = [0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12]
  return {
    title: 'Data loss in ten years by how long nodes last; 30 days to replace one',
    x: {
      label: 'mean time until a node is gone for good',
      scale: 'log',
      min: 0.25,
      max: 12,
      ticks: [0.25, 0.5, 1, 2, 4, 8, 12],
      format: (value) => `${value} y`,
    },
    y: LOSS_AXIS,
    series: CODES.map((code) => ({
      name: nameOf(code),
      points: years.map(
        (life) => [life, lossWithin(code, eachAfter(30), life * DAYS_PER_YEAR)] as const,
      ),
    })),
    marks: [{ y: 0.001, name: '1 in 1,000' }],
  }
}

const DAYS_AXIS = {
  scale: 'log',
  min: 1,
  max: 730.5,
  ticks: [1, 7, 30, 120, 365.25, 730.5],
  format: (days: number) => (days < 365 ? `${days} d` : `${Math.round(days / DAYS_PER_YEAR)} y`),
} as const

const LOSS_AXIS = { label: 'probability of loss', scale: 'log', min: 1e-12, max: 1 } as const

function waitTable(): Table {
  return {
    title: 'repair waits',
    head: [
      'code',
      'lost in ten years if replaced after 30 days',
      ...TARGETS.map((target) => `longest mean wait for ${chanceText(target)}`),
    ],
    rows: CODES.map((code) => [
      nameOf(code),
      chanceText(lossWithin(code, eachAfter(30))),
      ...TARGETS.map((target) => daysText(longestWaitDays(code, target, eachAfter))),
    ]),
  }
}

function thresholdTable(): Table {
  const after = (below: number) => (meanDays: number) =>
    ({ kind: 'together', below, meanDays }) as const
  return {
    title: 'repair thresholds',
    head: [
      'code',
      'h',
      'lost, repaired at the first missing share',
      'lost, repaired below h',
      'longest wait for 0.1 %, at the first',
      'longest wait for 0.1 %, below h',
    ],
    rows: CODES.map((code) => {
      const h = happinessThreshold(code)
      const losses = [code.total, h].map((below) => lossWithin(code, after(below)(7)))
      const waits = [code.total, h].map((below) => longestWaitDays(code, 0.001, after(below)))
      return [nameOf(code), String(h)].concat(losses.map(chanceText), waits.map(daysText))
    }),
  }
}
