import { NotEnoughSharesError } from '../../grid/errors.ts'
import type { SlotState } from '../../grid/slots/client.ts'
import type { OpenedRecord } from '../../grid/slots/seal.ts'
import type { TreeStore } from '../tree/store.ts'
import { sortByRoot, type SetBackState, type Sorted } from '../../grid/slots/set-back.ts'
import { FolderSetBackError } from './errors.ts'
import { commitOf, isFolderRecord } from './heads.ts'
import { isEmptyRoot } from './nodes.ts'

/** What a slot says, in what a state of it and the base of a write have in common. */
export type Said = Pick<SlotState, 'heads' | 'older'>

/**
 * What was to be read of a folder and is on no node: if nodes went back to an older state, or one of several states is
 * gone with its blocks, that is told in place of it.
 */
export async function explaining<T>(
  said: Said,
  nodes: Pick<TreeStore, 'get'>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof NotEnoughSharesError)) throw error
    const { gone, there } = await sortHeads(said, nodes)
    const isExplained = said.older !== undefined || (gone.length > 0 && there.length > 0)
    if (!isExplained) throw error
    throw setBackError(said, { gone: gone.length > 0 ? gone : said.heads, there }, error)
  }
}

/** Reads blocks, and explains what is missing as {@link explaining} does. */
export function explainingNodes(said: Said, nodes: TreeStore): TreeStore {
  if (said.older === undefined) return nodes
  return {
    put: async (node) => await nodes.put(node),
    get: async (reference) => await explaining(said, nodes, async () => await nodes.get(reference)),
  }
}

export async function sortHeads({ heads }: Said, nodes: Pick<TreeStore, 'get'>): Promise<Sorted> {
  return await sortByRoot(heads.filter(isFolderRecord), async (root) =>
    isEmptyRoot(root) ? undefined : await nodes.get(root),
  )
}

function setBackError(said: Said, { gone, there }: Sorted, cause: Error): FolderSetBackError {
  const olderHeads = there.length > 0 ? there : (said.older?.heads ?? [])
  return new FolderSetBackError(
    { newer: newestOf(gone), older: newestOf(olderHeads), sinceMs: said.older?.sinceMs },
    { cause },
  )
}

export function newestOf(heads: readonly OpenedRecord[]): SetBackState | undefined {
  const [newest] = heads
    .flatMap(({ contents }) => commitOf(contents) ?? [])
    .toSorted((a, b) => b.timeMs - a.timeMs)
  return newest && { timeMs: newest.timeMs, device: newest.device }
}
