import { merkleRoot } from '../../crypto/merkle.ts'
import { EMPTY_BYTES, equalBytes } from '../../foundation/bytes.ts'
import { mapConcurrently } from '../../foundation/concurrency.ts'
import { HayloftError } from '../../foundation/error.ts'
import { randomBelow } from '../../foundation/randomness.ts'
import type { BlockId } from '../../protocol/block-id.ts'
import {
  areLeaves,
  encodeManifest,
  isShard,
  MalformedManifestError,
  openManifest,
  shardLeavesOf,
  type Manifest,
} from '../../protocol/manifest.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { GridContext } from '../context.ts'
import { BrokenFileError } from '../errors.ts'
import { callUnlessSilent } from '../nodes/patience.ts'
import type { Holding } from '../nodes/survey.ts'
import type { ShareSet } from './encode.ts'
import { assembleBlock, fetchShares, type GoodShare } from './fetch.ts'

/** What became of the claims to shares of one block. A claim that got no answer is neither good nor bad. */
export interface Examined {
  /** Undefined where no good share was seen. */
  readonly manifest: Manifest | undefined
  /** Those that were fetched whole and are good: at least k of them, if so many were found. */
  readonly shares: readonly GoodShare[]
  /** Claims that hold: those of `shares`, and those that were proven otherwise. */
  readonly good: readonly Holding[]
  readonly bad: readonly Holding[]
}

/**
 * Fetches k shares and has every other claim prove one random leaf of its share; claims of nodes in `caught` are
 * fetched and checked whole.
 * @throws NotEnoughSharesError
 */
export async function sampleClaimed(
  context: GridContext,
  id: BlockId,
  {
    claims,
    caught,
    signal,
  }: {
    claims: readonly Holding[]
    caught: ReadonlySet<NodeKey>
    signal?: AbortSignal | undefined
  },
): Promise<Examined> {
  const isCaught = ({ node }: Holding): boolean => caught.has(node)
  const doubted = await fetchClaimed(context, id, { claims: claims.filter(isCaught), signal })
  const trusted = claims.filter((claim) => !isCaught(claim))
  const { manifest, shares, bad } = await fetchShares(context, id, { claims: trusted, signal })
  const isSettled = (claim: Holding): boolean =>
    [...shares, ...bad].some(({ index, node }) => index === claim.index && node === claim.node)
  const rest = trusted.filter((claim) => !isSettled(claim))
  const audited = await auditClaimed(context, id, { claims: rest, manifest, signal })
  return {
    manifest,
    shares,
    good: [...doubted.good, ...shares, ...audited.proven],
    bad: [...doubted.bad, ...bad, ...audited.refuted],
  }
}

/**
 * Fetches every share that nodes claim to hold and tells those that are what the block's id says from those that are
 * not; shares of nodes that gave no answer are neither.
 */
export async function fetchClaimed(
  { monitor }: GridContext,
  id: BlockId,
  { claims, signal }: { claims: readonly Holding[]; signal?: AbortSignal | undefined },
): Promise<Examined> {
  let manifest: Manifest | undefined
  const good: GoodShare[] = []
  const bad: Holding[] = []
  await mapConcurrently(claims, CLAIMS_AT_ONCE, async ({ index, node }) => {
    await ignoringNodes(async () => {
      const { share } = await callUnlessSilent<'get'>(
        monitor,
        node,
        { op: 'get', id, index },
        signal,
      )
      // Of every share: a node whose copy of the manifest has rotted is of no use to a reader who asks it first.
      const own = share?.index === index ? manifestOf(id, share.manifest) : undefined
      manifest ??= own
      if (share !== undefined && own !== undefined && isShard(own, index, share.bytes)) {
        good.push({ index, shard: share.bytes, node })
      } else bad.push({ index, node })
    }, signal)
  })
  return { manifest, shares: good, good, bad }
}

function manifestOf(id: BlockId, encoded: Uint8Array): Manifest | undefined {
  try {
    return openManifest(id, encoded)
  } catch (error) {
    if (error instanceof MalformedManifestError) return undefined
    throw error
  }
}

