import { happinessThreshold } from '../../src/grid/placement/defaults.ts'
import type { Findings } from '../models/table.ts'
import { CODES, nameOf, oneEach } from './assumptions.ts'
import { below, poissonBinomial, uptimeNeeded } from './binomial.ts'

/** The probability that fewer than `needed` of so many nodes are on, if each is on for this part of the time. */
export function shortOf(needed: number, nodes: number, uptime: number): number {
  return below(poissonBinomial(Array.from({ length: nodes }, () => uptime)), needed)
}

/** How much of the time must nodes be on, so that files can be read and written? Exact. */
export function uptimes(): Findings {
  const shown = [0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.92, 0.94, 0.96, 0.98]
  return {
    charts: new Map([
      [
        'durability-uptime',
        {
          title: 'How often a file cannot be read, a node in each of n households',
          x: {
            label: 'part of the time that each node is on and reachable',
            scale: 'linear',
            min: 0.3,
            max: 1,
            ticks: [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
            format: percentText,
          },
          y: { label: 'probability that fewer than k are on', scale: 'log', min: 1e-9, max: 1 },
          series: CODES.map((code) => ({
            name: nameOf(code),
            points: shown.map((uptime) => [uptime, shortOf(code.required, code.total, uptime)]),
          })),
          marks: [{ y: 0.001, name: '9 hours a year' }],
        },
      ],
    ]),
    tables: [
      {
        title: 'uptimes',
        head: [
          'code',
          'readable 99 % of the time',
          '99.9 %',
          '99.99 %',
          'writable (h of n) 99 %',
          '99.9 %',
          'a laptop grid (35 % on) is readable',
          'writable',
        ],
        rows: CODES.map((code) => {
          const nodes = oneEach(code).length
          const needed = (count: number, target: number): string =>
            percentText(uptimeNeeded((uptime) => shortOf(count, nodes, uptime), target))
          const h = happinessThreshold(code)
          return [nameOf(code)].concat(
            [0.01, 0.001, 0.0001].map((target) => needed(code.required, target)),
            [0.01, 0.001].map((target) => needed(h, target)),
            [code.required, h].map((count) => percentText(1 - shortOf(count, nodes, 0.35))),
          )
        }),
      },
    ],
  }
}

function percentText(part: number): string {
  return `${Number((part * 100).toPrecision(part > 0.9 ? 4 : 3))} %`
}
