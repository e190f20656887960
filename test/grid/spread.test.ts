import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { spreadOverNodes } from '../../src/grid/placement/spread.ts'
import { nodeKey, type NodeKey } from '../../src/protocol/node-key.ts'
import { someBytes, testGrid, threeOfTen } from '../support/grid.ts'

interface Holding {
  readonly index: number
  readonly node: NodeKey
}

const holding: fc.Arbitrary<Holding> = fc
  .record({ index: fc.nat(4), node: fc.nat(4) })
  .map(({ index, node }) => ({ index, node: nodeNamed(node) }))

describe('shares spread over nodes', () => {
  it('are as many as could ever stand on nodes of their own', () => {
    fc.assert(
      fc.property(fc.array(holding, { maxLength: 12 }), (holdings) => {
        const spread = spreadOverNodes(holdings)
        expect(new Set(spread.values()).size).toBe(spread.size)
        for (const [index, node] of spread) {
          expect(holdings.some((one) => one.index === index && one.node === node)).toBe(true)
        }
        expect(spread.size).toBe(mostSpread(holdings))
      }),
    )
  })

  it('do not count as healthy where one node keeps what two others have as well', async () => {
    await using grid = await testGrid()
    const file = await grid.store(someBytes(4_000), { code: threeOfTen })
    const [first, ...others] = grid.holders(file)
    const { endpoint } = grid.world.client
    const shareOf = async (node: NodeKey) => {
      const request = { op: 'get' as const, id: file.capability.id }
      const { share } = await grid.run(() => endpoint.call<'get'>(node, request))
      return share
    }
    // The first node gets all shares, and two others only what it has, too.
    for (const node of others) {
      const share = await shareOf(node.key)
      if (share === undefined || first === undefined) throw new Error('the share is there')
      const { manifest, index, bytes: shard } = share
      const request = { op: 'put' as const, manifest, index, shard, leaseS: 1_000 }
      await grid.run(() => endpoint.call<'put'>(first.key, request))
    }
    expect(await grid.check(file.capability)).toMatchObject({ healthy: true })
    for (const node of others.slice(2)) node.crash()
    const report = await grid.check(file.capability, { verify: 'full' })
    expect(report).toMatchObject({ recoverable: true, healthy: false })
    expect(report.blocks[0]?.sharesGood).toBe(threeOfTen.total)
  })
})

/** The same by trying everything. */
function mostSpread(holdings: readonly Holding[]): number {
  const [first, ...rest] = holdings
  if (first === undefined) return 0
  const others = rest.filter(({ index, node }) => index !== first.index && node !== first.node)
  return Math.max(mostSpread(rest), 1 + mostSpread(others))
}

function nodeNamed(number: number): NodeKey {
  return nodeKey(String(number).padStart(64, '0'))
}
