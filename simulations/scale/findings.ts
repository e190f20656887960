import type { Chart } from '../models/chart.ts'
import type { Findings, Table } from '../models/table.ts'
import type { SeededRandomness } from '../randomness.ts'
import { flood, type Flood } from './gossip.ts'
import { measureMembership, type MembershipCost } from './membership-costs.ts'
import { measureRanking, type Measuring } from './ranking-costs.ts'
import { connectionsOf, dailyTraffic, totalOf, type DailyTraffic } from './traffic.ts'
import type { LookupCost } from './lookups.ts'
import { bytesText, countText, durationText, SIZES } from './units.ts'

/** A member with one device holds an admission, a device statement and an announcement. */
const STATEMENTS_PER_MEMBER = 3

/** What the list of members takes, in bytes, in time to read it and to take a change. */
export function membershipCosts(means: Measuring): MembershipCost[] {
  return [10, 30, 100, 300, 1000, 1300].map((members) => measureMembership(members, means))
}

export function membershipTable(costs: readonly MembershipCost[]): Table {
  return {
    title: 'membership',
    head: [
      'members wanted',
      'let in',
      'statements',
      'bytes',
      'read and verified in',
      'one change taken in',
    ],
    rows: costs.map(({ wanted, members, statements, bytes, readMs, changeMs }) => [
      countText(wanted),
      countText(members),
      countText(statements),
      bytesText(bytes),
      durationText(readMs),
      durationText(changeMs),
    ]),
  }
}

/** What ranking takes, measured up to 100,000 nodes and continued in proportion. */
export function rankingFindings(means: Measuring): Findings {
  const measured = [10, 100, 1000, 10_000, 100_000].map((nodes) => measureRanking(nodes, means))
  const last = measured.at(-1)
  const million =
    last === undefined
      ? []
      : [{ nodes: 1e6, rankMs: last.rankMs * 10, allMs: last.allMs * 10, bytes: last.bytes * 10 }]
  const all = [...measured, ...million]
  return {
    charts: new Map([
      [
        'scale-ranking',
        {
          title: 'Ranking all nodes for a block (measured; the last point continued)',
          x: NODES_AXIS,
          y: { label: 'processor time', scale: 'log', min: 0.01, max: 1e7, format: durationText },
          series: [
            {
              name: 'for one group',
              points: all.map(({ nodes, rankMs }) => [nodes, rankMs] as const),
            },
            {
              name: 'for all 1,024',
              points: all.map(({ nodes, allMs }) => [nodes, allMs] as const),
            },
          ],
        },
      ],
    ]),
    tables: [
      {
        title: 'ranking',
        head: ['nodes', 'one group', 'all 1,024 groups', 'memory of all ranks'],
        rows: all.map(({ nodes, rankMs, allMs, bytes }) => [
          countText(nodes),
          durationText(rankMs),
          durationText(allMs),
          bytesText(bytes),
        ]),
      },
    ],
  }
}

/** What a member sends and receives in a day, if nobody stores anything. */
export function trafficFindings(
  lookups: readonly LookupCost[],
  randomness: SeededRandomness,
): Findings {
  const rows = SIZES.map((members) => {
    const spread = floodAt(members, randomness)
    const looked = lookups.findLast(({ nodes }) => nodes <= members)
    const traffic = dailyTraffic({
      members,
      statementsPerMember: STATEMENTS_PER_MEMBER,
      announcementBytes: 300,
      requestsPerRound: (looked?.refreshRequests ?? 0) + 2 * (looked?.aroundRequests ?? 0),
      copies: spread.copiesPerMember,
    })
    return { members, spread, traffic }
  })
  return {
    charts: new Map([['scale-traffic', trafficChart(rows)]]),
    tables: [
      {
        title: 'traffic',
        head: [
          'members',
          'connections',
          'pings',
          'DHT',
          'exchanges',
          'news',
          'together, a day',
          'of a line of 20 Mbit/s',
          'a change has reached all after',
          'and was sent, a member',
        ],
        rows: rows.map(({ members, spread, traffic }) => {
          const { pings, dht, exchanges, news } = traffic
          const part = (totalOf(traffic) / LINE_BYTES_PER_DAY) * 100
          return [countText(members), countText(traffic.connections)].concat(
            [pings, dht, exchanges, news, totalOf(traffic)].map(bytesText),
            `${Number(part.toPrecision(2))} %`,
            durationText(spread.lastMs),
            `${Math.round(spread.copiesPerMember)} times`,
          )
        }),
      },
    ],
  }
}

/** Both ways. */
const LINE_BYTES_PER_DAY = (2 * 20e6 * 86_400) / 8

/** Played up to 10,000 members; a million have the same connections each, and one or two pushes more to the last one. */
function floodAt(members: number, randomness: SeededRandomness): Flood {
  const played = Math.min(members, 10_000)
  const connections = Math.min(connectionsOf(members), MAX_PLAYED_CONNECTIONS)
  const result = flood({
    members: played,
    connections: connections / 2,
    roundTripMs: 60,
    randomness,
  })
  // A member sends to all its connections but the one that it heard it from.
  return { ...result, copiesPerMember: Math.max(1, connectionsOf(members) - 1) }
}

/** More of them reach everyone sooner still, and only cost memory here. */
const MAX_PLAYED_CONNECTIONS = 100

function trafficChart(rows: readonly { members: number; traffic: DailyTraffic }[]): Chart {
  const parts: readonly [string, (traffic: DailyTraffic) => number][] = [
    ['pings', ({ pings }) => pings],
    ['DHT', ({ dht }) => dht],
    ['exchanges', ({ exchanges }) => exchanges],
    ['news', ({ news }) => news],
    ['together', totalOf],
  ]
  return {
    title: 'Traffic of one member in a day in which nobody stores anything',
    x: NODES_AXIS,
    y: {
      label: 'bytes sent and received a day',
      scale: 'log',
      min: 1e5,
      max: 1e13,
      format: bytesText,
    },
    series: parts.map(([name, of]) => ({
      name,
      points: rows.map(({ members, traffic }) => [members, of(traffic)] as const),
    })),
    marks: [{ y: LINE_BYTES_PER_DAY, name: 'all that 20 Mbit/s carry' }],
  }
}

export const NODES_AXIS = {
  label: 'nodes',
  scale: 'log',
  min: 10,
  max: 1e6,
  ticks: [10, 100, 1000, 10_000, 100_000, 1e6],
} as const
