import type { Chart } from '../models/chart.ts'
import type { Findings } from '../models/table.ts'
import type { SeededRandomness } from '../randomness.ts'
import {
  membershipCosts,
  membershipTable,
  NODES_AXIS,
  rankingFindings,
  trafficFindings,
} from './findings.ts'
import { KAD_DEFAULTS } from './kad-model.ts'
import { lookupFindings, modelLookups, realLookups, type LookupCost } from './lookups.ts'

/** Smaller buckets and shallower tables fill up with few nodes, as the real ones do with more than 1,280. */
const COMPARED = [
  { nodes: 30, settings: KAD_DEFAULTS },
  { nodes: 100, settings: KAD_DEFAULTS },
  { nodes: 100, settings: { ...KAD_DEFAULTS, bucketSize: 5, prefixBits: 2 } },
  { nodes: 200, settings: { ...KAD_DEFAULTS, bucketSize: 4, prefixBits: 3 } },
  { nodes: 300, settings: { ...KAD_DEFAULTS, bucketSize: 4, prefixBits: 2 } },
] as const

/** What the list of members and placement cost as a grid grows: real code, timed. */
export function findCosts(cpuMs: () => number, randomness: SeededRandomness): Findings {
  const membership = membershipCosts({ cpuMs, randomness: randomness.fork('membership') })
  const ranking = rankingFindings({ cpuMs, randomness: randomness.fork('ranking') })
  return { charts: ranking.charts, tables: [membershipTable(membership), ...ranking.tables] }
}

/**
 * What lookups and news cost as a grid grows.
 * @param effort - 1 for all, less for fewer sizes
 */
export async function findTraffic(randomness: SeededRandomness, effort: number): Promise<Findings> {
  const sizes = [10, 30, 100, 300, 1000, 3000, 10_000].slice(0, effort < 1 ? 4 : 7)
  const lookups = sizes.map((nodes) => {
    const fork = randomness.fork(`model/${nodes}`)
    return modelLookups({ nodes, samples: 300, randomness: fork })
  })
  const compared: [LookupCost, LookupCost][] = []
  for (const each of COMPARED.slice(0, effort < 1 ? 1 : COMPARED.length)) {
    const seed = `${each.nodes}/${each.settings.bucketSize}`
    const besides = randomness.fork(`beside/${seed}`)
    compared.push([
      await realLookups({ ...each, samples: 60, randomness: randomness.fork(`real/${seed}`) }),
      modelLookups({ ...each, offPart: 0, samples: 200, randomness: besides }),
    ])
  }
  const found = lookupFindings(lookups, compared)
  const traffic = trafficFindings(lookups, randomness.fork('traffic'))
  return {
    charts: new Map(traffic.charts).set('scale-hubs', hubsChart(lookups)),
    tables: [...found.tables, ...traffic.tables],
  }
}

/** Who is in how many tables: old nodes in all of their region's, late ones in few. */
function hubsChart(lookups: readonly LookupCost[]): Chart {
  const points = (of: (cost: LookupCost) => number | undefined): [number, number][] =>
    lookups.map((cost) => [cost.nodes, Math.max(1, of(cost) ?? 1)])
  return {
    title: 'The DHT leans on its oldest nodes: tables that list a node',
    x: { ...NODES_AXIS, max: 10_000, ticks: [10, 100, 1000, 10_000] },
    y: { label: 'nodes', scale: 'log', min: 1, max: 10_000 },
    series: [
      { name: 'most listed node', points: points(({ mostListed }) => mostListed) },
      { name: 'least listed node', points: points(({ leastListed }) => leastListed) },
      { name: 'contacts in a table', points: points(({ tableSize }) => tableSize) },
      { name: 'met by the busiest', points: points(({ mostMet }) => mostMet) },
    ],
    marks: [{ y: 300, name: 'connections that libp2p keeps' }],
  }
}
