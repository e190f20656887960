import type { SlotBase, SlotChange } from '../../grid/slots/client.ts'
import { recordHistory } from '../../grid/slots/history.ts'
import type { OpenedRecord } from '../../grid/slots/seal.ts'
import { mergeStates } from '../merge.ts'
import { emptyState, type FolderState } from '../state.ts'
import { directoryOfRoot, promoteDirectory } from '../transplant.ts'
import type { TreeStore } from '../tree/store.ts'
import type { FolderContext } from './context.ts'
import { NothingSetBackError } from './errors.ts'
import { newestOf, sortHeads } from './explaining.ts'
import type { AcceptedState } from './folder.ts'
import { folderHeads, isFolderRecord } from './heads.ts'
import { nodesOf } from './nodes.ts'
import type { OpenTree } from './open-trees.ts'
import { publishChange } from './publish.ts'

/**
 * Makes the older state of a folder, or what of its states can be read, its present one: as a commit after all that was
 * ever seen, whose entries count before those of the states that are gone. Of these the history keeps what they were
 * called, so that they are there again should nodes come back that have them.
 *
 * @param options.force - also where all of the newer state's topmost blocks can be read
 * @throws NothingSetBackError
 */
export async function acceptOlder(
  context: FolderContext,
  tree: OpenTree,
  { force = false, signal }: { force?: boolean | undefined; signal?: AbortSignal | undefined },
): Promise<AcceptedState> {
  let accepted: Omit<AcceptedState, 'durability'> | undefined
  const update = async (base: SlotBase): Promise<SlotChange> => {
    const commit = tree.openCommit()
    const nodes = nodesOf(tree.store)
    const { gone, there } = await sortHeads(base, nodes)
    const isLost = gone.length > 0 || (force && base.older !== undefined)
    const usesOlder = there.length === 0 || gone.length === 0
    if (!isLost || (usesOlder && base.older === undefined)) throw new NothingSetBackError()
    const kept = usesOlder ? (base.older?.heads ?? []) : there
    const given = usesOlder ? base.heads.filter(isFolderRecord) : gone
    const dot = { tag: base.tag, counter: base.counter + 1 }
    const state = await stampedAnew(commit.nodes, kept, dot)
    accepted = { kept: newestOf(kept), gone: newestOf(given) }
    // What came before the states that are gone is gone with them, and what is kept has its own past.
    const names = given.map(({ contents }) => ({ contents: { ...contents, parents: [] } }))
    const parents = await recordHistory(commit.store, [...kept, ...names])
    return publishChange(context, tree, { base, parents, state, commit, edits: [] })
  }
  const written = await context.slots.write(tree.keys, update, { signal })
  return {
    kept: undefined,
    gone: undefined,
    ...accepted,
    durability: written?.durability ?? 'degraded',
  }
}

async function stampedAnew(
  nodes: TreeStore,
  kept: readonly OpenedRecord[],
  dot: { readonly tag: SlotBase['tag']; readonly counter: number },
): Promise<FolderState> {
  if (kept.length === 0) return await emptyState(nodes)
  const states = folderHeads({ heads: kept, unreadable: 0 }).map(({ state }) => state)
  const { root } = await mergeStates(nodes, states)
  return await promoteDirectory(nodes, await directoryOfRoot(nodes, root), dot)
}