/** Asks for one random leaf of every share that nodes claim to hold. Claims that got no answer are in neither list. */
export async function auditClaimed(
  { monitor, randomness }: GridContext,
  id: BlockId,
  {
    claims,
    manifest,
    signal,
  }: { claims: readonly Holding[]; manifest: Manifest; signal?: AbortSignal | undefined },
): Promise<{ proven: Holding[]; refuted: Holding[] }> {
  const proven: Holding[] = []
  const refuted: Holding[] = []
  await mapConcurrently(claims, CLAIMS_AT_ONCE, async ({ index, node }) => {
    await ignoringNodes(async () => {
      const leaf = randomBelow(randomness, shardLeavesOf(manifest))
      const request = { op: 'audit' as const, leaves: [{ id, index, leaf }] }
      const [answer] = (await callUnlessSilent<'audit'>(monitor, node, request, signal)).proofs
      const isProven =
        answer !== undefined && areLeaves(manifest, { index, firstLeaf: leaf, ...answer })
      ;(isProven ? proven : refuted).push({ index, node })
    }, signal)
  })
  return { proven, refuted }
}

/** A block's manifest, from whoever has it and at the price of one leaf. @returns undefined if nobody answers */
export async function fetchManifest(
  { monitor }: GridContext,
  id: BlockId,
  { claims, signal }: { claims: readonly Holding[]; signal?: AbortSignal | undefined },
): Promise<Manifest | undefined> {
  for (const { index, node } of claims) {
    let manifest: Manifest | undefined
    await ignoringNodes(async () => {
      const request = { op: 'get' as const, id, index, leaves: { first: 0, count: 1 } }
      const { share } = await callUnlessSilent<'get'>(monitor, node, request, signal)
      if (share !== undefined) manifest = openManifest(id, share.manifest)
    }, signal)
    if (manifest !== undefined) return manifest
  }
  return undefined
}

/**
 * Shares of a block from k good ones, the same to the bit as when they were first made.
 * @returns a set with `wanted` shards and those given; the others are empty
 * @throws BrokenFileError if the block's shares never were one codeword
 */
export function rebuildShares(
  { erasure }: Pick<GridContext, 'erasure'>,
  id: BlockId,
  {
    manifest,
    shares,
    wanted,
  }: { manifest: Manifest; shares: readonly GoodShare[]; wanted: readonly number[] },
): ShareSet {
  const { code, roots } = manifest
  // Two nodes may hold the same share.
  const distinct = new Map(shares.map((share) => [share.index, share]))
  const sources = [...distinct.values()].slice(0, code.required)
  const missing = wanted.filter((index) => !distinct.has(index))
  const rebuilt = missing.length === 0 ? [] : erasure.reconstruct(code, sources, missing)
  const shards = Array.from({ length: code.total }, (_, index) => distinct.get(index)?.shard)
  missing.forEach((index, at) => {
    const shard = rebuilt[at] as Uint8Array
    if (!equalBytes(merkleRoot(shard), roots[index] as Uint8Array))
      throw new BrokenFileError('the shares of a block are not of one piece')
    shards[index] = shard
  })
  return {
    id,
    manifest: encodeManifest(manifest),
    shards: shards.map((shard) => shard ?? EMPTY_BYTES),
  }
}

/** Shares that fit their hashes may still not fit each other, if whoever made them was broken. */
export function isOneCodeword(
  context: Pick<GridContext, 'erasure'>,
  id: BlockId,
  { manifest, shares }: { manifest: Manifest; shares: readonly GoodShare[] },
): boolean {
  const { required, total } = manifest.code
  // Those at hand are made anew as well: k of them may fit while another does not.
  const distinct = new Map(shares.map((share) => [share.index, share]))
  if (distinct.size < required) return true
  try {
    assembleBlock(context, manifest, shares)
    const sources = [...distinct.values()].slice(0, required)
    const wanted = Array.from({ length: total }, (_, index) => index)
    rebuildShares(context, id, { manifest, shares: sources, wanted })
    return true
  } catch (error) {
    if (error instanceof BrokenFileError) return false
    throw error
  }
}

/** Runs `work`; what the world breaks there is the node's fault and counts as no answer. */
async function ignoringNodes(
  work: () => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    signal?.throwIfAborted()
    if (!(error instanceof HayloftError)) throw error
  }
}

/** Claims of one block that are looked into at the same time: all those of the usual codes. */
const CLAIMS_AT_ONCE = 16
