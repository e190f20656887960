import { merkleRoot } from '../../crypto/merkle.ts'
import { shardSize, type ErasureCode } from '../../erasure/code.ts'
import type { ErasureEngine } from '../../erasure/engine.ts'
import { allocateBytes } from '../../foundation/bytes.ts'
import type { BlockId } from '../../protocol/block-id.ts'
import { blockIdOf, encodeManifest } from '../../protocol/manifest.ts'
import type { EncodedFrame } from './frame.ts'
import { sealedBytes, sealFrame } from './seal.ts'

/** All that nodes will keep of a block: a manifest and n shards. */
export interface ShareSet {
  readonly id: BlockId
  /** Encoded; see `protocol/manifest.ts`. */
  readonly manifest: Uint8Array
  /** n shards of one size, in index order; the first k are the ciphertext itself. */
  readonly shards: readonly Uint8Array[]
}

/** Memory that all n shards of a block take together. */
export function shareSetBytes(code: ErasureCode, ciphertextBytes: number): number {
  return shardSize(code, ciphertextBytes) * code.total
}

/**
 * Seals a frame and erasure-codes the ciphertext.
 * @param memory where to put the shards, {@link shareSetBytes} long
 */
export function encodeBlock(
  engine: ErasureEngine,
  { key, frame, code }: { key: Uint8Array; frame: EncodedFrame; code: ErasureCode },
  memory: Uint8Array = allocateBytes(shareSetBytes(code, sealedBytes(frame))),
): ShareSet {
  const ciphertextBytes = sealedBytes(frame)
  const extended = memory.subarray(0, shardSize(code, ciphertextBytes) * code.required)
  sealFrame(key, frame, extended)
  extended.fill(0, ciphertextBytes)
  return shareSetOf(engine, { code, ciphertextBytes }, memory)
}

/**
 * The share set of a ciphertext.
 * @param memory begins with the ciphertext, extended with zeros to k whole shards; the rest takes the parity
 */
export function shareSetOf(
  engine: ErasureEngine,
  { code, ciphertextBytes }: { code: ErasureCode; ciphertextBytes: number },
  memory: Uint8Array,
): ShareSet {
  const shardBytes = shardSize(code, ciphertextBytes)
  const shards = Array.from({ length: code.total }, (_, index) =>
    memory.subarray(index * shardBytes, (index + 1) * shardBytes),
  )
  engine.encode(code, shards.slice(0, code.required), shards.slice(code.required))
  const manifest = encodeManifest({ code, ciphertextBytes, roots: shards.map(merkleRoot) })
  return { id: blockIdOf(manifest), manifest, shards }
}
