import { toHex } from '../../foundation/bytes.ts'
import { assert } from '../../foundation/error.ts'
import type { SlotBase, SlotChange } from '../../grid/slots/client.ts'
import type { BlockReference } from '../../grid/files/index-node.ts'
import { recordHistory } from '../../grid/slots/history.ts'
import { joinVectors, type TagHex, type VersionVector } from '../../protocol/version-vector.ts'
import { commitEdits } from '../commit/commit.ts'
import type { Edit } from '../commit/edits.ts'
import { mergeStates } from '../merge.ts'
import type { Path } from '../names.ts'
import { emptyState, type FolderState } from '../state.ts'
import { openDirectory } from '../tree/part.ts'
import type { FolderContext } from './context.ts'
import { checkUnchanged } from './expectations.ts'
import {
  MAX_CONFLICTS_TOLD,
  type CommitResult,
  type EditMaker,
  type EditOptions,
} from './folder.ts'
import { folderHeads } from './heads.ts'
import { isEmptyRoot } from './nodes.ts'
import type { CommitNodes, OpenTree } from './open-trees.ts'
import { OpenedView } from './opened-view.ts'
import { explaining } from './explaining.ts'

/**
 * Commits edits to a folder: its present states are merged, the edits applied, all new blocks sent at once, and then the
 * slot is written. Where others come first, all of that is done again on what they made.
 */
export async function publishEdits(
  context: FolderContext,
  tree: OpenTree,
  edits: readonly Edit[] | EditMaker,
  { ifUnchanged, signal }: EditOptions = {},
): Promise<CommitResult> {
  let attempt: { readonly joined: number; readonly state: FolderState } | undefined
  const make = async (base: SlotBase): Promise<SlotChange | undefined> => {
    const heads = folderHeads(base)
    const joined = heads.length + base.unreadable
    const commit = tree.openCommit()
    const merged = await mergeStates(
      commit.nodes,
      heads.map(({ state }) => state),
    )
    const view = viewForWriter(context, tree, merged)
    await checkUnchanged(view, ifUnchanged)
    const list = typeof edits === 'function' ? await edits(view) : edits
    tree.assertStored(list)
    await checkDirectories(tree, list)
    const { tag, device } = { tag: base.tag, device: context.device }
    const start = { clock: clockBefore(base), root: merged.root }
    const state = await commitEdits(commit.nodes, start, list, { tag, device })
    attempt = { joined, state }
    if (joined === 1 && toHex(state.root.id) === toHex(merged.root.id)) return undefined
    return await change(context, tree, base, { state, commit, edits: list })
  }
  const update = async (base: SlotBase): Promise<SlotChange | undefined> =>
    await explaining(base, tree.nodes, async () => await make(base))
  const written = await context.slots.write(tree.keys, update, { signal })
  const { joined = 1, state } = attempt ?? {}
  const durability = written?.durability ?? 'unchanged'
  const areJoined = joined > 1 && state !== undefined
  const conflicts = areJoined ? await conflictsIn(viewForWriter(context, tree, state)) : []
  return { durability, sentBytes: tree.takeSentBytes(), joined, conflicts }
}

/** Writes a folder that only its maker knows yet: whatever it was before, it is what the edits make of an empty one. */
export async function publishNew(
  context: FolderContext,
  tree: OpenTree,
  edits: readonly Edit[],
  { isNew, signal }: { isNew: boolean; signal?: AbortSignal | undefined },
): Promise<{ durability: 'durable' | 'degraded'; clock: VersionVector }> {
  const { device } = context
  const update = async (base: SlotBase): Promise<SlotChange> => {
    const commit = tree.openCommit()
    const { root } = await emptyState(commit.nodes)
    const start = { clock: clockBefore(base), root }
    const state = await commitEdits(commit.nodes, start, edits, { tag: base.tag, device })
    return await change(context, tree, base, { state, commit, edits })
  }
  const written = await context.slots.write(tree.keys, update, { isNew, signal })
  assert(written !== undefined, 'there is always something to write')
  return { durability: written.durability, clock: written.record.record.clock }
}

/** Writes the empty state where nothing was ever written. */
export async function publishIfMissing(
  context: FolderContext,
  tree: OpenTree,
  signal: AbortSignal | undefined,
): Promise<void> {
  const update = async (base: SlotBase): Promise<SlotChange | undefined> => {
    if (base.heads.length > 0 || base.unreadable > 0) return undefined
    const commit = tree.openCommit()
    const state = await emptyState(commit.nodes)
    return await change(context, tree, base, { state, commit, edits: [] })
  }
  await context.slots.write(tree.keys, update, { signal })
}

/**
 * The clock that a commit of this device starts from. The record's own clock contains all of these numbers, those of
 * writes that failed, too; so the next one is the one that the commit may use, lest a dot stand for two commits.
 */
function clockBefore({ clock, tag, counter }: SlotBase): VersionVector {
  return counter === 0 ? clock : joinVectors(clock, new Map<TagHex, number>([[tag, counter]]))
}

async function change(
  context: FolderContext,
  tree: OpenTree,
  base: SlotBase,
  made: { state: FolderState; commit: CommitNodes; edits: readonly Edit[] },
): Promise<SlotChange> {
  const parents = await recordHistory(made.commit.store, base.heads)
  return publishChange(context, tree, { base, parents, ...made })
}

/** What a commit makes of a slot. */
export function publishChange(
  { clock, device }: FolderContext,
  tree: OpenTree,
  {
    base: { heads },
    parents,
    state,
    commit,
    edits,
  }: {
    base: SlotBase
    /** History blocks of the states that it replaces. */
    parents: readonly BlockReference[]
    state: Pick<FolderState, 'root'>
    commit: CommitNodes
    edits: readonly Edit[]
  },
): SlotChange {
  // A device whose calendar is behind must not make its commit look older than the ones that it replaces.
  const times = heads.map(({ contents }) => (contents.modifiedMs ?? 0) + 1)
  const modifiedMs = Math.min(Math.max(clock.nowMs(), ...times), Number.MAX_SAFE_INTEGER)
  const ready = tree.flush(commit, edits)
  // It is awaited only once the record is signed, and must not count as unhandled until then.
  ready.catch(() => undefined)
  const optional = {
    ...(isEmptyRoot(state.root) ? {} : { root: state.root }),
    ...(device === '' ? {} : { device }),
  }
  return { contents: { kind: 'folder', parents, modifiedMs, ...optional }, ready }
}

function viewForWriter(context: FolderContext, tree: OpenTree, state: FolderState): OpenedView {
  const { nodes, keys } = tree
  return new OpenedView(context, { nodes, tree: state, keys, chain: [toHex(keys.slot)] })
}

/** A directory that is put by reference must be one that is there. @throws NotEnoughSharesError, BrokenFolderError */
async function checkDirectories({ nodes }: OpenTree, edits: readonly Edit[]): Promise<void> {
  for (const edit of edits) {
    if (edit.kind !== 'put' || edit.content.kind !== 'directory') continue
    await openDirectory(nodes, edit.content.directory)
  }
}

async function conflictsIn(view: OpenedView): Promise<Path[]> {
  const conflicts: Path[] = []
  for await (const { path } of view.conflicts([])) {
    conflicts.push(path)
    if (conflicts.length >= MAX_CONFLICTS_TOLD) break
  }
  return conflicts
}
