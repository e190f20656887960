import type {
  Capability,
  FolderReadCapability,
  FolderVerifyCapability,
  FolderWriteCapability,
  MutableReadCapability,
  MutableVerifyCapability,
  MutableWriteCapability,
  SnapshotReadCapability,
  SnapshotVerifyCapability,
} from '../../capabilities/capability.ts'
import type { ErasureCode } from '../../erasure/code.ts'
import { DEFAULT_LEASE_S } from '../../protocol/limits.ts'
import type { CheckableCapability } from '../blocks/walk.ts'
import type { GridContext, TransferProgress } from '../context.ts'
import type { Verification } from './block-inspector.ts'
import type { HistoryOptions } from './frontier.ts'
import type { TreeReport } from './report.ts'
import { rootLinkOf } from './root-link.ts'
import { TreeVisit } from './visit.ts'

/** What leads to a whole tree of blocks and slots. */
export type TreeCapability =
  | FolderWriteCapability
  | FolderReadCapability
  | FolderVerifyCapability
  | MutableWriteCapability
  | MutableReadCapability
  | MutableVerifyCapability
  | SnapshotReadCapability
  | SnapshotVerifyCapability

export function isTree(capability: Capability): capability is TreeCapability {
  const { kind } = capability
  return kind !== 'file-read' && kind !== 'file-verify' && kind !== 'literal'
}

/** What every work on a tree takes. */
export interface TreeOptions extends HistoryOptions {
  /** k-of-n that the tree's slots were written with; by default what suits the number of households. */
  readonly code?: ErasureCode | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((event: TreeProgress) => void) | undefined
}

/** How far work on a tree has come. */
export interface TreeProgress extends TransferProgress {
  /** Blocks and slots that are done. */
  readonly done: number
  /** Blocks and slots that are known by now; how many there are in all shows only at the end. */
  readonly found: number
}

/** How closely a tree is to be looked at. */
export interface TreeCheckOptions extends TreeOptions {
  /** As for a file: see {@link CheckOptions}. */
  readonly verify?: Verification | undefined
}

/** How closely a tree is to be looked at before it is mended. */
export interface TreeRepairOptions extends TreeOptions {
  /**
   * How far to trust what nodes claim to hold: `audit` (if nothing is said), each share proves one random leaf; `full`,
   * each is checked to the last byte.
   */
  readonly verify?: 'audit' | 'full' | undefined
}

/** Of the tree as the repair has left it. */
export interface TreeRepairReport extends TreeReport {
  /** Blocks that lacked shares and have more of them now. */
  readonly blocksRepaired: number
  readonly sharesPlaced: number
  readonly slotsRepaired: number
  readonly copiesPlaced: number
}

/**
 * Of the tree as nodes say it is. What a node holds and has no room left to lease to this account counts as missing
 * there.
 */
export interface RenewReport extends TreeReport {
  readonly sharesLeased: number
  readonly copiesLeased: number
}

/**
 * Finds out where everything is that a capability leads to, and whether it is any good. The power to verify suffices;
 * who has no more than that learns how many blocks and slots there are, how they hang together, and padded sizes.
 */
export async function checkTree(
  context: GridContext,
  capability: TreeCapability,
  options: TreeCheckOptions = {},
): Promise<TreeReport> {
  const { verify = 'none' } = options
  const { report } = await visitTree(context, capability, { ...options, phase: 'check', verify })
  return report
}

/**
 * Brings everything that a capability leads to back to all its shares and copies, as far as anything is left of it. The
 * power to verify suffices. What is lost does not keep the rest from its repair; the report tells.
 */
export async function repairTree(
  context: GridContext,
  capability: TreeCapability,
  options: TreeRepairOptions = {},
): Promise<TreeRepairReport> {
  const { verify = 'audit' } = options
  const { report, visit } = await visitTree(context, capability, {
    ...options,
    phase: 'repair',
    verify,
  })
  const { blocksRepaired, sharesPlaced, slotsRepaired, copiesPlaced } = visit
  return { ...report, blocksRepaired, sharesPlaced, slotsRepaired, copiesPlaced }
}

/**
 * Renews this account's leases on everything that a capability leads to, so that nodes go on keeping it. The power to
 * verify suffices. What the options leave of the past is renewed too; without a choice, all that is still there.
 */
export async function renewTree(
  context: GridContext,
  capability: TreeCapability | CheckableCapability,
  options: TreeOptions = {},
): Promise<RenewReport> {
  const { report, visit } = await visitTree(context, capability, {
    ...options,
    phase: 'renew',
    verify: 'none',
    leaseS: DEFAULT_LEASE_S,
  })
  const { sharesLeased, copiesLeased } = visit
  return { ...report, sharesLeased, copiesLeased }
}

async function visitTree(
  context: GridContext,
  capability: TreeCapability | CheckableCapability,
  options: ConstructorParameters<typeof TreeVisit>[1],
): Promise<{ report: TreeReport; visit: TreeVisit }> {
  const visit = new TreeVisit(context, options)
  const report = await visit.run(rootLinkOf(capability))
  return { report, visit }
}
