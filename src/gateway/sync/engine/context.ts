import type { Clock } from '../../../foundation/clock.ts'
import type { FolderReader, FolderWriter } from '../../../folders/service/folder.ts'
import type { SyncDisk } from '../disk/sync-disk.ts'
import type { SyncRecords } from '../records/records.ts'
import type { ChosenPaths } from '../selection.ts'
import type { PathText } from '../trees.ts'
import type { WorkMeter } from '../work.ts'

/** The grid folder of a sync, with the power that there is over it. */
export type SyncFolder =
  | ({ readonly power: 'write' } & Pick<FolderWriter, 'now' | 'watch' | 'edit' | 'putFile'>)
  | ({ readonly power: 'read' } & Pick<FolderReader, 'now' | 'watch'>)

export interface SyncContext {
  readonly disk: SyncDisk
  readonly folder: SyncFolder
  readonly records: SyncRecords
  readonly clock: Clock
  /** What of the folder the directory is to have; all if nothing is said. */
  readonly chosen?: ChosenPaths | undefined
  readonly onEvent: (event: SyncEvent) => void
  /** Told how far it has come. */
  readonly work: WorkMeter
}

/** What a sync tells, for people to see. */
export type SyncEvent =
  /** A change has gone to the grid or come from it. */
  | { readonly kind: 'sent' | 'received'; readonly path: PathText; readonly change: Change }
  /** One file of several that could not be brought over now; it is tried again. */
  | { readonly kind: 'failed'; readonly path: PathText; readonly message: string }

export type Change = 'file' | 'link' | 'directory' | 'removal' | 'move'
