import { describe, expect, it } from 'vitest'
import { SeededRandomness } from '../../simulations/randomness.ts'
import { flood } from '../../simulations/scale/gossip.ts'
import { KAD_DEFAULTS, KadModel } from '../../simulations/scale/kad-model.ts'
import { modelLookups, realLookups } from '../../simulations/scale/lookups.ts'
import { GridStatements } from '../../simulations/scale/membership-costs.ts'
import { dailyTraffic, totalOf } from '../../simulations/scale/traffic.ts'
import { Membership } from '../../src/protocol/membership/membership.ts'
import {
  MAX_STATEMENTS,
  MAX_STATEMENTS_BYTES,
  RESERVED_STATEMENTS,
} from '../../src/protocol/membership/limits.ts'

describe('the model of the DHT', () => {
  const line = { roundTripMs: 60, offPart: 0, timeoutMs: 3000 }

  it.each([
    { nodes: 12, settings: KAD_DEFAULTS },
    { nodes: 40, settings: { ...KAD_DEFAULTS, bucketSize: 4, prefixBits: 2 } },
  ])('does as $nodes real instances do', async (grid) => {
    const seed = `${grid.nodes}`
    const real = await realLookups({ ...grid, samples: 10, randomness: new SeededRandomness(seed) })
    const model = modelLookups({
      ...grid,
      offPart: 0,
      samples: 100,
      randomness: new SeededRandomness(`model/${seed}`),
    })
    expect(real.foundPart).toBeGreaterThan(0.95)
    expect(model.foundPart).toBeGreaterThan(0.95)
    // Far within what would change a conclusion; the keys differ, and the library takes chance of its own.
    const pairs = [
      [real.tableSize, model.tableSize],
      [real.hops, model.hops],
      [real.refreshRequests, model.refreshRequests],
      [real.aroundRequests, model.aroundRequests],
    ] as const
    for (const [measured, modelled] of pairs) {
      expect(modelled / measured).toBeGreaterThan(0.65)
      expect(modelled / measured).toBeLessThan(1.5)
    }
  })

  it('replays, lists everyone while there is room, and never more than fit', () => {
    const grow = (nodes: number): KadModel =>
      new KadModel({ nodes, settings: KAD_DEFAULTS, line, randomness: new SeededRandomness(nodes) })
    expect(grow(15).timesListed()).toEqual(Array.from({ length: 15 }, () => 14))
    expect(grow(50).lookUp()).toEqual(grow(50).lookUp())
    const settings = { ...KAD_DEFAULTS, bucketSize: 3, prefixBits: 2 }
    const small = new KadModel({ nodes: 80, settings, line, randomness: new SeededRandomness('s') })
    expect(small.meanTableSize()).toBeLessThanOrEqual(12)
    expect(small.meanTableSize()).toBeGreaterThan(6)
  })
})

describe('news', () => {
  it('reaches everyone, over every connection but the one that it came by', () => {
    const randomness = new SeededRandomness('news')
    const all = flood({ members: 8, connections: 7, roundTripMs: 60, randomness })
    expect(all).toMatchObject({ reachedPart: 1, copiesPerMember: (7 + 7 * 6) / 8 })
    const many = flood({ members: 2000, connections: 16, roundTripMs: 60, randomness })
    expect(many.reachedPart).toBe(1)
    expect(many.copiesPerMember).toBeGreaterThan(14)
  })

  it('and pings cost more with every member', () => {
    const totals = [10, 30, 100, 300, 1000].map((members) =>
      totalOf(
        dailyTraffic({
          members,
          statementsPerMember: 3,
          announcementBytes: 300,
          requestsPerRound: 3 * Math.min(members - 1, 20),
          copies: Math.min(members - 2, 299),
        }),
      ),
    )
    expect(totals).toEqual(totals.toSorted((a, b) => a - b))
  })
})

describe('the statements that the model counts', () => {
  it('are real ones, three a member, and their bytes do not fill the list before their number does', () => {
    const grid = new GridStatements(new SeededRandomness('statements'))
    const statements = Array.from({ length: 12 }, (_, at) => grid.member(at)).flat()
    const membership = new Membership({ gridId: grid.gridId, clock: { nowMs: () => 1.8e12 } })
    expect(membership.add(statements).refused).toEqual([])
    expect(membership.keys()).toHaveLength(12)
    expect(membership.nodes).toHaveLength(12)
    const changed = membership.add([grid.announcement(3, 2)])
    expect(changed.added).toHaveLength(1)
    expect(membership.all()).toHaveLength(36)
    const bytes = statements.reduce((sum, { length }) => sum + length, 0) / statements.length
    expect(bytes).toBeLessThan(MAX_STATEMENTS_BYTES / MAX_STATEMENTS)
    // What the page says of the largest grid: 1,194 members with one device, and the founder, whom the grid's key names.
    expect(Math.floor((MAX_STATEMENTS - RESERVED_STATEMENTS - 2) / 3) + 1).toBe(1195)
  })
})
