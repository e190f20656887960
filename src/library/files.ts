import type { FileReadCapability, LiteralCapability } from '../capabilities/capability.ts'
import type { CheckableCapability } from '../grid/blocks/walk.ts'
import type { CheckOptions, CheckReport } from '../grid/check.ts'
import type { Download, GetOptions } from '../grid/download.ts'
import type { Grid } from '../grid/grid.ts'
import type {
  RenewReport,
  TreeCapability,
  TreeCheckOptions,
  TreeOptions,
  TreeRepairOptions,
  TreeRepairReport,
} from '../grid/maintenance/tree.ts'
import type { TreeReport } from '../grid/maintenance/report.ts'
import type { RepairOptions, RepairReport } from '../grid/repair.ts'
import type { PutOptions } from '../grid/upload.ts'
import type { PutResult } from '../grid/upload-tally.ts'
import type { StorageNodeInfo } from '../grid/view.ts'
import type { NodeKey } from '../protocol/node-key.ts'
import type { Membership } from '../protocol/membership/membership.ts'

/** Files whose content never changes, each named by its own capability. */
export interface Files {
  /**
   * Stores a file in one pass over `source` and resolves once enough nodes have it on disk. What the grid has already of
   * it, from an earlier or an interrupted run, is not sent again.
   * @throws TooFewNodesError, what `source` throws
   */
  put(source: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<PutResult>
  /**
   * Opens a file for reading. Its bytes come while one reads them, each verified before it is given out.
   * @throws NotEnoughSharesError, BrokenFileError, InvalidRangeError here or from `chunks`
   */
  get(capability: FileReadCapability | LiteralCapability, options?: GetOptions): Promise<Download>
}

/** The nodes of the grid, and what keeps things on them. The power to verify suffices for all of it. */
export interface GridNodes {
  /** Who stores, whether they are there now or not, by name. */
  readonly nodes: readonly StorageNodeInfo[]
  /** What people call a node. */
  nameOf(node: NodeKey): string
  /** Finds out where the shares of a file are, or those of a whole tree with the copies of its slots. */
  check(capability: CheckableCapability, options?: CheckOptions): Promise<CheckReport>
  check(capability: TreeCapability, options?: TreeCheckOptions): Promise<TreeReport>
  check(
    capability: CheckableCapability | TreeCapability,
    options?: Pick<CheckOptions, 'signal' | 'verify'>,
  ): Promise<CheckReport | TreeReport>
  /**
   * Makes missing shares anew and gives nodes the copies that they lack.
   * @throws NotEnoughSharesError if a block of a single file is lost; of a tree, the report tells
   */
  repair(capability: CheckableCapability, options?: RepairOptions): Promise<RepairReport>
  repair(capability: TreeCapability, options?: TreeRepairOptions): Promise<TreeRepairReport>
  repair(
    capability: CheckableCapability | TreeCapability,
    options?: Pick<RepairOptions, 'signal' | 'verify'>,
  ): Promise<RepairReport | TreeRepairReport>
  /** Renews this account's leases, so that nodes go on keeping a file or a whole tree. */
  renew(
    capability: CheckableCapability | TreeCapability,
    options?: TreeOptions,
  ): Promise<RenewReport>
}

export function openFiles(grid: Grid): Files {
  return {
    put: async (source, options) => await grid.put(source, options),
    get: async (capability, options) => await grid.get(capability, options),
  }
}

export function openGridNodes(
  grid: Grid,
  {
    membership,
    nameOf,
  }: { readonly membership: Pick<Membership, 'nodes'> } & Pick<GridNodes, 'nameOf'>,
): GridNodes {
  return {
    get nodes() {
      return membership.nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1))
    },
    nameOf,
    // The grid looks at the kind of the capability itself; its types only lack the overload for either.
    check: grid.check.bind(grid),
    repair: grid.repair.bind(grid),
    renew: async (capability, options) => await grid.renew(capability, options),
  }
}
