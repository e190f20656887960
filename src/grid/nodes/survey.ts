import { EMPTY_BYTES } from '../../foundation/bytes.ts'
import { deferred } from '../../foundation/concurrency.ts'
import { HayloftError } from '../../foundation/error.ts'
import { shareIndices } from '../../protocol/bitmap.ts'
import { blockIdHex, type BlockId, type BlockIdHex } from '../../protocol/block-id.ts'
import { MAX_IDS } from '../../protocol/limits.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { GridContext } from '../context.ts'

/** Who says to hold what. */
export interface Survey {
  /** Every (share, node) that was claimed, by block. */
  readonly holdings: ReadonlyMap<BlockIdHex, readonly Holding[]>
  readonly answered: readonly NodeKey[]
  /** Nodes that could not be reached, refused or stayed silent. */
  readonly silent: readonly NodeKey[]
}

/** A share of a block, and a node that has it or says so. */
export interface Holding {
  readonly index: number
  readonly node: NodeKey
}

/**
 * Asks all nodes of the grid which shares of these blocks they hold: placement is where shares should be, and a check
 * is to find out where they are. One message a node for each 1,900 blocks; a silent node is not waited for.
 */
export async function surveyBlocks(
  { monitor, view }: GridContext,
  ids: readonly BlockId[],
  signal?: AbortSignal,
): Promise<Survey> {
  const holdings = new Map<BlockIdHex, Holding[]>(ids.map((id) => [blockIdHex(id), []]))
  const answered: NodeKey[] = []
  const silent: NodeKey[] = []
  const askNode = async (node: NodeKey, onSuspect: () => void): Promise<boolean> => {
    try {
      for (let start = 0; start < ids.length; start += MAX_IDS) {
        const batch = ids.slice(start, start + MAX_IDS)
        const reply = await monitor.call<'have'>(
          node,
          { op: 'have', ids: batch },
          { signal, onSuspect },
        )
        batch.forEach((id, at) => {
          const indices = shareIndices(reply.holdings[at] ?? EMPTY_BYTES)
          holdings.get(blockIdHex(id))?.push(...indices.map((index) => ({ index, node })))
        })
      }
      return true
    } catch (error) {
      if (error instanceof HayloftError) return false
      throw error
    }
  }
  await Promise.all(
    view.nodes.map(async ({ key }) => {
      const silence = deferred<boolean>()
      const asked = askNode(key, () => {
        silence.resolve(false)
      })
      const isThere = await Promise.race([asked, silence.promise])
      ;(isThere ? answered : silent).push(key)
    }),
  )
  return { holdings, answered, silent }
}
