import type { FileReadCapability, LiteralCapability } from '../capabilities/capability.ts'
import type { ErasureEngine } from '../erasure/engine.ts'
import type { Clock } from '../foundation/clock.ts'
import { linkSignals } from '../foundation/abort.ts'
import { assert } from '../foundation/error.ts'
import type { Randomness } from '../foundation/randomness.ts'
import type { Caller } from '../protocol/network.ts'
import type { KnownBlocks } from './blocks/known-blocks.ts'
import type { Link } from './blocks/frame.ts'
import { openBlockStore, type BlockStore, type BlockStoreOptions } from './blocks/store.ts'
import type { CheckableCapability } from './blocks/walk.ts'
import { checkFile, type CheckOptions, type CheckReport } from './check.ts'
import type { GridContext } from './context.ts'
import { downloadFile, type Download, type GetOptions } from './download.ts'
import { openMutableFiles, type MutableFiles, type MutableFilesOptions } from './mutable/files.ts'
import { NodeMonitor } from './nodes/monitor.ts'
import { Ranking } from './placement/rank.ts'
import { repairFile, type RepairOptions, type RepairReport } from './repair.ts'
import { openSlotClient, type SlotClient, type SlotClientOptions } from './slots/client.ts'
import { uploadFile, type PutOptions, type PutResult } from './upload.ts'
import { walkTree, type TreeWalkOptions } from './walk-tree.ts'
import type { GridView } from './view.ts'

/** A client's grid: files go in, capabilities come out, and the other way round. */
export interface Grid extends Disposable {
  put(source: AsyncIterable<Uint8Array>, options?: GridPutOptions): Promise<PutResult>
  get(capability: FileReadCapability | LiteralCapability, options?: GetOptions): Promise<Download>
  check(capability: CheckableCapability, options?: CheckOptions): Promise<CheckReport>
  repair(capability: CheckableCapability, options?: RepairOptions): Promise<RepairReport>
  /** The blocks of one tree, for whoever builds trees of them. Dispose of it before the grid. */
  openBlockStore(options: BlockStoreOptions): BlockStore
  /** Slots, as one device sees them; one client at a time for a memory. Dispose of it before the grid. */
  openSlotClient(options: SlotClientOptions): SlotClient
  /** Files that change in place. */
  openMutableFiles(options: MutableFilesOptions): MutableFiles
  /** Every block and slot that some links lead to, for those who verify: see {@link walkTree}. */
  walkTree(roots: readonly Link[], options: TreeWalkOptions): AsyncIterable<Link>
}

export interface GridPutOptions extends PutOptions {
  /** 32 secret bytes in place of the grid's own: those of the tree that the file becomes part of. */
  readonly convergence?: Uint8Array | undefined
}

export interface GridOptions {
  readonly caller: Caller
  readonly view: GridView
  readonly clock: Clock
  readonly randomness: Randomness
  readonly erasure: ErasureEngine
  /** 32 secret bytes: who shares them finds equal content stored once, and could test guesses at it. */
  readonly convergence: Uint8Array
  readonly knownBlocks?: KnownBlocks | undefined
}

/** Disposing it ends its timers; the network stays its owner's. */
export function openGrid({ caller, ...rest }: GridOptions): Grid {
  assert(rest.convergence.length === 32, 'a convergence secret has 32 bytes')
  const monitor = new NodeMonitor(caller, rest.clock)
  const context: GridContext = { ...rest, caller, monitor, ranking: new Ranking(rest.view) }
  return {
    put: (source, { convergence, ...options } = {}) =>
      uploadFile(convergence ? { ...context, convergence } : context, source, options),
    get: (capability, options) => downloadFile(context, capability, options),
    // Each asks all nodes at once: more listeners on the caller's own signal than Node takes without a warning.
    check: async (capability, options) => {
      using linked = linkSignals(options?.signal)
      return await checkFile(context, capability, { ...options, signal: linked.signal })
    },
    repair: async (capability, options) => {
      using linked = linkSignals(options?.signal)
      return await repairFile(context, capability, { ...options, signal: linked.signal })
    },
    openBlockStore: (options) => openBlockStore(context, options),
    openSlotClient: (options) => openSlotClient(context, options),
    walkTree: (roots, options) => walkTree(context, roots, options),
    openMutableFiles: (options) => openMutableFiles(context, options),
    [Symbol.dispose]: () => {
      monitor[Symbol.dispose]()
    },
  }
}
