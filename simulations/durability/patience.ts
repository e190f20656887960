import { erasureCode } from '../../src/erasure/code.ts'
import { happinessThreshold } from '../../src/grid/placement/defaults.ts'
import type { Findings } from '../models/table.ts'
import type { SeededRandomness } from '../randomness.ts'
import { chanceText, DAYS_PER_YEAR, daysText, NODE_LIFE_DAYS } from './assumptions.ts'
import { makeGrid, ordersOf } from './friends.ts'
import { playGrid, type GridHistory, type GridModel } from './play.ts'
import { lossWithin } from './repair-waits.ts'
import { meanOf } from './sampling.ts'

const PATIENCE_DAYS = [0.5, 1, 2, 4, 7, 14, 30, 60]
const NODES = 30
const YEARS = 4

/** How long may a node be away before its shares are made anew? Too soon costs traffic, too late costs safety. */
export function patience(randomness: SeededRandomness, runs: number): Findings {
  const code = erasureCode(3, 10)
  const policies = [code.total, happinessThreshold(code)]
  const results = policies.map((repairBelow) =>
    PATIENCE_DAYS.map((patienceDays) =>
      playPatience({ repairBelow, patienceDays, runs, randomness }),
    ),
  )
  return {
    charts: new Map([
      [
        'durability-patience',
        {
          title: `Repair traffic by how soon a silent node is given up (3-of-10, ${NODES} nodes)`,
          x: {
            label: 'days away after which a node is counted as lost',
            scale: 'log',
            min: 0.5,
            max: 60,
            ticks: PATIENCE_DAYS,
            format: (days) => `${days}`,
          },
          y: {
            label: 'stored bytes uploaded anew, a year',
            scale: 'log',
            min: 0.01,
            max: 10,
            format: (part) => `${part * 100} %`,
          },
          series: policies.map((below, at) => ({
            name: below === code.total ? 'at the first missing' : `below ${below} of ${code.total}`,
            points: PATIENCE_DAYS.map(
              (days, x) => [days, (results[at]?.[x]?.repaired ?? 0) / code.total] as const,
            ),
          })),
        },
      ],
    ]),
    tables: [
      {
        title: 'patience',
        head: [
          'counted as lost after',
          ...policies.flatMap((below) => [
            `uploaded anew a year, repair below ${below}`,
            'of it in vain',
            'space then',
            'lost in ten years',
          ]),
        ],
        rows: PATIENCE_DAYS.map((days, x) =>
          [daysText(days)].concat(
            policies.flatMap((below, at) => cellsOf(results[at]?.[x], { below, days })),
          ),
        ),
      },
    ],
  }
}

function cellsOf(
  result: Patience | undefined,
  { below, days }: { readonly below: number; readonly days: number },
): string[] {
  const code = erasureCode(3, 10)
  const { repaired, wasted, kept } = result ?? { repaired: 0, wasted: 0, kept: 0 }
  const loss = lossWithin(code, { kind: 'together', below, meanDays: days + REPAIR_DAYS })
  return [
    `${Number(((repaired / code.total) * 100).toPrecision(2))} %`,
    `${Math.round(wasted * 100)} %`,
    `${(kept / code.required).toFixed(1)}×`,
    chanceText(loss),
  ]
}

interface Patience {
  /** Shares made anew, a group and year. */
  readonly repaired: number
  /** Of these, the part in vain. */
  readonly wasted: number
  /** Shares of a group on all nodes in the end. */
  readonly kept: number
}

/** A daily round finds what is missing, and repairs it over a household's line. */
const REPAIR_DAYS = 1

/** Sixteen hours on, eight off, on average; one absence in fifty is a holiday or a broken router, two weeks on average. */
const OUTAGES: GridModel['outages'] = {
  on: { kind: 'exponential', meanDays: 16 / 24 },
  off: { kind: 'mixed', shortDays: 8 / 24, longDays: 14, longPart: 0.02 },
}

function playPatience(options: {
  repairBelow: number
  patienceDays: number
  runs: number
  randomness: SeededRandomness
}): Patience {
  const { repairBelow, patienceDays, runs, randomness } = options
  const code = erasureCode(3, 10)
  const histories = Array.from({ length: runs }, (_, run): GridHistory => {
    const fork = randomness.fork(`patience/${repairBelow}/${patienceDays}/${run}`)
    const view = makeGrid(fork, { households: Array.from({ length: NODES }, () => 1) })
    return playGrid(
      {
        code,
        orders: ordersOf(view, code).filter((_, group) => group % 16 === 0),
        householdOf: view.nodes.map((_, node) => node),
        nodeLife: { kind: 'exponential', meanDays: NODE_LIFE_DAYS },
        replacement: { kind: 'fixed', days: 30 },
        outages: OUTAGES,
        patienceDays,
        repairBelow,
        repair: { kind: 'fixed', days: REPAIR_DAYS },
      },
      YEARS * DAYS_PER_YEAR,
      fork,
    )
  })
  return {
    repaired: meanOf(histories.map((history) => history.repairedSharesPerYear)).mean,
    wasted: meanOf(histories.map((history) => history.wastedPart)).mean,
    kept: meanOf(histories.map((history) => history.keptShares)).mean,
  }
}
