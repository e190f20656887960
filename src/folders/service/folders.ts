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
import { slotWriteKey } from '../../capabilities/slot-keys.ts'
import type { CheckableCapability } from '../../grid/blocks/walk.ts'
import type { Grid } from '../../grid/grid.ts'
import type { HistoryOptions } from '../../grid/maintenance/frontier.ts'
import type { RenewReport, TreeCapability } from '../../grid/maintenance/tree.ts'
import { checkDevice } from '../devices.ts'
import type { Path } from '../names.ts'
import { openTree } from '../read.ts'
import type { FolderContext, ViewMoment } from './context.ts'
import type { FolderReader, FolderWriter, LocatedPath } from './folder.ts'
import { nodesOf } from './nodes.ts'
import { closeStore, OpenTrees } from './open-trees.ts'
import { OpenedView } from './opened-view.ts'
import { publishIfMissing, publishNew } from './publish.ts'
import { OpenedReader } from './reader.ts'
import { drillFolder, type DrillOptions, type FolderDrill } from './drill.ts'
import { keptHistory, renewKept, type RenewOptions } from './renew.ts'
import type { FolderView } from './view.ts'
import { OpenedWriter } from './writer.ts'

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
  /**
   * Keeps a folder, and all that it leads to, on the grid for another 45 days; of the past what
   * retention keeps: all of a day, then the last state of each hour for a week, of each day for a month, of each month
   * for a year. The same for files, that change or not. With the power to verify alone, all of the past is kept.
   */
  renew(
    capability: TreeCapability | CheckableCapability,
    options?: RenewOptions,
  ): Promise<RenewReport>
  /** Which of the past of a folder or file {@link renew} keeps, for who mends it. */
  keptHistory(
    capability: TreeCapability | CheckableCapability,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<HistoryOptions>
  /** Fetches a random sample of the files of a folder for real, to see that it can be had. */
  drill(view: FolderView, options: DrillOptions): Promise<FolderDrill>
}

/** A new folder, with the power to change it. */
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

export function openFolders(grid: Grid, options: FoldersOptions): Folders {
  return new GridFolders(grid, options)
}

class GridFolders implements Folders {
  readonly #context: FolderContext

  /** @throws InvalidNameError if the device cannot be called that */
  constructor(grid: Grid, { code, onEvent, ...options }: FoldersOptions) {
    const device = checkDevice(options.device)
    this.#context = {
      ...options,
      grid,
      device,
      trees: new OpenTrees(grid, code),
      // Reading takes no convergence secret.
      reading: grid.openBlockStore({ convergence: new Uint8Array(32), code }),
      mutables: grid.openMutableFiles({ slots: options.slots, device, code }),
      viewAt: async (capability, moment) => await this.#viewAt(capability, moment),
      located: (capability, path) => this.#located(capability, path),
      onEvent: (event) => onEvent?.(event),
    }
  }

  async create({
    signal,
  }: { readonly signal?: AbortSignal | undefined } = {}): Promise<CreatedFolder> {
    const writeKey = slotWriteKey(this.#context.randomness.bytes(32))
    const capability = { kind: 'folder-write' as const, writeKey }
    const { durability } = await this.#context.trees.use(capability, async (tree) => {
      return await publishNew(this.#context, tree, [], { isNew: true, signal })
    })
    return { capability, durability }
  }

  async ensure(
    capability: FolderWriteCapability,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    await this.#context.trees.use(capability, async (tree) => {
      await publishIfMissing(this.#context, tree, signal)
    })
  }

  open(capability: FolderWriteCapability): Promise<FolderWriter>
  open(capability: FolderReadCapability): Promise<FolderReader>
  open(capability: SnapshotReadCapability): Promise<FolderView>
  async open(
    capability: FolderWriteCapability | FolderReadCapability | SnapshotReadCapability,
  ): Promise<FolderReader | FolderView> {
    switch (capability.kind) {
      case 'folder-write':
        return new OpenedWriter(this.#context, capability)
      case 'folder-read':
        return new OpenedReader(this.#context, capability)
      case 'snapshot-read': {
        const { key, id } = capability
        const nodes = nodesOf(this.#context.reading)
        const tree = { root: { key, id }, isFrozen: true }
        await openTree(nodes, tree)
        return new OpenedView(this.#context, { nodes, tree, chain: [] })
      }
    }
  }

  async renew(
    capability: TreeCapability | CheckableCapability,
    options: RenewOptions = {},
  ): Promise<RenewReport> {
    return await renewKept(this.#context, capability, options)
  }

  async keptHistory(
    capability: TreeCapability | CheckableCapability,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<HistoryOptions> {
    return await keptHistory(this.#context, capability, signal)
  }

  async drill(view: FolderView, options: DrillOptions): Promise<FolderDrill> {
    return await drillFolder(this.#context, view, options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.trees[Symbol.asyncDispose]()
    await closeStore(this.#context.reading)
  }

  async #viewAt(
    capability: FolderWriteCapability | FolderReadCapability,
    { timeMs, ...moment }: ViewMoment,
  ): Promise<OpenedView> {
    const folder = new OpenedReader(this.#context, capability)
    return timeMs === undefined
      ? await folder.view(moment)
      : await folder.viewAt({ timeMs, ...moment })
  }

  #located(capability: FolderWriteCapability | FolderReadCapability, path: Path): LocatedPath {
    return capability.kind === 'folder-write'
      ? { power: 'write', folder: new OpenedWriter(this.#context, capability), path }
      : { power: 'read', folder: new OpenedReader(this.#context, capability), path }
  }
}
