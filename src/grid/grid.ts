import type { FileReadCapability, LiteralCapability } from '../capabilities/capability.ts'
import type { ErasureEngine } from '../erasure/engine.ts'
import type { Clock } from '../foundation/clock.ts'
import { linkSignals } from '../foundation/abort.ts'
import { assert } from '../foundation/error.ts'
import type { Randomness } from '../foundation/randomness.ts'
import type { Caller } from '../protocol/network.ts'
import type { BlockId } from '../protocol/block-id.ts'
import type { NodeKey } from '../protocol/node-key.ts'
import type { KnownBlocks } from './blocks/known-blocks.ts'
import { openBlockStore, type BlockStore, type BlockStoreOptions } from './blocks/store.ts'
import type { CheckableCapability } from './blocks/walk.ts'
import { assess, type Assessment, type AssessOptions } from './care/assess.ts'
import { openCarer, type Carer, type CarerOptions } from './care/carer.ts'
import { drillBlocks, type BlockDrill } from './care/drill.ts'
import { checkFile, type CheckOptions, type CheckReport } from './check.ts'
import type { GridContext } from './context.ts'
import { downloadFile, type Download, type GetOptions } from './download.ts'
import type { TreeReport } from './maintenance/report.ts'
import {
  checkTree,
  isTree,
  renewTree,
  repairTree,
  type RenewReport,
  type TreeCapability,
  type TreeCheckOptions,
  type TreeOptions,
  type TreeRepairOptions,
  type TreeRepairReport,
} from './maintenance/tree.ts'
import type { HashedSource } from './files/hashed-source.ts'
import { openMutableFiles, type MutableFiles, type MutableFilesOptions } from './mutable/files.ts'
import { NodeMonitor } from './nodes/monitor.ts'
import { Ranking } from './placement/rank.ts'
import { repairFile, type RepairOptions, type RepairReport } from './repair.ts'
import { openSlotClient, type SlotClient, type SlotClientOptions } from './slots/client.ts'
import { uploadFile, type PutOptions } from './upload.ts'
import type { PutResult } from './upload-tally.ts'
import type { GridView } from './view.ts'

/** A client's grid: files go in, capabilities come out, and the other way round. */
export interface Grid extends Disposable {
  put(
    source: AsyncIterable<Uint8Array> | HashedSource,
    options?: GridPutOptions,
  ): Promise<PutResult>
  get(capability: FileReadCapability | LiteralCapability, options?: GetOptions): Promise<Download>
  /** Where the shares of a file are, or those of a whole tree with the copies of its slots: see {@link checkTree}. */
  check(capability: CheckableCapability, options?: CheckOptions): Promise<CheckReport>
  check(capability: TreeCapability, options?: TreeCheckOptions): Promise<TreeReport>
  /** Makes missing shares anew, and in a tree gives nodes the copies of slots that they lack: see {@link repairTree}. */
  repair(capability: CheckableCapability, options?: RepairOptions): Promise<RepairReport>
  repair(capability: TreeCapability, options?: TreeRepairOptions): Promise<TreeRepairReport>
  /** Keeps a file, or a whole tree, from being collected: see {@link renewTree}. */
  renew(
    capability: CheckableCapability | TreeCapability,
    options?: TreeOptions,
  ): Promise<RenewReport>
  /** How many nodes and households may vanish before a file or tree is lost, and how likely that is. */
  assess(
    capability: CheckableCapability | TreeCapability,
    options: AssessOptions,
  ): Promise<Assessment>
  /** Fetches all shares of some blocks and checks each to the last byte. Knowing the blocks' ids suffices. */
  drillBlocks(ids: readonly BlockId[], signal?: AbortSignal): Promise<BlockDrill>
  /** Looks after what is stored, for as long as it runs. */
  openCarer(options: CarerOptions): Carer
  /** Nodes that have failed to prove what they hold: they are asked after all others from now on. */
  distrust(nodes: ReadonlySet<NodeKey>): void
  /** The blocks of one tree, for whoever builds trees of them. Dispose of it before the grid. */
  openBlockStore(options: BlockStoreOptions): BlockStore
  /** Slots, as one device sees them; one client at a time for a memory. Dispose of it before the grid. */
  openSlotClient(options: SlotClientOptions): SlotClient
  /** Files that change in place. */
  openMutableFiles(options: MutableFilesOptions): MutableFiles
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
    ...maintenanceOf(context),
    assess: async (capability, options) => await assess(context, capability, options),
    drillBlocks: async (ids, signal) => await drillBlocks(context, ids, signal),
    openCarer: (options) => openCarer(context, options),
    distrust: (nodes) => {
      monitor.distrust(nodes)
    },
    openBlockStore: (options) => openBlockStore(context, options),
    openSlotClient: (options) => openSlotClient(context, options),
    openMutableFiles: (options) => openMutableFiles(context, options),
    [Symbol.dispose]: () => {
      monitor[Symbol.dispose]()
    },
  }
}

/** Each asks all nodes at once: more listeners on the caller's own signal than Node takes without a warning. */
function maintenanceOf(context: GridContext): Pick<Grid, 'check' | 'repair' | 'renew'> {
  function check(capability: CheckableCapability, options?: CheckOptions): Promise<CheckReport>
  function check(capability: TreeCapability, options?: TreeCheckOptions): Promise<TreeReport>
  async function check(
    capability: CheckableCapability | TreeCapability,
    options: CheckOptions | TreeCheckOptions = {},
  ): Promise<CheckReport | TreeReport> {
    using linked = linkSignals(options.signal)
    const own = { ...options, signal: linked.signal }
    return isTree(capability)
      ? await checkTree(context, capability, own)
      : // The overloads say which options go with which capability.
        await checkFile(context, capability, own as CheckOptions)
  }
  function repair(capability: CheckableCapability, options?: RepairOptions): Promise<RepairReport>
  function repair(
    capability: TreeCapability,
    options?: TreeRepairOptions,
  ): Promise<TreeRepairReport>
  async function repair(
    capability: CheckableCapability | TreeCapability,
    options: RepairOptions | TreeRepairOptions = {},
  ): Promise<RepairReport | TreeRepairReport> {
    using linked = linkSignals(options.signal)
    const own = { ...options, signal: linked.signal }
    return isTree(capability)
      ? await repairTree(context, capability, own)
      : // The overloads say which options go with which capability.
        await repairFile(context, capability, own as RepairOptions)
  }
  return {
    check,
    repair,
    renew: async (capability, options) => await renewTree(context, capability, options),
  }
}
