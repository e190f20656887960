import { merkleRoot } from '../../src/crypto/merkle.ts'
import { erasureCode, shardSize } from '../../src/erasure/code.ts'
import type { BlockId } from '../../src/protocol/block-id.ts'
import { blockIdOf, encodeManifest } from '../../src/protocol/manifest.ts'

/** Shares as a storage node sees them: it cannot tell a codeword from noise, so noise serves. */
export interface TestBlock {
  readonly id: BlockId
  readonly manifest: Uint8Array
  readonly shards: readonly Uint8Array[]
}

/** A block whose bytes follow from `seed` alone. */
export function testBlock(
  seed: number,
  { ciphertextBytes = 580, required = 3, total = 10 } = {},
): TestBlock {
  const code = erasureCode(required, total)
  const size = shardSize(code, ciphertextBytes)
  const shards = Array.from({ length: total }, (_, index) => noise(seed * 256 + index, size))
  const manifest = encodeManifest({ code, ciphertextBytes, roots: shards.map(merkleRoot) })
  return { id: blockIdOf(manifest), manifest, shards }
}

/** Bytes that differ from seed to seed; a generator by Marsaglia (xorshift32). */
function noise(seed: number, length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4))
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x5bd1e995) >>> 0 || 1
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[i] = state
  }
  return new Uint8Array(words.buffer, 0, length)
}

/** Whether there are bytes, and these: an assertion on whole shares compares them one by one, which takes too long. */
export function isSame(bytes: Uint8Array | undefined, expected: Uint8Array | undefined): boolean {
  return bytes !== undefined && expected !== undefined && Buffer.compare(bytes, expected) === 0
}
