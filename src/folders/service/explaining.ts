import { NotEnoughSharesError } from '../../grid/errors.ts'
import type { SlotState } from '../../grid/slots/client.ts'
import type { OpenedRecord } from '../../grid/slots/seal.ts'
import type { TreeStore } from '../tree/store.ts'
import { FolderSetBackError, type SetBackState } from './errors.ts'
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

/** States of a folder, by whether they can be read. */
export interface Sorted {
  /** Whose topmost block cannot be had. */
  readonly gone: readonly OpenedRecord[]
  readonly there: readonly OpenedRecord[]
}

export async function sortHeads({ heads }: Said, nodes: Pick<TreeStore, 'get'>): Promise<Sorted> {
  const gone: OpenedRecord[] = []
  const there: OpenedRecord[] = []
  for (const head of heads.filter(isFolderRecord)) {
    ;((await hasRoot(head, nodes)) ? there : gone).push(head)
  }
  return { gone, there }
}

async function hasRoot(
  { contents }: OpenedRecord,
  nodes: Pick<TreeStore, 'get'>,
): Promise<boolean> {
  const { root } = contents
  if (root === undefined || isEmptyRoot(root)) return true
  try {
    await nodes.get(root)
    return true
  } catch (error) {
    if (error instanceof NotEnoughSharesError) return false
    throw error
  }
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
