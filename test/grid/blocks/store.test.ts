import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../../../src/crypto/hash.ts'
import { utf8 } from '../../../src/foundation/bytes.ts'
import { KIND_BRANCH, KIND_LEAF, type BlockFrame } from '../../../src/grid/blocks/frame.ts'
import type { BlockStore } from '../../../src/grid/blocks/store.ts'
import { verifyKeyOf } from '../../../src/crypto/block-keys.ts'
import {
  BrokenFileError,
  NotEnoughSharesError,
  TooFewNodesError,
} from '../../../src/grid/errors.ts'
import type { BlockReference } from '../../../src/grid/files/index-node.ts'
import { someBytes, testGrid, type TestGrid } from '../../support/grid.ts'

const ROUND_TRIP_MS = 2
const n = 10
const k = 3

const leafOf = (length: number, seed = 1): BlockFrame => ({
  kind: KIND_LEAF,
  level: 0,
  links: [],
  content: someBytes(length, seed),
})

function branchOver(children: readonly BlockReference[]): BlockFrame {
  const links = children.map(({ key, id }) => ({
    type: 'block' as const,
    id,
    verifyKey: verifyKeyOf(key),
  }))
  return { kind: KIND_BRANCH, level: 0, links, content: someBytes(40) }
}

const secretOf = (name: string): Uint8Array => sha256(utf8(name))
const storeOf = (grid: TestGrid, secret = 'a tree'): BlockStore =>
  grid.client.openBlockStore({ convergence: secretOf(secret) })

/** What `work` costs, while virtual time passes. */
const costOf = async <T>(grid: TestGrid, work: () => Promise<T>) =>
  await grid.measure(() => grid.run(work))

