import { describe, expect, it } from 'vitest'
import { concatBytes, equalBytes } from '../../src/foundation/bytes.ts'
import type { ByteRange } from '../../src/grid/download.ts'
import type { LocalVersion } from '../../src/grid/files/local-version.ts'
import { someBytes, testGrid, type StoredTestFile, type TestGrid } from '../support/grid.ts'

const BLOCK_BYTES = 2 ** 20
const OLD = someBytes(4 * BLOCK_BYTES + 100)

function versionOf(
  { capability }: StoredTestFile,
  bytes: Uint8Array,
): LocalVersion & { asked: ByteRange[] } {
  const asked: ByteRange[] = []
  const { key, id } = capability
  return {
    asked,
    reference: { key, id },
    read: async (range) => {
      asked.push(range)
      return await Promise.resolve(bytes.slice(range.offset, range.offset + range.length))
    },
  }
}

function changed(bytes: Uint8Array, ...blocks: number[]): Uint8Array {
  const copy = bytes.slice()
  for (const block of blocks) copy.fill(7, block * BLOCK_BYTES + 5, block * BLOCK_BYTES + 9)
  return copy
}

/** Data blocks that were fetched: their shares, 3 of each, are the only large replies. */
async function fetchedBlocks(
  grid: TestGrid,
  bytes: Uint8Array,
  options: { local: LocalVersion; range?: ByteRange },
): Promise<{ isRight: boolean; blocks: number }> {
  const { capability } = await grid.store(bytes)
  const { result, traffic } = await grid.measure(() => grid.get(capability, options))
  const { offset, length } = options.range ?? { offset: 0, length: bytes.length }
  // Comparing arrays of this size one by one takes a test many seconds.
  const isRight = equalBytes(result, bytes.subarray(offset, offset + length))
  return { isRight, blocks: Math.round(traffic.replyBytes('get') / BLOCK_BYTES) }
}

describe('a file of which the reader has another version', () => {
  it('is fetched as far as it is another', async () => {
    await using grid = await testGrid()
    const old = await grid.store(OLD)
    for (const blocks of [[], [0], [1, 3], [0, 1, 2, 3]]) {
      const bytes = changed(OLD, ...blocks)
      const read = await fetchedBlocks(grid, bytes, {
        local: versionOf(old, OLD),
      })
      expect(read).toEqual({ isRight: true, blocks: blocks.length })
    }
  })

  it('is whole where it is longer, shorter, or has nothing in common', async () => {
    await using grid = await testGrid()
    const old = await grid.store(OLD)
    const longer = concatBytes([OLD, someBytes(BLOCK_BYTES, 2)])
    for (const bytes of [longer, OLD.slice(0, 3 * BLOCK_BYTES), someBytes(3 * BLOCK_BYTES, 3)]) {
      const read = await fetchedBlocks(grid, bytes, {
        local: versionOf(old, OLD),
      })
      expect(read.isRight).toBe(true)
    }
  })

  it('is read from the middle, too', async () => {
    await using grid = await testGrid()
    const local = versionOf(await grid.store(OLD), OLD)
    const bytes = changed(OLD, 2)
    const range = { offset: BLOCK_BYTES + 10, length: 3 * BLOCK_BYTES }
    const read = await fetchedBlocks(grid, bytes, { local, range })
    expect(read).toEqual({ isRight: true, blocks: 1 })
    expect(local.asked.map(({ offset }) => offset / BLOCK_BYTES)).toEqual([1, 3, 4])
  })

  it('is fetched where the version cannot be had any more, here or on the grid', async () => {
    await using grid = await testGrid()
    const old = await grid.store(OLD)
    const bytes = changed(OLD, 1)
    const gone: LocalVersion = {
      ...versionOf(old, OLD),
      read: async () => await Promise.resolve(undefined),
    }
    expect(await fetchedBlocks(grid, bytes, { local: gone })).toEqual({ isRight: true, blocks: 4 })
    const { key, id } = old.capability
    const unknown = { ...versionOf(old, OLD), reference: { key: key.map((byte) => byte ^ 1), id } }
    expect(await fetchedBlocks(grid, bytes, { local: unknown })).toEqual({
      isRight: true,
      blocks: 4,
    })
    expect(unknown.asked).toEqual([])
  })
})
