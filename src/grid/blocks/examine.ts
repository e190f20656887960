import { allocateBytes, equalBytes } from '../../foundation/bytes.ts'
import { mapConcurrently } from '../../foundation/concurrency.ts'
import { HayloftError } from '../../foundation/error.ts'
import { randomBelow } from '../../foundation/randomness.ts'
import type { BlockId } from '../../protocol/block-id.ts'
import {
  areLeaves,
  isShard,
  MalformedManifestError,
  openManifest,
  shardLeavesOf,
  type Manifest,
} from '../../protocol/manifest.ts'
import type { GridContext } from '../context.ts'
import { BrokenFileError } from '../errors.ts'
import { callUnlessSilent } from '../nodes/patience.ts'
import type { Holding } from '../nodes/survey.ts'
import { shareSetBytes, shareSetOf, type ShareSet } from './encode.ts'
import { assembleBlock, type GoodShare } from './fetch.ts'

/**
 * Fetches every share that nodes claim to hold and tells those that are what the block's id says from those that are
 * not; shares of nodes that gave no answer are neither.
 */
export async function fetchClaimed(
  { monitor }: GridContext,
  id: BlockId,
  { claims, signal }: { claims: readonly Holding[]; signal?: AbortSignal | undefined },
): Promise<{ manifest: Manifest | undefined; good: GoodShare[]; bad: Holding[] }> {
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
  return { manifest, good, bad }
}

function manifestOf(id: BlockId, encoded: Uint8Array): Manifest | undefined {
  try {
    return openManifest(id, encoded)
  } catch (error) {
    if (error instanceof MalformedManifestError) return undefined
    throw error
  }
}

/** Asks for one random leaf of every share that nodes claim to hold, and keeps the claims that were proven. */
export async function auditClaimed(
  { monitor, randomness }: GridContext,
  id: BlockId,
  {
    claims,
    manifest,
    signal,
  }: { claims: readonly Holding[]; manifest: Manifest; signal?: AbortSignal | undefined },
): Promise<Holding[]> {
  const proven: Holding[] = []
  await mapConcurrently(claims, CLAIMS_AT_ONCE, async ({ index, node }) => {
    await ignoringNodes(async () => {
      const leaf = randomBelow(randomness, shardLeavesOf(manifest))
      const request = { op: 'audit' as const, leaves: [{ id, index, leaf }] }
      const [answer] = (await callUnlessSilent<'audit'>(monitor, node, request, signal)).proofs
      if (answer === undefined) return
      if (areLeaves(manifest, { index, firstLeaf: leaf, ...answer })) proven.push({ index, node })
    }, signal)
  })
  return proven
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
 * All n shares of a block from k good ones, the same to the bit as when they were first made.
 * @throws BrokenFileError if the block's shares never were one codeword
 */
export function rebuildShares(
  context: GridContext,
  id: BlockId,
  { manifest, good }: { manifest: Manifest; good: readonly GoodShare[] },
): ShareSet {
  const { extended } = assembleBlock(context, manifest, good)
  const memory = allocateBytes(shareSetBytes(manifest.code, manifest.ciphertextBytes))
  memory.set(extended)
  const shares = shareSetOf(context.erasure, manifest, memory)
  if (!equalBytes(shares.id, id))
    throw new BrokenFileError('the shares of a block are not of one piece')
  return shares
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
