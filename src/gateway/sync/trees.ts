import { formatPath, parsePath, type Path } from '../../folders/names.ts'
import type { Branded } from '../../foundation/bytes.ts'
import type { Dots } from '../../folders/dots.ts'

/**
 * The three trees that syncing compares: what the disk shows, what was last agreed, and what the grid folder shows. Each
 * is flat, path → node; the root itself is in none. Nodes that are absent are undefined.
 */
export type LocalTree = ReadonlyMap<PathText, LocalNode>
export type SyncedTree = ReadonlyMap<PathText, SyncedNode>
export type RemoteTree = ReadonlyMap<PathText, RemoteNode>

/** Names as the grid has them, joined by slashes. */
export type PathText = Branded<string, 'PathText'>

/** Tells contents of local files apart: SHA-256 of all bytes, hexadecimal. */
export type ContentHash = Branded<string, 'ContentHash'>

/** Tells contents on the grid apart: of a file its key and size, or its few bytes. Equal contents have equal ones. */
export type ContentKey = Branded<string, 'ContentKey'>

export type LocalNode =
  | { readonly kind: 'directory' }
  | { readonly kind: 'file'; readonly hash: ContentHash; readonly isExecutable: boolean }
  | { readonly kind: 'symlink'; readonly target: string }
  /** There, and to be left as it is with all below: ignored, deselected, unreadable, neither file nor directory. */
  | { readonly kind: 'opaque' }

export type SyncedNode =
  | { readonly kind: 'directory' }
  | (Place & {
      readonly kind: 'file'
      readonly hash: ContentHash
      readonly key: ContentKey
      readonly isExecutable: boolean
    })
  | (Place & { readonly kind: 'symlink'; readonly target: string })

export type RemoteNode =
  | { readonly kind: 'directory' }
  | (Place & {
      readonly kind: 'file'
      readonly key: ContentKey
      readonly isExecutable: boolean
    })
  | (Place & { readonly kind: 'symlink'; readonly target: string })
  /** A linked folder or file: it is synced by itself or not at all. */
  | (Place & { readonly kind: 'link' })

/** Where the grid keeps what is shown at a path. */
interface Place {
  /** What a change of it replaces. */
  readonly dots: Dots
  /** Of a conflict copy the path that it is a version of. */
  readonly copyOf?: PathText | undefined
}

export type SyncedLeaf = Exclude<SyncedNode, { kind: 'directory' }>
export type RemoteLeaf = Exclude<RemoteNode, { kind: 'directory' }>

export function pathText(path: Path): PathText {
  return formatPath(path) as PathText
}

export function pathOf(text: PathText): Path {
  return parsePath(text)
}

/** Undefined for what is at the top. */
export function parentOf(path: PathText): PathText | undefined {
  const end = path.lastIndexOf('/')
  return end === -1 ? undefined : (path.slice(0, end) as PathText)
}

/** Whether the disk still has what was agreed. */
export function isAsAgreed(local: LocalNode | undefined, synced: SyncedNode): boolean {
  switch (synced.kind) {
    case 'directory':
      return local?.kind === 'directory'
    case 'file':
      return (
        local?.kind === 'file' &&
        local.hash === synced.hash &&
        local.isExecutable === synced.isExecutable
      )
    case 'symlink':
      return local?.kind === 'symlink' && local.target === synced.target
  }
}

/** Whether the grid still shows what was agreed, whoever has put it there again. */
export function isAsShown(remote: RemoteNode | undefined, synced: SyncedNode): boolean {
  switch (synced.kind) {
    case 'directory':
      return remote?.kind === 'directory'
    case 'file':
      return (
        remote?.kind === 'file' &&
        remote.key === synced.key &&
        remote.isExecutable === synced.isExecutable
      )
    case 'symlink':
      return remote?.kind === 'symlink' && remote.target === synced.target
  }
}

/** Tells apart what files and links hold, and whether files may be run. */
export function contentTextOf(
  leaf:
    | Pick<Extract<RemoteLeaf, { kind: 'file' }>, 'kind' | 'key' | 'isExecutable'>
    | Pick<Extract<RemoteLeaf, { kind: 'symlink' }>, 'kind' | 'target'>,
): string {
  return leaf.kind === 'file' ? `${leaf.isExecutable} ${leaf.key}` : `→ ${leaf.target}`
}
