import { erasureCode, type ErasureCode } from '../../src/erasure/code.ts'
import { happinessThreshold } from '../../src/grid/placement/defaults.ts'
import type { Table } from '../models/table.ts'
import { chanceText, nameOf } from './assumptions.ts'
import { lossWithin } from './repair-waits.ts'
import { shortOf } from './uptimes.ts'

/** Codes that a grid of so many households could have, its default first. */
const CHOICES: readonly (readonly [households: number, codes: readonly ErasureCode[]])[] = [
  [3, [erasureCode(2, 3), erasureCode(1, 2), erasureCode(1, 3)]],
  [4, [erasureCode(2, 4), erasureCode(1, 3), erasureCode(1, 4)]],
  [6, [erasureCode(2, 5), erasureCode(2, 6)]],
  [8, [erasureCode(3, 7), erasureCode(3, 8)]],
  [9, [erasureCode(3, 7), erasureCode(3, 9)]],
  [12, [erasureCode(3, 10), erasureCode(3, 12)]],
]

/** What other codes would give grids of the same size. Exact. */
export function alternatives(): Table {
  return {
    title: 'alternatives',
    head: [
      'households',
      'code',
      'space',
      'lost in ten years if replaced after 30 days',
      'cannot be read (80 % uptime)',
      'cannot be written',
    ],
    rows: CHOICES.flatMap(([households, codes]) =>
      codes.map((code, at) => [
        String(households),
        nameOf(code) + (at === 0 ? ' (default)' : ''),
        `${Number((code.total / code.required).toPrecision(2))}×`,
        chanceText(lossWithin(code, { kind: 'each', meanDays: 30 })),
        chanceText(shortOf(code.required, code.total, UPTIME)),
        // An upload takes any nodes of the grid that are on.
        chanceText(shortOf(happinessThreshold(code), households, UPTIME)),
      ]),
    ),
  }
}

const UPTIME = 0.8
