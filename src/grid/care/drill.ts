import { shardSize } from '../../erasure/code.ts'
import { mapInOrder } from '../../foundation/concurrency.ts'
import { blockIdHex, type BlockId, type BlockIdHex } from '../../protocol/block-id.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { fetchClaimed, isOneCodeword } from '../blocks/examine.ts'
import type { GridContext } from '../context.ts'
import { surveyBlocks } from '../nodes/survey.ts'
import type { DrillReport } from './events.ts'

/** What a drill on blocks has shown, of the nodes too. */
export interface BlockDrill extends DrillReport {
  readonly good: ReadonlyMap<NodeKey, number>
  readonly bad: ReadonlyMap<NodeKey, number>
}

/**
 * Fetches all shares of some blocks and checks them to the last byte, and that any k of them are the same block. This
 * takes no power but to know the blocks' ids.
 */
export async function drillBlocks(
  context: GridContext,
  ids: readonly BlockId[],
  signal?: AbortSignal,
): Promise<BlockDrill> {
  const { holdings } = await surveyBlocks(context, ids, signal)
  const good = new Map<NodeKey, number>()
  const bad = new Map<NodeKey, number>()
  let [whole, bytes] = [0, 0]
  const examined = mapInOrder(ids, BLOCKS_AT_ONCE, async (id) => {
    const claims = holdings.get(blockIdHex(id)) ?? []
    return { id, ...(await fetchClaimed(context, id, { claims, signal })) }
  })
  for await (const { id, manifest, shares, bad: rotten } of examined) {
    for (const { node } of shares) good.set(node, (good.get(node) ?? 0) + 1)
    for (const { node } of rotten) bad.set(node, (bad.get(node) ?? 0) + 1)
    if (manifest === undefined) continue
    bytes += shares.length * shardSize(manifest.code, manifest.ciphertextBytes)
    const distinct = new Set(shares.map(({ index }) => index)).size
    const isReadable = distinct >= manifest.code.required
    if (isReadable && isOneCodeword(context, id, { manifest, shares })) whole += 1
  }
  return { what: 'blocks', tried: ids.length, whole, bytes, good, bad }
}

/** Different blocks, by id. */
export function distinctIds(ids: Iterable<BlockId>): BlockId[] {
  const byName = new Map<BlockIdHex, BlockId>()
  for (const id of ids) byName.set(blockIdHex(id), id)
  return [...byName.values()]
}

/** As many times n shards are in memory. */
const BLOCKS_AT_ONCE = 2
