import { taggedHash } from '../crypto/hash.ts'
import { leafCount, merkleRoot, verifyMerkleRange } from '../crypto/merkle.ts'
import { TAGS } from '../crypto/tags.ts'
import { erasureCode, shardSize, type ErasureCode } from '../erasure/code.ts'
import { allocateBytes, equalBytes, viewOf } from '../foundation/bytes.ts'
import { HayloftError } from '../foundation/error.ts'
import { blockId, type BlockId } from './block-id.ts'
import { MAX_CIPHERTEXT_BYTES, MAX_REQUIRED, MAX_SHARES } from './limits.ts'

/**
 * What a block's shares are, and the proof of each: `u8 1 ‖ u8 code=1 ‖ u8 k ‖ u8 n ‖ u32 |C| ‖ n × Merkle root`.
 * Its tagged hash is the block's id, so whoever holds an id can check a manifest, and with it any share or leaf.
 */
export interface Manifest {
  readonly code: ErasureCode
  /** Length of the ciphertext C before it is extended with zeros to k whole shards. */
  readonly ciphertextBytes: number
  /** Root of the Merkle tree over each of the n shards, in index order; 32 bytes each. */
  readonly roots: readonly Uint8Array[]
}

export const MANIFEST_HEADER_BYTES = 8
const ROOT_BYTES = 32
const VERSION = 1
const CODE_CAUCHY_REED_SOLOMON = 1

/** A manifest that no conforming writer makes, or that belongs to another block. */
export class MalformedManifestError extends HayloftError {
  readonly code = 'manifest-malformed'
}

export function encodeManifest({ code, ciphertextBytes, roots }: Manifest): Uint8Array {
  const bytes = allocateBytes(MANIFEST_HEADER_BYTES + ROOT_BYTES * roots.length)
  bytes.set([VERSION, CODE_CAUCHY_REED_SOLOMON, code.required, code.total])
  viewOf(bytes).setUint32(4, ciphertextBytes)
  roots.forEach((root, index) => {
    bytes.set(root, MANIFEST_HEADER_BYTES + ROOT_BYTES * index)
  })
  return bytes
}

/** @throws MalformedManifestError */
export function decodeManifest(bytes: Uint8Array): Manifest {
  if (bytes.length < MANIFEST_HEADER_BYTES)
    throw new MalformedManifestError('The manifest is cut short.')
  const [version, kind, required = 0, total = 0] = bytes
  if (version !== VERSION || kind !== CODE_CAUCHY_REED_SOLOMON) {
    throw new MalformedManifestError(
      'The manifest is of a version or erasure code that this Hayloft does not know.',
    )
  }
  const ciphertextBytes = viewOf(bytes).getUint32(4)
  const codeFits =
    required >= 1 && required <= MAX_REQUIRED && total >= required && total <= MAX_SHARES
  if (!codeFits || ciphertextBytes < 1 || ciphertextBytes > MAX_CIPHERTEXT_BYTES) {
    throw new MalformedManifestError('The manifest names impossible sizes.')
  }
  if (bytes.length !== MANIFEST_HEADER_BYTES + ROOT_BYTES * total) {
    throw new MalformedManifestError('The manifest has the wrong length.')
  }
  const roots = Array.from({ length: total }, (_, index) => {
    const start = MANIFEST_HEADER_BYTES + ROOT_BYTES * index
    return bytes.subarray(start, start + ROOT_BYTES)
  })
  return { code: erasureCode(required, total), ciphertextBytes, roots }
}

/** The id of the block that a manifest, in its encoded form, describes. */
export function blockIdOf(encodedManifest: Uint8Array): BlockId {
  return blockId(taggedHash(TAGS.blockId, encodedManifest))
}

/** Decodes a manifest and checks that it is the one `id` stands for. @throws MalformedManifestError */
export function openManifest(id: BlockId, encodedManifest: Uint8Array): Manifest {
  if (!equalBytes(blockIdOf(encodedManifest), id)) {
    throw new MalformedManifestError('The manifest belongs to another block.')
  }
  return decodeManifest(encodedManifest)
}

/** Bytes of each shard of a block. */
function shardBytesOf(manifest: Manifest): number {
  return shardSize(manifest.code, manifest.ciphertextBytes)
}

/** Leaves in the Merkle tree of each shard of a block. */
export function shardLeavesOf(manifest: Manifest): number {
  return leafCount(shardBytesOf(manifest))
}

/** Whether `shard` is the one the manifest has at `index`: the whole of what makes a share good. */
export function isShard(manifest: Manifest, index: number, shard: Uint8Array): boolean {
  const root = manifest.roots[index]
  if (root === undefined || shard.length !== shardBytesOf(manifest)) return false
  return equalBytes(merkleRoot(shard), root)
}

/** Whether `bytes` are the leaves from `firstLeaf` on of the shard at `index`. */
export function areLeaves(
  manifest: Manifest,
  {
    index,
    firstLeaf,
    bytes,
    proof,
  }: { index: number; firstLeaf: number; bytes: Uint8Array; proof: Uint8Array },
): boolean {
  const root = manifest.roots[index]
  if (root === undefined) return false
  return verifyMerkleRange({ root, length: shardBytesOf(manifest), firstLeaf, bytes, proof })
}
