import { describe, expect, it } from 'vitest'
import { loadErasureEngine } from '../../src/erasure/engines.ts'
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

  it('is stored as a new one where a node is away or silent', async () => {
    await using grid = await testGrid({ nodes: n + 1 })
    const file = await grid.store(FIVE_BLOCKS)
    grid.holders(file)[0]?.crash()
    grid.holders(file)[1]?.freeze()
    const again = await grid.put(FIVE_BLOCKS)
    expect(again.capability).toEqual(file.capability)
    expect(again.sentBytes).toBeGreaterThan(0)
    expect(await grid.get(file.capability)).toEqual(FIVE_BLOCKS)
  })
})
