import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { spreadOverNodes } from '../../src/grid/placement/spread.ts'
import type { BlockId } from '../../src/protocol/block-id.ts'
import { nodeKey, type NodeKey } from '../../src/protocol/node-key.ts'
import { someBytes, testGrid, threeOfTen, type TestGrid } from '../support/grid.ts'

type Holder = ReturnType<TestGrid['holders']>[number]

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
    // The first node gets all shares, and two others only what it has, too.
    await gather(grid, file.capability.id, { from: others, to: first })
    expect(await grid.check(file.capability)).toMatchObject({ healthy: true })
    for (const node of others.slice(2)) node.crash()
    const report = await grid.check(file.capability, { verify: 'full' })
    expect(report).toMatchObject({ recoverable: true, healthy: false })
    expect(report.blocks[0]).toMatchObject({ sharesGood: threeOfTen.total, sharesSpread: 3 })
  })
})

describe('shares that all came to one node', () => {
  it('are read from it', async () => {
    await using grid = await testGrid()
    const content = someBytes(4_000)
    const file = await grid.store(content, { code: threeOfTen })
    const [first, ...others] = grid.holders(file)
    // Exactly what it takes, so that each must be found.
    await gather(grid, file.capability.id, { from: others.slice(-2), to: first })
    for (const node of others) node.crash()
    expect(await grid.get(file.capability)).toEqual(content)
  })
})

/** Puts the shares of some nodes on another one as well. */
async function gather(
  grid: TestGrid,
  id: BlockId,
  { from, to }: { readonly from: readonly Holder[]; readonly to: Holder | undefined },
): Promise<void> {
  const { endpoint } = grid.world.client
  for (const { key } of from) {
    const { share } = await grid.run(() => endpoint.call<'get'>(key, { op: 'get', id }))
    if (share === undefined || to === undefined) throw new Error('the share is there')
    const { manifest, index, bytes: shard } = share
    const request = { op: 'put' as const, manifest, index, shard, leaseS: 1_000 }
    await grid.run(() => endpoint.call<'put'>(to.key, request))
  }
}

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
