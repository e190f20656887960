import type { SlotBase, SlotChange } from '../../grid/slots/client.ts'
import type { OpenedRecord } from '../../grid/slots/seal.ts'
import { chooseOlder, parentsAfter } from '../../grid/slots/set-back.ts'
import { mergeStates } from '../merge.ts'
import { emptyState, type FolderState } from '../state.ts'
import { directoryOfRoot, promoteDirectory } from '../transplant.ts'
import type { TreeStore } from '../tree/store.ts'
import type { FolderContext } from './context.ts'
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
    const sorted = await sortHeads(base, nodes)
    const said = { heads: base.heads.filter(isFolderRecord), older: base.older }
    const choice = chooseOlder(said, sorted, force)
    const { kept, given } = choice
    const dot = { tag: base.tag, counter: base.counter + 1 }
    const state = await stampedAnew(commit.nodes, kept, dot)
    accepted = { kept: newestOf(kept), gone: newestOf(given) }
    const parents = await parentsAfter(commit.store, choice)
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
