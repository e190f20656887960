import type { BlockId } from '../../protocol/block-id.ts'
import type { Manifest } from '../../protocol/manifest.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { Holding } from '../nodes/survey.ts'

/** Decides for whoever looks after a tree while a visit goes through it, and is told what it finds. */
export interface Tending {
  /** Whether what a node says to hold counts. */
  counts(node: NodeKey): boolean
  /** Whether every share that a node says to hold must be proven by a random leaf before it counts. */
  doubts(node: NodeKey): boolean
  /** Whether a node may be given shares. */
  mayTake(node: NodeKey): boolean
  /** Whether a block that lacks shares is to be mended now. Asked in visits that repair. */
  mends(block: SeenBlock): Promise<boolean>
  /** Whether a block is known to lead nowhere, so that it need not be opened where that is dear. */
  isLinkless(id: BlockId): boolean
  /** Told of every block that leads nowhere. */
  onLinkless(id: BlockId): void
  /** Told of every block that can be read, as the visit leaves it. */
  onBlock(block: SeenBlock): Promise<void>
  /** Told of every slot that is there. */
  onSlot(slot: SeenSlot): void
}

export interface SeenBlock {
  readonly id: BlockId
  readonly manifest: Manifest
  /** Shares that count, and who holds them. */
  readonly holdings: readonly Holding[]
  /** How many of them are on a node of their own. */
  readonly spread: number
  /** Nodes that have said what they hold. */
  readonly answered: ReadonlySet<NodeKey>
}

export interface SeenSlot {
  /** Nodes that have its newest states. */
  readonly holders: readonly NodeKey[]
}
