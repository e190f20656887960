import { taggedHash } from '../../crypto/hash.ts'
import { TAGS } from '../../crypto/tags.ts'
import type { ErasureCode } from '../../erasure/code.ts'
import { deferred } from '../../foundation/concurrency.ts'
import { HayloftError } from '../../foundation/error.ts'
import { shareIndices, type ShareBitmap } from '../../protocol/bitmap.ts'
import type { BlockId } from '../../protocol/block-id.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { GridContext } from '../context.ts'
import type { HoldingsBatcher } from '../nodes/holdings.ts'
import { spreadOverNodes } from '../placement/spread.ts'

/**
 * Which id the shares of a block had when it was last encoded. The id follows from key and code, but only by way of all
 * the hashing and coding that a block costs; whoever remembers it asks nodes for their leases at once, and encodes only
 * what they lack. A cache: it may forget, and must never be wrong.
 */
export interface KnownBlocks {
  idOf(name: BlockName): BlockId | undefined
  remember(name: BlockName, id: BlockId): void
}

/** 32 bytes that stand for a block's key and its code and give neither away. */
export type BlockName = Uint8Array

export function blockNameOf(key: Uint8Array, { required, total }: ErasureCode): BlockName {
  return taggedHash(TAGS.knownBlock, key, Uint8Array.of(required, total))
}

/**
 * Leases the shares of a block where they should be: on the first n nodes of its rank.
 * @returns what each of them holds, as far as they said, and who holds which share, if all n are there
 */
export async function leaseWhole(
  { ranking }: GridContext,
  batcher: HoldingsBatcher,
  { id, code: { total }, urgent }: { id: BlockId; code: ErasureCode; urgent: boolean },
): Promise<{
  answers: ReadonlyMap<NodeKey, ShareBitmap>
  holders: Map<number, NodeKey> | undefined
}> {
  const answers = new Map<NodeKey, ShareBitmap>()
  const silent = deferred<undefined>()
  const onSuspect = (): void => {
    silent.resolve(undefined)
  }
  const asked = ranking
    .order(id, total)
    .slice(0, total)
    .map(async ({ key: node }) => {
      try {
        answers.set(node, await batcher.ask(node, id, { urgent, onSuspect }))
      } catch (error) {
        if (!(error instanceof HayloftError)) throw error
      }
    })
  await Promise.race([silent.promise, Promise.all(asked)])
  const held = [...answers].flatMap(([node, bitmap]) =>
    shareIndices(bitmap).map((index) => ({ index, node })),
  )
  const holders = spreadOverNodes(held)
  return { answers, holders: holders.size === total ? holders : undefined }
}