describe('a block store', () => {
  it('gives back what was put, in any store of the tree, and only to those with the key', async () => {
    await using grid = await testGrid()
    const frames = fc.record({
      kind: fc.integer({ min: 0, max: 4 }),
      level: fc.integer({ min: 0, max: 4 }),
      links: fc.constant([]),
      content: fc.uint8Array({ maxLength: 2_000 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(frames, { minLength: 1, maxLength: 5 }), async (blocks) => {
        await using ours = storeOf(grid)
        await using fresh = storeOf(grid)
        await grid.run(async () => {
          const references = await Promise.all(blocks.map((frame) => ours.put(frame)))
          await ours.flush()
          for (const [at, reference] of references.entries()) {
            expect(await ours.get(reference)).toEqual(blocks[at])
            expect(await fresh.get(reference)).toEqual(blocks[at])
            const forged = { ...reference, key: secretOf('guess') }
            await expect(ours.get(forged)).rejects.toThrow(BrokenFileError)
          }
        })
      }),
      { numRuns: 10 },
    )
  })

  it('names equal blocks of one tree alike, and of two trees unlike', async () => {
    await using grid = await testGrid()
    await using ours = storeOf(grid)
    await using again = storeOf(grid)
    await using theirs = storeOf(grid, 'another tree')
    const [first, second, other] = await grid.run(async () =>
      Promise.all([ours, again, theirs].map((store) => store.put(leafOf(100)))),
    )
    expect(second).toEqual(first)
    expect(other?.id).not.toEqual(first?.id)
    expect(other?.key).not.toEqual(first?.key)
  })

  it('refuses a block that is not what was expected', async () => {
    await using grid = await testGrid()
    await using store = storeOf(grid)
    await grid.run(async () => {
      const reference = await store.put(leafOf(100))
      const isLeaf = { kinds: [KIND_BRANCH, KIND_LEAF], level: 0 }
      expect(await store.get(reference, { expect: isLeaf })).toEqual(leafOf(100))
      for (const expect_ of [{ kinds: [KIND_BRANCH] }, { kinds: [KIND_LEAF], level: 1 }]) {
        await expect(store.get(reference, { expect: expect_ })).rejects.toThrow(BrokenFileError)
      }
    })
  })
})

describe('what it costs', () => {
  it('a leaf and its parent go out together: n shares each, in one round trip', async () => {
    await using grid = await testGrid({ nodes: 14 })
    await using store = storeOf(grid)
    const { traffic, tookMs, result } = await costOf(grid, async () => {
      const leaf = await store.put(leafOf(40_000))
      await store.put(branchOver([leaf]))
      await store.flush()
      return await store.settle()
    })
    expect(traffic.byOp()).toEqual({ put: 2 * n })
    expect(tookMs).toBe(ROUND_TRIP_MS)
    expect(result).toBe('healthy')
    expect(store.sentBytes).toBeGreaterThan((40_000 * n) / k)
  })

  it('what is large is asked for first, and what the grid has is not sent', async () => {
    await using grid = await testGrid()
    await using store = storeOf(grid)
    const put = async (): Promise<number> => {
      await using fresh = storeOf(grid)
      await fresh.put(leafOf(400_000))
      await fresh.flush()
      await fresh.settle()
      return fresh.sentBytes
    }
    const first = await costOf(grid, put)
    expect(first.traffic.byOp()).toEqual({ lease: n, put: n })
    const second = await costOf(grid, put)
    expect(second.traffic.byOp()).toEqual({ lease: n })
    expect(second.result).toBe(0)
    expect(store.sentBytes).toBe(0)
  })

  it('nothing for what this store has put, and nothing to read what it has seen', async () => {
    await using grid = await testGrid()
    await using store = storeOf(grid)
    await grid.run(async () => {
      await store.put(leafOf(100))
      await store.flush()
    })
    const { traffic } = await costOf(grid, async () => {
      const reference = await store.put(leafOf(100))
      await store.flush()
      await store.get(reference)
    })
    expect(traffic.byOp()).toEqual({})
  })

  it('k shares for a block that is fetched, however many ask for it', async () => {
    await using grid = await testGrid()
    await using store = storeOf(grid)
    await using fresh = storeOf(grid)
    const { traffic } = await costOf(grid, async () => {
      const reference = await store.put(leafOf(100))
      await store.flush()
      await Promise.all([1, 2, 3].map(async () => fresh.get(reference)))
      await fresh.get(reference)
    })
    expect(traffic.byOp()).toEqual({ put: n, get: k })
  })

  it('n shares each for hundreds of blocks that are put at once', async () => {
    await using grid = await testGrid()
    await using store = storeOf(grid)
    const count = 600
    const { traffic } = await costOf(grid, async () => {
      await Promise.all(Array.from({ length: count }, async (_, at) => store.put(leafOf(300, at))))
      await store.flush()
      return await store.settle()
    })
    expect(traffic.byOp()).toEqual({ put: count * n })
  })
})

describe('with bad nodes', () => {
  it('stores on the nodes that are there, says so, and waits for a silent one no longer than it must', async () => {
    await using grid = await testGrid()
    await using store = storeOf(grid)
    grid.nodes[3]!.freeze()
    const first = await grid.run(async () => {
      const reference = await store.put(leafOf(100))
      await store.flush()
      expect(await store.settle()).toBe('degraded')
      return reference
    })
    // Now it is known to be silent.
    const { tookMs } = await costOf(grid, async () => {
      await store.put(leafOf(200))
      await store.flush()
    })
    expect(tookMs).toBeLessThanOrEqual(2 * ROUND_TRIP_MS)
    await using fresh = storeOf(grid)
    expect(await grid.run(() => fresh.get(first))).toEqual(leafOf(100))
  })

  it('does not wait for nodes that are merely slow, and brings them their shares', async () => {
    await using grid = await testGrid()
    await using store = storeOf(grid)
    for (const at of [2, 6]) grid.world.network.setLink(grid.nodes[at]!.key, { latencyMs: 200 })
    const { tookMs } = await costOf(grid, async () => {
      await store.put(leafOf(100))
      await store.flush()
    })
    expect(tookMs).toBe(ROUND_TRIP_MS)
    expect(await grid.run(() => store.settle())).toBe('healthy')
  })

  it('takes others of the rank where there are more', async () => {
    await using grid = await testGrid({ nodes: 14 })
    await using store = storeOf(grid)
    for (const at of [1, 5]) grid.nodes[at]!.crash()
    grid.nodes[9]!.lie('full')
    await grid.run(async () => {
      await store.put(leafOf(100))
      await store.flush()
      expect(await store.settle()).toBe('healthy')
    })
  })

  it('fails when too few are there, once, and sends what failed when it is put again', async () => {
    await using grid = await testGrid()
    await using store = storeOf(grid)
    for (const at of [0, 1, 2]) grid.nodes[at]!.crash()
    grid.nodes[3]!.freeze()
    const put = async (): Promise<BlockReference> => {
      const reference = await store.put(leafOf(100))
      await store.flush()
      return reference
    }
    await expect(grid.run(put)).rejects.toThrow(TooFewNodesError)
    await grid.run(() => store.flush())
    await grid.run(async () => grid.nodes[0]!.restart())
    const reference = await grid.run(put)
    await using fresh = storeOf(grid)
    expect(await grid.run(() => fresh.get(reference))).toEqual(leafOf(100))
  })

  it('says when a block is not to be had', async () => {
    await using grid = await testGrid()
    await using store = storeOf(grid)
    const reference = await grid.run(async () => {
      const put = await store.put(leafOf(100))
      await store.flush()
      return put
    })
    for (const node of grid.nodes.slice(0, 8)) node.crash()
    await using fresh = storeOf(grid)
    await expect(grid.run(() => fresh.get(reference))).rejects.toThrow(NotEnoughSharesError)
  })
})
