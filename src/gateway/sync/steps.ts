import type { NewVersion } from '../../folders/commit/edits.ts'
import type { Dots } from '../../folders/dots.ts'
import type { LocalNode, PathText, RemoteNode, SyncedLeaf, SyncedNode } from './trees.ts'

/** Changes the grid; all of a plan become one commit. */
export type Push = PushContent | PushDirectory | PushRemoval | PushDirectoryRemoval
/** Changes the disk. */
export type Pull =
  PullContent | PullMove | PullDirectory | PullDirectoryMove | PullRemoval | PullDirectoryRemoval

/** A file or symbolic link that the disk has and the grid has not. */
export interface PushContent {
  readonly kind: 'push'
  readonly path: PathText
  readonly node: Extract<LocalNode, { kind: 'file' | 'symlink' }>
  /** What the change was based on, and no more than that. */
  readonly replaces: Dots
  /** What it replaces is kept under this path, as a version of it. */
  readonly copyOf?: PathText | undefined
  /** The grid showed a conflict copy under this name, of which the disk may have got the same content before. */
  readonly mayBeShown?: boolean | undefined
}

export interface PushDirectory {
  readonly kind: 'push-directory'
  readonly path: PathText
}

export interface PushRemoval {
  readonly kind: 'push-removal'
  readonly path: PathText
  /** As it was agreed. */
  readonly was: SyncedLeaf
  readonly replaces: Dots
  readonly copyOf?: PathText | undefined
}

/** Only if nothing is left in it: see {@link ./commit-edits.ts}. */
export interface PushDirectoryRemoval {
  readonly kind: 'push-directory-removal'
  readonly path: PathText
}

/** A push whose content is stored. */
export type ReadyPush =
  Exclude<Push, PushContent> | (PushContent & { readonly content: NewVersion })

/** The disk must still be as it was when planned: what was agreed, or nothing. */
export interface PullContent {
  readonly kind: 'pull'
  readonly path: PathText
  readonly node: Extract<RemoteNode, { kind: 'file' | 'symlink' }>
  readonly expects: SyncedLeaf | undefined
  /** Where the folder shows what is to be replaced here, which must be on the disk there before it goes. */
  readonly keptAt?: PathText | undefined
}

/** The same content under another path: nothing need be fetched. There must be nothing at `path`. */
export interface PullMove {
  readonly kind: 'pull-move'
  readonly from: PathText
  readonly path: PathText
  readonly node: Extract<RemoteNode, { kind: 'file' }>
  readonly expects: Extract<SyncedLeaf, { kind: 'file' }>
}

export interface PullDirectory {
  readonly kind: 'pull-directory'
  readonly path: PathText
}

/**
 * A directory under another path, with all that is in it. There must be nothing at `path`. What it holds then is compared
 * anew, so that whatever else differs is brought over after it.
 */
export interface PullDirectoryMove {
  readonly kind: 'pull-directory-move'
  readonly from: PathText
  readonly path: PathText
  /** What was agreed of it and below, and becomes agreed elsewhere. */
  readonly moved: readonly MovedNode[]
}

export interface MovedNode {
  readonly from: PathText
  readonly path: PathText
  readonly becomes: SyncedNode
}

export interface PullRemoval {
  readonly kind: 'pull-removal'
  readonly path: PathText
  readonly expects: SyncedLeaf
  /** As of {@link PullContent}. */
  readonly keptAt?: PathText | undefined
}

/** Only if it is empty on the disk by then. */
export interface PullDirectoryRemoval {
  readonly kind: 'pull-directory-removal'
  readonly path: PathText
}

/** Disk and grid are as they should be, and only the record of what was agreed is to change. */
export type BookStep =
  | { readonly kind: 'agree'; readonly path: PathText; readonly synced: SyncedNode }
  | { readonly kind: 'forget'; readonly path: PathText }
