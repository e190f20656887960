import type {
  FolderReadCapability,
  FolderWriteCapability,
  SnapshotReadCapability,
} from '../../capabilities/capability.ts'
import type { ErasureCode } from '../../erasure/code.ts'
import type { Clock } from '../../foundation/clock.ts'
import type { Randomness } from '../../foundation/randomness.ts'
import type { Rollback, SlotClient } from '../../grid/slots/client.ts'
import type { SlotKey } from '../../protocol/slot-key.ts'
import type { FolderReader, FolderWriter } from './folder.ts'
import type { FolderView } from './view.ts'

/** Folders on a grid, as one device sees them. Dispose of it before the slots and the grid. */
export interface Folders extends AsyncDisposable {
  /** Makes a new, empty folder. @throws TooFewNodesError, SlotNotStoredError */
  create(options?: { readonly signal?: AbortSignal | undefined }): Promise<CreatedFolder>
  /** Makes a folder of a capability that was never written with; leaves any other as it is. */
  ensure(
    capability: FolderWriteCapability,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<void>
  /** Asks no node yet. The type that one gets is the power that one has. */
  open(capability: FolderWriteCapability): Promise<FolderWriter>
  open(capability: FolderReadCapability): Promise<FolderReader>
  /** @throws NotEnoughSharesError, BrokenFolderError */
  open(capability: SnapshotReadCapability): Promise<FolderView>
}

export interface CreatedFolder {
  readonly capability: FolderWriteCapability
  readonly durability: 'durable' | 'degraded'
}

export interface FoldersOptions {
  readonly slots: SlotClient
  readonly clock: Clock
  readonly randomness: Randomness
  /** What its user calls this device: see {@link ../devices.ts | checkDevice}. */
  readonly device: string
  /** k-of-n; by default what suits the number of households. */
  readonly code?: ErasureCode | undefined
  /** Called for what the user must be told, wherever it is met. */
  readonly onEvent?: ((event: FolderEvent) => void) | undefined
}

/** Nodes show less of a folder than was seen before, by this device or by whoever linked it. */
export interface FolderEvent extends Rollback {
  readonly kind: 'rollback'
  readonly slot: SlotKey
}
