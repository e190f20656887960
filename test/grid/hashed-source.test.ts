import { assert, asyncProperty, constantFrom, integer, oneof } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sourceOf } from '../../simulations/bytes.ts'
import { sha256 } from '../../src/crypto/hash.ts'
import { concatBytes, toHex } from '../../src/foundation/bytes.ts'
import { SourceChangedError } from '../../src/grid/errors.ts'
import { dataFrames } from '../../src/grid/files/chunks.ts'
import { FrameHasher, hashedSource, type HashedSource } from '../../src/grid/files/hashed-source.ts'
import { someBytes, testGrid } from '../support/grid.ts'

const BLOCK_BYTES = 2 ** 20
const BYTES = someBytes(3 * BLOCK_BYTES + 100)

function hashesOf(bytes: Uint8Array, pieceBytes = 300_000): Uint8Array | undefined {
  const hasher = new FrameHasher(bytes.length)
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    hasher.update(bytes.subarray(at, at + pieceBytes))
  }
  return hasher.finish()
}

/** @param now - what there is when it is read again */
function hashed(bytes: Uint8Array, now = bytes): { source: HashedSource; reads: number[] } {
  const reads: number[] = []
  const source = hashedSource({
    sizeBytes: bytes.length,
    frameHashes: hashesOf(bytes) ?? new Uint8Array(),
    read: async ({ offset, length }) => {
      reads.push(offset / BLOCK_BYTES)
      return await Promise.resolve(now.slice(offset, offset + length))
    },
  })
  return { source, reads }
}

function changed(bytes: Uint8Array, block: number): Uint8Array {
  const copy = bytes.slice()
  copy.fill(7, block * BLOCK_BYTES + 5, block * BLOCK_BYTES + 9)
  return copy
}

describe('hashes of frames', () => {
  it('are those of the frames that a file is cut into, however its bytes come', async () => {
    const sizes = oneof(
      integer({ min: 1, max: 3000 }),
      constantFrom(BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES),
    )
    const pieces = integer({ min: 100, max: 3 * BLOCK_BYTES })
    await assert(
      asyncProperty(sizes, pieces, async (sizeBytes, pieceBytes) => {
        const bytes = someBytes(sizeBytes)
        const frames: Uint8Array[] = []
        for await (const { frame } of dataFrames(sourceOf(bytes))) frames.push(sha256(frame.whole))
        expect(toHex(hashesOf(bytes, pieceBytes) ?? new Uint8Array())).toBe(
          toHex(concatBytes(frames)),
        )
      }),
      { numRuns: 20 },
    )
  })

  it('are none where there are more or fewer bytes than was said', () => {
    for (const sizeBytes of [99, 101]) {
      const hasher = new FrameHasher(sizeBytes)
      hasher.update(someBytes(100))
      expect(hasher.finish()).toBeUndefined()
    }
  })
})

describe('a file that was hashed before', () => {
  it('is stored under the same capability, each block read once', async () => {
    await using grid = await testGrid()
    const { source, reads } = hashed(BYTES)
    const first = await grid.run(() => grid.client.put(source))
    expect(reads).toEqual([0, 1, 2, 3])
    expect((await grid.put(BYTES)).capability).toEqual(first.capability)
  })

  it('is read again only where the grid has something else', async () => {
    await using grid = await testGrid()
    await grid.store(BYTES)
    const bytes = changed(BYTES, 2)
    const { source, reads } = hashed(bytes)
    const { result, traffic } = await grid.measure(
      async () => await grid.run(() => grid.client.put(source)),
    )
    expect(reads).toEqual([2])
    expect(traffic.byOp().put).toBe(2 * 10)
    expect((await grid.put(bytes)).capability).toEqual(result.capability)
  })

  it('is read again where shares are missing', async () => {
    await using grid = await testGrid()
    const [lost] = grid.holders(await grid.store(BYTES))
    await grid.run(async () => lost?.empty())
    const { source, reads } = hashed(BYTES)
    const { health } = await grid.run(() => grid.client.put(source))
    expect(health).toBe('healthy')
    expect(reads.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3])
  })

  it('is not stored where it has changed since', async () => {
    await using grid = await testGrid()
    for (const now of [changed(BYTES, 1), BYTES.slice(0, 2 * BLOCK_BYTES)]) {
      const { source } = hashed(BYTES, now)
      const putting = grid.run(() => grid.client.put(source))
      await expect(putting).rejects.toThrow(SourceChangedError)
    }
    // Where shares are missing it is met later, on the way.
    const [lost] = grid.holders(await grid.store(BYTES))
    await grid.run(async () => lost?.empty())
    const late = grid.run(() => grid.client.put(hashed(BYTES, changed(BYTES, 1)).source))
    await expect(late).rejects.toThrow(SourceChangedError)
  })
})
