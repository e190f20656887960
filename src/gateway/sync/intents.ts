import { NO_DOTS } from '../../folders/dots.ts'
import {
  isAsAgreed,
  isAsShown,
  type LocalNode,
  type PathText,
  type RemoteLeaf,
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
  {
    path,
    local,
    published,
  }: { path: PathText; local: LocalNode | undefined; published: Published },
): Recovery {
  const { becomes } = intent
  if (intent.kind === 'pull') {
    if (local === undefined) return { kind: 'forget' }
    const isDone = becomes !== undefined && isAsAgreed(local, becomes)
    return isDone ? { kind: 'agree', synced: becomes } : { kind: 'keep' }
  }
  if (becomes === undefined || becomes.kind === 'directory') return { kind: 'keep' }
  const synced = published.find(path, becomes)
  return synced === undefined ? { kind: 'keep' } : { kind: 'agree', synced }
}

/** Finds contents that were pushed in what the grid shows now. */
export class Published {
  readonly #remote: RemoteTree
  readonly #copies = new Map<PathText, RemoteLeaf[]>()

  constructor(remote: RemoteTree) {
    this.#remote = remote
    for (const node of remote.values()) {
      if (node.kind === 'directory' || node.copyOf === undefined) continue
      const others = this.#copies.get(node.copyOf)
      if (others === undefined) this.#copies.set(node.copyOf, [node])
      else others.push(node)
    }
  }

  /**
   * Under its path, or as a copy of what has that name now: on the disk it still has the name, and the next plan sees that
   * another content should.
   * @returns undefined if the grid does not show it (any more)
   */
  find(path: PathText, pushed: SyncedLeaf): SyncedLeaf | undefined {
    const here = this.#remote.get(path)
    if (here !== undefined && here.kind !== 'directory' && isAsShown(here, pushed)) {
      return { ...pushed, dots: here.dots, copyOf: here.copyOf }
    }
    const copy = this.#copies.get(path)?.find((node) => isAsShown(node, pushed))
    return copy && { ...pushed, dots: copy.dots, copyOf: undefined }
  }
}

/** A content that the grid has taken and shows no more: others replaced it at once. */
export function replacedAtOnce(pushed: SyncedLeaf): SyncedLeaf {
  return { ...pushed, dots: NO_DOTS, copyOf: undefined }
}
