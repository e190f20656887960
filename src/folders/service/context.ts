import type { FolderReadCapability, FolderWriteCapability } from '../../capabilities/capability.ts'
import type { Clock } from '../../foundation/clock.ts'
import type { Randomness } from '../../foundation/randomness.ts'
import type { BlockStore } from '../../grid/blocks/store.ts'
import type { Grid } from '../../grid/grid.ts'
import type { MutableFiles } from '../../grid/mutable/files.ts'
import type { SlotClient } from '../../grid/slots/client.ts'
import type { VersionVector } from '../../protocol/version-vector.ts'
import type { Path } from '../names.ts'
import type { LocatedPath } from './folder.ts'
import type { FolderEvent } from './folders.ts'
import type { OpenTrees } from './open-trees.ts'
import type { OpenedView } from './opened-view.ts'

/** What all folders of one device work with. */
export interface FolderContext {
  readonly grid: Grid
  readonly slots: SlotClient
  readonly clock: Clock
  readonly randomness: Randomness
  readonly device: string
  readonly trees: OpenTrees
  /** Reads the blocks of folders that this device may not write. */
  readonly reading: BlockStore
  readonly mutables: MutableFiles
  /** The state of a folder, for who comes to it by a link. */
  readonly viewAt: (
    capability: FolderWriteCapability | FolderReadCapability,
    moment: ViewMoment,
  ) => Promise<OpenedView>
  /** A folder that a path has led to. */
  readonly located: (
    capability: FolderWriteCapability | FolderReadCapability,
    path: Path,
  ) => LocatedPath
  readonly onEvent: (event: FolderEvent) => void
}

export interface ViewMoment {
  /** Undefined: now. */
  readonly timeMs?: number | undefined
  /** Folders that the path has come through, the first one first. */
  readonly chain: readonly string[]
  /** What whoever linked the folder had seen of it. */
  readonly lastSeen?: VersionVector | undefined
  readonly signal?: AbortSignal | undefined
}
