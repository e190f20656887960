import { equalDots, NO_DOTS } from '../../folders/dots.ts'
import type { BookStep, PullContent, PullRemoval, PushContent, PushRemoval } from './steps.ts'
import {
  isAsAgreed,
  isAsShown,
  type LocalNode,
  type PathText,
  type RemoteLeaf,
  type RemoteNode,
  type SyncedLeaf,
  type SyncedNode,
} from './trees.ts'

/** One path in all three trees. */
export interface Triple {
  readonly path: PathText
  readonly local: LocalNode | undefined
  readonly synced: SyncedNode | undefined
  readonly remote: RemoteNode | undefined
  /**
   * The disk has what was agreed here under another name as well: a conflict copy and the file that it is a version of,
   * which is about to make way for another content.
   */
  readonly isTwice?: boolean | undefined
  /** By its user's choice, or a rule. */
  readonly isLeftOut?: boolean | undefined
}

export type LeafStep = PushContent | PushRemoval | PullContent | PullRemoval | BookStep

/**
 * What is to happen to the file or symbolic link at a path, if anything. Directories are decided after all of these, by
 * what is left in them.
 *
 * Local changes go first: whatever the grid has become meanwhile, a change is pushed as one of what was agreed. Where both
 * sides changed, the folder then holds both contents, and shows one of them as a conflict copy.
 */
export function decideLeaf(triple: Triple): LeafStep | undefined {
  const { local } = triple
  // What is wanted again later is compared as if it had never been agreed, so that its absence is no removal.
  if (triple.isLeftOut === true) {
    return triple.synced && { kind: 'forget', path: triple.path }
  }
  if (local?.kind === 'opaque') return undefined
  const synced = leafOf(triple.synced)
  if (local?.kind === 'file' || local?.kind === 'symlink') {
    const isChanged = synced === undefined || !isAsAgreed(local, synced)
    return isChanged ? pushing(triple, local, synced) : pulling(triple, synced)
  }
  if (synced !== undefined) return removing(triple, synced)
  const remote = leafOf(triple.remote)
  // A directory that is in the way goes first, or stays.
  if (local !== undefined || remote === undefined || remote.kind === 'link') return undefined
  return { kind: 'pull', path: triple.path, node: remote, expects: undefined }
}

/** The disk has what was never agreed. */
function pushing(
  triple: Triple,
  node: Extract<LocalNode, { kind: 'file' | 'symlink' }>,
  synced: SyncedLeaf | undefined,
): LeafStep {
  const { path, remote } = triple
  if (synced === undefined) {
    const isThere = node.kind === 'symlink' && remote?.kind === 'symlink'
    if (isThere && remote.target === node.target)
      return { kind: 'agree', path, synced: { ...remote } }
    const mayBeShown = leafOf(remote)?.copyOf !== undefined
    return { kind: 'push', path, node, replaces: NO_DOTS, ...(mayBeShown && { mayBeShown }) }
  }
  // Who changes one of the two right then has not given up the other. The same holds for removals below.
  if (triple.isTwice === true) return { kind: 'push', path, node, replaces: NO_DOTS }
  const { copyOf } = synced
  return { kind: 'push', path, node, replaces: dotsNow(synced, remote), copyOf }
}

/** What was agreed is gone from the disk, or has made way for a directory. */
function removing(triple: Triple, synced: SyncedLeaf): LeafStep {
  const { path, remote } = triple
  // A copy may by now be shown under another name; then the removal still finds it by its dots.
  if (remote === undefined && synced.copyOf === undefined) return { kind: 'forget', path }
  if (triple.isTwice === true) return { kind: 'forget', path }
  const { copyOf } = synced
  return { kind: 'push-removal', path, was: synced, replaces: dotsNow(synced, remote), copyOf }
}

/** The disk has what was agreed. */
function pulling({ path, remote }: Triple, synced: SyncedLeaf): LeafStep | undefined {
  const leaf = leafOf(remote)
  if (leaf === undefined || leaf.kind === 'link') {
    return { kind: 'pull-removal', path, expects: synced }
  }
  if (!isAsShown(leaf, synced)) return { kind: 'pull', path, node: leaf, expects: synced }
  const isSamePlace = equalDots(leaf.dots, synced.dots) && leaf.copyOf === synced.copyOf
  if (isSamePlace) return undefined
  return { kind: 'agree', path, synced: { ...synced, dots: leaf.dots, copyOf: leaf.copyOf } }
}

/** Where the grid still shows what was agreed, whoever has put it there again has put the same. */
function dotsNow(synced: SyncedLeaf, remote: RemoteNode | undefined): SyncedLeaf['dots'] {
  const leaf = leafOf(remote)
  const isSame = leaf?.copyOf === synced.copyOf && isAsShown(leaf, synced)
  return leaf !== undefined && isSame ? leaf.dots : synced.dots
}

function leafOf(node: SyncedNode | undefined): SyncedLeaf | undefined
function leafOf(node: RemoteNode | undefined): RemoteLeaf | undefined
function leafOf(node: SyncedNode | RemoteNode | undefined): SyncedLeaf | RemoteLeaf | undefined {
  return node?.kind === 'directory' ? undefined : node
}
