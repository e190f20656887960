import type { BlockReference } from '../../../grid/files/index-node.ts'
import type { Signature } from '../disk/sync-disk.ts'
import type { Intent } from '../intents.ts'
import type { PathText, SyncedNode, SyncedTree } from '../trees.ts'

/** What was agreed for a path, and what spares work the next time. */
export interface SyncRow {
  readonly synced: SyncedNode
  /** Of the file on the disk; undefined where it must be read again to be known. */
  readonly signature?: Signature | undefined
  /** Of the file's content on the grid, so that another path can have it without a new upload; none for tiny ones. */
  readonly stored?: { readonly reference: BlockReference; readonly sizeBytes: number } | undefined
}

/** Undefined takes a record away. */
export interface RecordChange {
  readonly path: PathText
  /** Left as it is where the key is absent. */
  readonly row?: { readonly is: SyncRow | undefined } | undefined
  readonly intent?: { readonly is: Intent | undefined } | undefined
}

/** What a device remembers of one synced directory. */
export interface SyncRecords extends AsyncDisposable {
  readonly rows: ReadonlyMap<PathText, SyncRow>
  /** The same, without what only spares work. */
  readonly synced: SyncedTree
  readonly intents: ReadonlyMap<PathText, Intent>
  /** All or nothing, and once it resolves for good. */
  write(changes: readonly RecordChange[]): Promise<void>
}
