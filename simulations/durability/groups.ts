import { erasureCode } from '../../src/erasure/code.ts'
import type { Findings } from '../models/table.ts'
import type { SeededRandomness } from '../randomness.ts'
import { chanceText } from './assumptions.ts'
import { lossOfGroups, lossOfRandomSets } from './copysets.ts'
import { holdersOf, makeGrid } from './friends.ts'

/** Of 1 MiB each: ten gigabytes and a terabyte. */
const BLOCKS = [10_000, 1_000_000] as const
const NODES = 50

/** Groups against random placement: is something lost, and how much? */
export function placementGroups(randomness: SeededRandomness, samples: number): Findings {
  const code = erasureCode(3, 10)
  const view = makeGrid(randomness, { households: Array.from({ length: NODES }, () => 1) })
  const holders = holdersOf(view, code)
  const counts = [8, 9, 10, 12, 14, 16, 18, 20, 22, 25, 28, 31, 34, 37, 40]
  const grouped = counts.map((lost) =>
    lossOfGroups({ holders, nodes: NODES, lost, code, samples, randomness }),
  )
  const random = BLOCKS.map((blocks) =>
    counts.map((lost) => lossOfRandomSets({ nodes: NODES, lost, code, blocks })),
  )
  const shown = [8, 10, 12, 16, 20, 25].map((lost) => counts.indexOf(lost))
  return {
    charts: new Map([
      [
        'durability-groups',
        {
          title: `Of ${NODES} nodes, some are lost together: is any block lost? (3-of-10)`,
          x: {
            label: 'nodes lost together',
            scale: 'linear',
            min: 8,
            max: 40,
            ticks: [8, 12, 16, 20, 24, 28, 32, 36, 40],
          },
          y: { label: 'probability', scale: 'log', min: 1e-9, max: 1 },
          series: [
            ...BLOCKS.map((blocks, at) => ({
              name: `random, ${blocks.toLocaleString('en-US')} blocks`,
              points: counts.map((lost, x) => [lost, random[at]?.[x]?.something ?? 0] as const),
            })),
            {
              name: '1,024 groups',
              points: counts.map((lost, x) => [lost, grouped[x]?.something ?? 0] as const),
            },
            {
              name: 'a given block, either way',
              points: counts.map((lost, x) => [lost, grouped[x]?.mean ?? 0] as const),
            },
          ],
        },
      ],
    ]),
    tables: [
      {
        title: 'groups',
        head: [
          'nodes lost of 50',
          'a given block is lost',
          'something is lost: 1,024 groups',
          'random, a million blocks',
          'lost then, of a terabyte: groups',
          'random',
        ],
        rows: shown.map((at) => {
          const [group, block] = [grouped[at], random[1]?.[at]]
          const something = [group?.something ?? 0, block?.something ?? 0]
          const mean = group?.mean ?? 0
          return [String(counts[at]), chanceText(mean)].concat(
            something.map(chanceText),
            something.map((part) => bytesText((mean / part) * 1e12)),
          )
        }),
      },
    ],
  }
}

function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3 + 1e-9))
  return `${Number((bytes / 1000 ** power).toPrecision(2))} ${units[power]}`
}
