import { erasureCode, type ErasureCode } from '../../src/erasure/code.ts'
import type { Findings, Table } from '../models/table.ts'
import type { SeededRandomness } from '../randomness.ts'
import {
  chanceText,
  DAYS_PER_YEAR,
  HORIZON_DAYS,
  HOUSEHOLD_LIFE_DAYS,
  nameOf,
  NODE_LIFE_DAYS,
} from './assumptions.ts'
import { below, reachableShares } from './binomial.ts'
import { BlockChain } from './chain.ts'
import { codeFor, holdersOf, makeGrid } from './friends.ts'
import { mostAway, tolerances } from './tolerance.ts'

/** Who lives with whom, and what it costs. */
export function households(randomness: SeededRandomness): Findings {
  const layouts = [
    ones(10),
    [2, ...ones(8)],
    [2, 2, ...ones(6)],
    [2, 2, 2, 2, 2],
    [4, 3, 3],
    [5, 5],
  ]
  const years = [5, 10, 20, 50, 100, 200, 500]
  const tenth = erasureCode(3, 10)
  return {
    charts: new Map([
      [
        'durability-households',
        {
          title: '3-of-10 over fewer households: data loss in ten years',
          x: {
            label: 'mean time until a household loses all that it has',
            scale: 'log',
            min: 5,
            max: 500,
            ticks: [5, 10, 20, 50, 100, 200, 500],
            format: (value) => `${value} y`,
          },
          y: { label: 'probability of loss', scale: 'log', min: 1e-10, max: 1 },
          series: layouts.map((layout) => ({
            name: `${layout.length} households`,
            points: years.map(
              (life) => [life, lossIn(layout, tenth, life * DAYS_PER_YEAR)] as const,
            ),
          })),
          marks: [{ y: 0.001, name: '1 in 1,000' }],
        },
      ],
    ]),
    tables: [toleranceTable(randomness), sharedTable(layouts, randomness)],
  }
}

/** Loss within the ten years, if lost nodes are replaced after 30 days. */
function lossIn(
  sharesByHousehold: readonly number[],
  code: ErasureCode,
  householdLifeDays = HOUSEHOLD_LIFE_DAYS,
): number {
  const chain = new BlockChain({
    code,
    sharesByHousehold,
    nodeLifeDays: NODE_LIFE_DAYS,
    householdLifeDays,
    repair: { kind: 'each', meanDays: 30 },
  })
  return chain.lossProbability(HORIZON_DAYS)
}

/** Every set of nodes away, tried on the real placement, for grids that grow from one household to twelve. */
function toleranceTable(randomness: SeededRandomness): Table {
  const layouts = [
    [1],
    [2],
    ...Array.from({ length: 11 }, (_, at) => ones(at + 2)),
    [2, ...ones(8)],
    [2, ...ones(9)],
  ]
  return {
    title: 'tolerance',
    head: [
      'nodes',
      'households',
      'default code',
      'any … away lose nothing',
      'sets tried',
      'with one more away, part of the data that cannot be read',
    ],
    rows: layouts.map((layout) => {
      const view = makeGrid(randomness, { households: layout })
      const code = codeFor(view)
      const most = mostAway(view, code)
      const all = tolerances(view, code)
      return [
        String(view.nodes.length),
        layoutText(layout),
        nameOf(code),
        String(most),
        String(all[most]?.sets),
        chanceText(all[most + 1]?.meanLost ?? 0),
      ]
    }),
  }
}

/** Ten nodes over fewer and fewer households, with the default code and with 3-of-10 insisted on. */
function sharedTable(layouts: readonly number[][], randomness: SeededRandomness): Table {
  const rows = layouts.flatMap((layout) => {
    const view = makeGrid(randomness, { households: layout })
    const codes = new Map([codeFor(view), erasureCode(3, 10)].map((code) => [nameOf(code), code]))
    return [...codes.values()].map((code) => {
      const [loss, away] = lossesByPlacement(view, code)
      return [
        layoutText(layout),
        nameOf(code),
        String(mostAway(view, code)),
        chanceText(loss),
        chanceText(away),
      ]
    })
  })
  return {
    title: 'ten nodes',
    head: [
      'ten nodes in',
      'code',
      'any … nodes away lose nothing',
      'lost in ten years',
      'cannot be read at some moment (80 % uptime, 99 % of lines)',
    ],
    rows,
  }
}

/** Mean over all groups: how the real placement spreads a block over households differs from group to group. */
function lossesByPlacement(
  view: ReturnType<typeof makeGrid>,
  code: ErasureCode,
): [loss: number, away: number] {
  const known = new Map<string, [number, number]>()
  const groups = holdersOf(view, code)
  let [loss, away] = [0, 0]
  for (const holders of groups) {
    const counts = new Map<string, number>()
    for (const node of holders) {
      const { zone } = view.nodes[node] as (typeof view.nodes)[number]
      counts.set(zone, (counts.get(zone) ?? 0) + 1)
    }
    const shares = [...counts.values()].toSorted((a, b) => b - a)
    const name = shares.join()
    const values = known.get(name) ?? [
      lossIn(shares, code),
      below(
        reachableShares({ sharesByHousehold: shares, nodeUptime: 0.8, householdUptime: 0.99 }),
        code.required,
      ),
    ]
    known.set(name, values)
    loss += values[0] / groups.length
    away += values[1] / groups.length
  }
  return [loss, away]
}

function ones(count: number): number[] {
  return Array.from({ length: count }, () => 1)
}

/** `10 households`, `9 households, one with 2`, `5 households, 2 each`. */
function layoutText(layout: readonly number[]): string {
  const houses = `${layout.length} household${layout.length === 1 ? '' : 's'}`
  const largest = Math.max(...layout)
  if (largest === 1) return houses
  if (layout.every((nodes) => nodes === largest)) return `${houses} of ${largest}`
  const doubles = layout.filter((nodes) => nodes > 1)
  if (doubles.length === layout.length) return `${houses} of ${layout.join(', ')}`
  return `${houses}, ${doubles.length} of them with ${largest}`
}
