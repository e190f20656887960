import { NO_DOTS } from '../../folders/dots.ts'
import {
  isAsAgreed,
  isAsShown,
  type LocalNode,
  type PathText,
  type RemoteTree,
  type SyncedLeaf,
  type SyncedNode,
} from './trees.ts'

/**
 * What is about to become of a path, written down before the disk or the grid is changed and struck off once the outcome
 * is recorded. After a crash it tells a change of ours from one of the user's.
 */
export type Intent =
  /** The disk is being made so; undefined: emptied. */
  | { readonly kind: 'pull'; readonly becomes: SyncedNode | undefined }
  /** The grid is being made so, from what the disk has; undefined: removed. */
  | { readonly kind: 'push'; readonly becomes: SyncedNode | undefined }

/** What to record for a path whose intent was found after a crash; `keep` leaves the record as it is. */
export type Recovery =
  | { readonly kind: 'keep' }
  | { readonly kind: 'forget' }
  | { readonly kind: 'agree'; readonly synced: SyncedNode }

/**
 * An absent file is never taken for one that the user removed: at worst it is fetched once more. A push of which nothing
 * is to be seen on the grid is made again.
 */
export function recover(
  intent: Intent,
  { path, local, remote }: { path: PathText; local: LocalNode | undefined; remote: RemoteTree },
): Recovery {
  const { becomes } = intent
  if (intent.kind === 'pull') {
    if (local === undefined) return { kind: 'forget' }
    const isDone = becomes !== undefined && isAsAgreed(local, becomes)
    return isDone ? { kind: 'agree', synced: becomes } : { kind: 'keep' }
  }
  if (becomes === undefined || becomes.kind === 'directory') return { kind: 'keep' }
  const synced = agreedOn(remote, path, becomes)
  return synced === undefined ? { kind: 'keep' } : { kind: 'agree', synced }
}

/**
 * A content that was pushed, as the grid has it now: under its path, or as a copy of what has that name now.
 * @returns undefined if the grid does not show it (any more)
 */
export function agreedOn(
  remote: RemoteTree,
  path: PathText,
  pushed: SyncedLeaf,
): SyncedLeaf | undefined {
  const here = remote.get(path)
  if (here !== undefined && here.kind !== 'directory' && isAsShown(here, pushed)) {
    return { ...pushed, dots: here.dots, copyOf: here.copyOf }
  }
  for (const node of remote.values()) {
    if (node.kind === 'directory' || node.copyOf !== path || !isAsShown(node, pushed)) continue
    // On the disk it still has the name; the next plan sees that another content should.
    return { ...pushed, dots: node.dots, copyOf: undefined }
  }
  return undefined
}

/** A content that the grid has taken and shows no more: others replaced it at once. */
export function replacedAtOnce(pushed: SyncedLeaf): SyncedLeaf {
  return { ...pushed, dots: NO_DOTS, copyOf: undefined }
}
