import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blockId } from '../../src/protocol/block-id.ts'
import { nodeKey } from '../../src/protocol/node-key.ts'
import { defaultCode, happinessThreshold } from '../../src/grid/placement/defaults.ts'
import { groupOf, Ranking, rankNodes } from '../../src/grid/placement/rank.ts'
import type { StorageNodeInfo } from '../../src/grid/view.ts'
import { erasureCode } from '../../src/erasure/code.ts'

const gridId = new Uint8Array(32).fill(7)

function node(
  number: number,
  { zone = `home-${number}`, capacityBytes = 1e12 } = {},
): StorageNodeInfo {
  const key = nodeKey(number.toString(16).padStart(64, '0'))
  return { key, name: `node-${number}`, zone, capacityBytes }
}

function nodes(count: number): StorageNodeInfo[] {
  return Array.from({ length: count }, (_, at) => node(at + 1))
}

const anyId = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(blockId)
const anyNodes = fc
  .uniqueArray(
    fc.record({
      number: fc.integer({ min: 1, max: 1e9 }),
      zone: fc.integer({ min: 1, max: 5 }),
      capacityBytes: fc.integer({ min: 1, max: 1e15 }),
    }),
    { minLength: 1, maxLength: 25, selector: ({ number }) => number },
  )
  .map((all) =>
    all.map(({ number, zone, capacityBytes }) =>
      node(number, { zone: `home-${zone}`, capacityBytes }),
    ),
  )

describe('ranking', () => {
  it('does not depend on the order in which nodes are listed', () => {
    fc.assert(
      fc.property(anyNodes, fc.integer({ min: 0, max: 1023 }), (view, group) => {
        const there = rankNodes({ gridId, nodes: view }, group)
        const back = rankNodes({ gridId, nodes: [...view].reverse() }, group)
        expect(back).toEqual(there)
      }),
    )
  })

  it('moves nothing but the shares of the node that leaves', () => {
    fc.assert(
      fc.property(anyNodes, fc.integer({ min: 0, max: 1023 }), (view, group) => {
        const before = rankNodes({ gridId, nodes: view }, group)
        const [gone] = view
        const after = rankNodes({ gridId, nodes: view.filter((one) => one !== gone) }, group)
        expect(after).toEqual(before.filter((one) => one !== gone))
      }),
    )
  })

  it('gives each node the first place as often as its capacity deserves', () => {
    const view = [1, 2, 3, 4].map((times) => node(times, { capacityBytes: times * 1e9 }))
    const firsts = new Map<string, number>()
    for (let group = 0; group < 1024; group++) {
      const name = rankNodes({ gridId, nodes: view }, group)[0]!.name
      firsts.set(name, (firsts.get(name) ?? 0) + 1)
    }
    view.forEach((one, at) => {
      const expected = (1024 * (at + 1)) / 10
      // Five standard deviations of a binomial count; the outcome is fixed, so this cannot flicker.
      const tolerance = 5 * Math.sqrt(expected * (1 - (at + 1) / 10))
      expect(Math.abs((firsts.get(one.name) ?? 0) - expected)).toBeLessThan(tolerance)
    })
  })

  it('uses the top ten bits of the id', () => {
    const id = new Uint8Array(32)
    id.set([0xff, 0xff])
    expect(groupOf(blockId(id))).toBe(1023)
    id.set([0x00, 0x3f])
    expect(groupOf(blockId(id))).toBe(0)
    id.set([0x00, 0x40])
    expect(groupOf(blockId(id))).toBe(1)
  })

  it('is frozen', () => {
    const order = rankNodes({ gridId, nodes: nodes(10) }, 517).map(({ name }) => name)
    expect(order).toMatchInlineSnapshot(`
      [
        "node-1",
        "node-8",
        "node-9",
        "node-6",
        "node-5",
        "node-7",
        "node-4",
        "node-2",
        "node-3",
        "node-10",
      ]
    `)
  })
})

describe('the order to place shares in', () => {
  it('holds every node once', () => {
    fc.assert(
      fc.property(anyNodes, anyId, fc.integer({ min: 1, max: 20 }), (view, id, total) => {
        const order = new Ranking({ gridId, nodes: view }).order(id, total)
        expect(new Set(order)).toEqual(new Set(view))
        expect(order).toHaveLength(view.length)
      }),
    )
  })

  it('takes no more of one zone than its part while other zones have room', () => {
    fc.assert(
      fc.property(anyNodes, anyId, fc.integer({ min: 1, max: 20 }), (view, id, total) => {
        const zones = new Set(view.map(({ zone }) => zone)).size
        const part = Math.ceil(total / zones)
        const room = [...new Set(view.map(({ zone }) => zone))].reduce(
          (sum, zone) => sum + Math.min(part, view.filter((one) => one.zone === zone).length),
          0,
        )
        const first = new Ranking({ gridId, nodes: view })
          .order(id, total)
          .slice(0, Math.min(total, room))
        for (const { zone } of first) {
          expect(first.filter((one) => one.zone === zone).length).toBeLessThanOrEqual(part)
        }
      }),
    )
  })
})

describe('defaults', () => {
  it.each([
    [1, 1, 1],
    [2, 1, 2],
    [3, 2, 3],
    [4, 2, 4],
    [5, 2, 5],
    [6, 2, 5],
    [7, 3, 7],
    [9, 3, 7],
    [10, 3, 10],
    [40, 3, 10],
  ])('for %i households: %i-of-%i', (households, required, total) => {
    expect(defaultCode(nodes(households))).toEqual(erasureCode(required, total))
  })

  it('keeps a second copy where one household has two nodes', () => {
    const one = [node(1, { zone: 'home' }), node(2, { zone: 'home' }), node(3, { zone: 'home' })]
    expect(defaultCode(one)).toEqual(erasureCode(1, 2))
  })

  it('calls a block stored at k and half of the margin', () => {
    expect(happinessThreshold(erasureCode(3, 10))).toBe(7)
    expect(happinessThreshold(erasureCode(2, 5))).toBe(4)
    expect(happinessThreshold(erasureCode(1, 1))).toBe(1)
    expect(happinessThreshold(erasureCode(4, 4))).toBe(4)
  })
})

it('a ranking follows the nodes of its view', () => {
  const all = nodes(6)
  let shown = all.slice(0, 5)
  const view = {
    gridId,
    get nodes() {
      return shown
    },
  }
  const ranking = new Ranking(view)
  const id = blockId(new Uint8Array(32))
  expect(ranking.rank(id)).toEqual(rankNodes({ gridId, nodes: shown }, 0))
  shown = all
  expect(ranking.rank(id)).toEqual(rankNodes({ gridId, nodes: shown }, 0))
  expect(ranking.rank(id)).toHaveLength(6)
})
