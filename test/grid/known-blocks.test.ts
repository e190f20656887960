import { describe, expect, it } from 'vitest'
import { loadErasureEngine } from '../../src/erasure/engines.ts'
import { sourceOf } from '../../simulations/bytes.ts'
import { equalBytes, toHex } from '../../src/foundation/bytes.ts'
import { openGrid } from '../../src/grid/grid.ts'
import { blockId } from '../../src/protocol/block-id.ts'
import type { ErasureEngine } from '../../src/erasure/engine.ts'
import { someBytes, testGrid, threeOfTen } from '../support/grid.ts'

const n = threeOfTen.total
const FIVE_BLOCKS = someBytes(4 * 2 ** 20 + 1)

/** Counts how often it encodes. */
function countingEngine(): ErasureEngine & { encoded: number } {
  const engine = loadErasureEngine()
  return {
    name: engine.name,
    encoded: 0,
    encode(...args) {
      this.encoded += 1
      engine.encode(...args)
    },
    reconstruct: (...args) => engine.reconstruct(...args),
  }
}

describe('a file whose blocks are known', () => {
  it('is stored again by questions alone: nothing is encoded, nothing sent', async () => {
    const erasure = countingEngine()
    await using grid = await testGrid({ erasure })
    const first = await grid.put(FIVE_BLOCKS)
    erasure.encoded = 0
    const { result, traffic } = await grid.measure(() => grid.put(FIVE_BLOCKS))
    expect(erasure.encoded).toBe(0)
    expect(Object.keys(traffic.byOp())).toEqual(['lease'])
    expect(result).toMatchObject({ capability: first.capability, sentBytes: 0, health: 'healthy' })
    expect(result.placements).toEqual(first.placements)
  })

  it('is encoded where shares are missing, and only those are sent', async () => {
    const erasure = countingEngine()
    await using grid = await testGrid({ erasure })
    const file = await grid.store(FIVE_BLOCKS)
    const [lost] = grid.holders(file)
    await grid.run(async () => lost?.empty())
    erasure.encoded = 0
    const { result, traffic } = await grid.measure(() => grid.put(FIVE_BLOCKS))
    expect(erasure.encoded).toBe(6)
    expect(traffic.byOp()['put']).toBe(6)
    expect(result).toMatchObject({ capability: file.capability, health: 'healthy' })
  })

  it('is not remembered where its keys are random: nobody meets them again', async () => {
    await using grid = await testGrid()
    const remembered: string[] = []
    const client = openGrid({
      caller: grid.world.client.endpoint,
      view: grid.world.view,
      clock: grid.world.clock,
      randomness: grid.world.randomness.fork('keys'),
      erasure: loadErasureEngine(),
      convergence: new Uint8Array(32),
      knownBlocks: {
        idOf: () => undefined,
        remember: (name) => remembered.push(toHex(name)),
      },
    })
    const put = async (randomKey: boolean): Promise<void> => {
      await grid.run(() => client.put(sourceOf(someBytes(2000)), { randomKey }))
    }
    await put(true)
    expect(remembered).toEqual([])
    await put(false)
    expect(remembered).toHaveLength(1)
    client[Symbol.dispose]()
  })

  it('whose remembered id is another one is not given a capability that leads nowhere', async () => {
    await using grid = await testGrid()
    const client = openGrid({
      caller: grid.world.client.endpoint,
      view: grid.world.view,
      clock: grid.world.clock,
      randomness: grid.world.randomness.fork('ids'),
      erasure: loadErasureEngine(),
      convergence: new Uint8Array(32),
      knownBlocks: { idOf: () => blockId(new Uint8Array(32).fill(7)), remember: () => undefined },
    })
    await expect(grid.run(() => client.put(sourceOf(someBytes(2000))))).rejects.toThrow(
      'a block that is encoded again has its id',
    )
    client[Symbol.dispose]()
  })

  it('is stored as a new one where a node is away or silent', async () => {
    await using grid = await testGrid({ nodes: n + 1 })
    const file = await grid.store(FIVE_BLOCKS)
    grid.holders(file)[0]?.crash()
    grid.holders(file)[1]?.freeze()
    const again = await grid.put(FIVE_BLOCKS)
    expect(again.capability).toEqual(file.capability)
    expect(again.sentBytes).toBeGreaterThan(0)
    // An assertion on each of four million bytes takes its time.
    expect(equalBytes(await grid.get(file.capability), FIVE_BLOCKS)).toBe(true)
  })
})
