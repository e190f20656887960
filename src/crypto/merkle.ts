import { assert } from '../foundation/error.ts'
import { equalBytes } from '../foundation/bytes.ts'
import { SHA256_BYTES } from './backend.ts'
import type { CryptoBackend } from './backend.ts'
import { backend } from './backends.ts'

/** Bytes in a leaf; the last leaf of a shard may be shorter, and is not padded. */
export const LEAF_BYTES = 16_384

/** Leaves in a tree over `length` bytes. */
export function leafCount(length: number): number {
  return Math.ceil(length / LEAF_BYTES)
}

/**
 * The Merkle tree hash of RFC 6962 §2.1 over leaves of {@link LEAF_BYTES}: a leaf is SHA256(0x00 ‖ bytes), a node
 * SHA256(0x01 ‖ left ‖ right), and a tree of n leaves splits at the largest power of two below n. 32 bytes. The tree
 * of no bytes is SHA256 of nothing.
 */
export function merkleRoot(data: Uint8Array): Uint8Array {
  return rootOfHashes(leafHashes(data), backend)
}

/**
 * What it takes beside leaves `firstLeaf` … `firstLeaf + leafCount − 1` to compute the root: the roots of the largest
 * subtrees that hold none of them, from left to right, 32 bytes each. Empty for the whole tree.
 */
export function merkleProof(data: Uint8Array, firstLeaf: number, leafCount: number): Uint8Array {
  const hashes = leafHashes(data)
  const leaves = hashes.length / SHA256_BYTES
  assert(isRange(firstLeaf, leafCount, leaves), 'a proof is for leaves that exist')
  const proof: Uint8Array[] = []
  const range = { first: firstLeaf, end: firstLeaf + leafCount }
  collectProof(hashes, { first: 0, end: leaves }, range, proof)
  const joined = new Uint8Array(proof.length * SHA256_BYTES)
  proof.forEach((hash, i) => joined.set(hash, i * SHA256_BYTES))
  return joined
}

export interface MerkleRange {
  /** The root of the whole tree. */
  readonly root: Uint8Array
  /**
   * Bytes under the root. A root does not commit to it, so it must come from where the root does: a wrong one can
   * only shift which leaf is which.
   */
  readonly length: number
  readonly firstLeaf: number
  /** Whole leaves, one after another; only the tree's last leaf may be short. At least one byte. */
  readonly bytes: Uint8Array
  /** From {@link merkleProof}. */
  readonly proof: Uint8Array
}

/** Whether `bytes` stand under `root` from leaf `firstLeaf` on. False, never an error, for anything malformed. */
export function verifyMerkleRange({ root, length, firstLeaf, bytes, proof }: MerkleRange): boolean {
  const leaves = leafCount(length)
  const count = leafCount(bytes.length)
  if (!isRange(firstLeaf, count, leaves) || proof.length % SHA256_BYTES !== 0) return false
  const end = firstLeaf + count
  const expectedBytes = Math.min(end * LEAF_BYTES, length) - firstLeaf * LEAF_BYTES
  if (bytes.length !== expectedBytes) return false
  const known = { hashes: leafHashes(bytes), range: { first: firstLeaf, end }, proof, used: 0 }
  const computed = rootFromProof(known, { first: 0, end: leaves })
  return computed !== undefined && known.used === proof.length && equalBytes(computed, root)
}

/** For known answers and browsers: the tree hash of any leaves, by a backend of the caller's choice. */
export function merkleRootOfLeaves(
  leaves: readonly Uint8Array[],
  by: CryptoBackend = backend,
): Uint8Array {
  const hashes = new Uint8Array(leaves.length * SHA256_BYTES)
  leaves.forEach((leaf, i) => hashLeaf(leaf, { into: hashes, offset: i * SHA256_BYTES, by }))
  return rootOfHashes(hashes, by)
}

interface Span {
  readonly first: number
  readonly end: number
}

const LEAF_PREFIX = 0
const NODE_PREFIX = 1

// Prefix and input in one piece, so that a hash is one call; copying 16 KiB costs a twentieth of hashing them. The code
// is synchronous, so one buffer serves all. What stays behind in it is ciphertext.
const leafScratch = new Uint8Array(1 + LEAF_BYTES)
const nodeScratch = new Uint8Array(1 + 2 * SHA256_BYTES)
nodeScratch[0] = NODE_PREFIX

