import { LEAF_BYTES, merkleProof } from '../crypto/merkle.ts'
import { EMPTY_BYTES } from '../foundation/bytes.ts'
import { mapConcurrently } from '../foundation/concurrency.ts'
import type { BlockId } from '../protocol/block-id.ts'
import {
  areLeaves,
  MalformedManifestError,
  openManifest,
  shardLeavesOf,
} from '../protocol/manifest.ts'
import type {
  AuditReply,
  GetReply,
  GetRequest,
  LeafName,
  LeafProof,
  RequestOf,
} from '../protocol/messages.ts'
import { AUDIT_CONCURRENCY } from './request-memory.ts'
import type { StoredShare } from './share-contents.ts'
import { bitmapOf, type ShareStore } from './share-store.ts'

/**
 * Answers GET. A whole share goes out as it is: whoever asked checks it anyway, and the scrub finds what rots. Leaves
 * go out with their proof, which takes the whole share to make; so it is checked, and one that rotted is struck off.
 */
export async function getShare(store: ShareStore, request: GetRequest): Promise<GetReply> {
  const { id, index, leaves } = request
  const found = await store.read(id, index)
  if (found === undefined) return { op: 'get' }
  const { row, held, share } = found
  const common = { manifest: share.manifest, index: held.index, held: bitmapOf(row) }
  if (leaves === undefined) {
    return { op: 'get', share: { ...common, proof: EMPTY_BYTES, bytes: share.shard } }
  }
  const proven = proveLeaves(id, share, { index: held.index, ...leaves })
  if (proven === 'rotten') await store.strikeOff(id, held, 'rotten')
  if (proven === 'rotten' || proven === 'absent') return { op: 'get' }
  return { op: 'get', share: { ...common, ...proven } }
}

/** Answers AUDIT. */
export async function answerAudit(
  store: ShareStore,
  { leaves, manifests }: RequestOf<'audit'>,
): Promise<AuditReply> {
  const proofs = await mapConcurrently(leaves, AUDIT_CONCURRENCY, async (leaf) => {
    return await proveLeaf(store, leaf, { withManifest: manifests === true })
  })
  return { op: 'audit', proofs }
}

async function proveLeaf(
  store: ShareStore,
  { id, index, leaf }: LeafName,
  { withManifest }: { readonly withManifest: boolean },
): Promise<LeafProof | undefined> {
  const found = await store.read(id, index)
  if (found === undefined) return undefined
  const proven = proveLeaves(id, found.share, { index, first: leaf, count: 1 })
  if (proven === 'rotten') await store.strikeOff(id, found.held, 'rotten')
  if (typeof proven === 'string') return undefined
  return withManifest ? { ...proven, manifest: found.share.manifest } : proven
}

function proveLeaves(
  id: BlockId,
  { manifest, shard }: StoredShare,
  { index, first, count }: { index: number; first: number; count: number },
): Pick<LeafProof, 'bytes' | 'proof'> | 'absent' | 'rotten' {
  try {
    const opened = openManifest(id, manifest)
    if (first + count > shardLeavesOf(opened)) return 'absent'
    const proof = merkleProof(shard, first, count)
    // A copy, so that a small answer does not keep a whole share in memory until it is sent.
    const bytes = shard.slice(first * LEAF_BYTES, (first + count) * LEAF_BYTES)
    const intact = areLeaves(opened, { index, firstLeaf: first, bytes, proof })
    return intact ? { bytes, proof } : 'rotten'
  } catch (error) {
    if (error instanceof MalformedManifestError) return 'rotten'
    throw error
  }
}
