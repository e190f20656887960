import { merkleRoot } from '../../crypto/merkle.ts'
import { shardSize, type ErasureCode } from '../../erasure/code.ts'
import type { ErasureEngine } from '../../erasure/engine.ts'
import { allocateShards } from '../../erasure/shards.ts'
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

/** Seals a frame and erasure-codes the ciphertext. */
export function encodeBlock(
  engine: ErasureEngine,
  { key, frame, code }: { key: Uint8Array; frame: EncodedFrame; code: ErasureCode },
): ShareSet {
  const ciphertextBytes = sealedBytes(frame)
  const shardBytes = shardSize(code, ciphertextBytes)
  const extended = allocateBytes(shardBytes * code.required)
  sealFrame(key, frame, extended)
  extended.fill(0, ciphertextBytes)
  return shareSetOf(engine, { code, extended, ciphertextBytes })
}

/** The share set of a ciphertext that is already extended with zeros to k whole shards. */
export function shareSetOf(
  engine: ErasureEngine,
  {
    code,
    extended,
    ciphertextBytes,
  }: { code: ErasureCode; extended: Uint8Array; ciphertextBytes: number },
): ShareSet {
  const shardBytes = shardSize(code, ciphertextBytes)
  const data = Array.from({ length: code.required }, (_, index) =>
    extended.subarray(index * shardBytes, (index + 1) * shardBytes),
  )
  const parity = allocateShards(code.total - code.required, shardBytes)
  engine.encode(code, data, parity)
  const shards = [...data, ...parity]
  const manifest = encodeManifest({ code, ciphertextBytes, roots: shards.map(merkleRoot) })
  return { id: blockIdOf(manifest), manifest, shards }
}