function leafHashes(data: Uint8Array): Uint8Array {
  const hashes = new Uint8Array(leafCount(data.length) * SHA256_BYTES)
  for (let start = 0, offset = 0; start < data.length; start += LEAF_BYTES) {
    hashLeaf(data.subarray(start, start + LEAF_BYTES), { into: hashes, offset, by: backend })
    offset += SHA256_BYTES
  }
  return hashes
}

function hashLeaf(
  leaf: Uint8Array,
  { into, offset, by }: { into: Uint8Array; offset: number; by: CryptoBackend },
): void {
  assert(leaf.length <= LEAF_BYTES, 'a leaf fits the scratch buffer')
  leafScratch[0] = LEAF_PREFIX
  leafScratch.set(leaf, 1)
  const input = leaf.length === LEAF_BYTES ? leafScratch : leafScratch.subarray(0, 1 + leaf.length)
  by.sha256Into(input, into, offset)
}

function hashNode(hashes: Uint8Array, at: Uint8Array, offset: number, by: CryptoBackend): void {
  nodeScratch.set(hashes, 1)
  by.sha256Into(nodeScratch, at, offset)
}

/**
 * Pairs neighbours, level by level, an odd one out moving up as it is: the same tree as splitting at the largest power
 * of two, from below.
 */
function rootOfHashes(leaves: Uint8Array, by: CryptoBackend): Uint8Array {
  let count = leaves.length / SHA256_BYTES
  const level = new Uint8Array(Math.max(leaves.length, SHA256_BYTES))
  if (count === 0) {
    by.sha256Into(leaves, level, 0)
    return level
  }
  level.set(leaves)
  while (count > 1) {
    const pairs = count >> 1
    for (let i = 0; i < pairs; i++) {
      const from = 2 * i * SHA256_BYTES
      hashNode(level.subarray(from, from + 2 * SHA256_BYTES), level, i * SHA256_BYTES, by)
    }
    if (count % 2 === 1) {
      level.copyWithin(pairs * SHA256_BYTES, (count - 1) * SHA256_BYTES, count * SHA256_BYTES)
    }
    count -= pairs
  }
  return level.slice(0, SHA256_BYTES)
}

function collectProof(hashes: Uint8Array, tree: Span, range: Span, proof: Uint8Array[]): void {
  if (tree.end <= range.first || tree.first >= range.end) {
    const own = hashes.subarray(tree.first * SHA256_BYTES, tree.end * SHA256_BYTES)
    proof.push(rootOfHashes(own, backend))
    return
  }
  if (tree.first >= range.first && tree.end <= range.end) return
  const middle = tree.first + splitOf(tree.end - tree.first)
  collectProof(hashes, { first: tree.first, end: middle }, range, proof)
  collectProof(hashes, { first: middle, end: tree.end }, range, proof)
}

interface Known {
  readonly hashes: Uint8Array
  readonly range: Span
  readonly proof: Uint8Array
  used: number
}

/** Walks as {@link collectProof} does, taking a hash where that one gave one. As deep as the tree is high. */
function rootFromProof(known: Known, tree: Span): Uint8Array | undefined {
  const { hashes, range, proof } = known
  if (tree.end <= range.first || tree.first >= range.end) {
    const start = known.used
    known.used += SHA256_BYTES
    return known.used <= proof.length ? proof.subarray(start, known.used) : undefined
  }
  if (tree.first >= range.first && tree.end <= range.end) {
    const from = tree.first - range.first
    const own = hashes.subarray(from * SHA256_BYTES, (tree.end - range.first) * SHA256_BYTES)
    return rootOfHashes(own, backend)
  }
  const middle = tree.first + splitOf(tree.end - tree.first)
  const left = rootFromProof(known, { first: tree.first, end: middle })
  const right = rootFromProof(known, { first: middle, end: tree.end })
  if (left === undefined || right === undefined) return undefined
  const children = new Uint8Array(2 * SHA256_BYTES)
  children.set(left)
  children.set(right, SHA256_BYTES)
  const hash = new Uint8Array(SHA256_BYTES)
  hashNode(children, hash, 0, backend)
  return hash
}

/** The largest power of two below `leaves`, which is at least 2. */
function splitOf(leaves: number): number {
  return 2 ** (31 - Math.clz32(leaves - 1))
}

function isRange(first: number, count: number, leaves: number): boolean {
  return (
    Number.isSafeInteger(first) &&
    Number.isSafeInteger(count) &&
    first >= 0 &&
    count >= 1 &&
    first + count <= leaves
  )
}
