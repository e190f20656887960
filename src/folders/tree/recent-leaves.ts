import { dropOldest } from '../../foundation/newest.ts'
import type { BlockFrame } from '../../grid/blocks/frame.ts'
import { equalSpans } from '../dots.ts'
import type { LoosePart, NodeContext } from './node-codec.ts'

/**
 * Leaves that were written or decoded last, by the very frames that hold them. Who overwrites a file time and again
 * changes one leaf, and to decode its hundreds of entries takes longer than all else that is done to it.
 */
export class RecentLeaves {
  /** In the order of use. */
  readonly #leaves = new Map<BlockFrame, Recent>()

  /** The leaf in a frame, if it is here and was read with the same in mind. */
  get(frame: BlockFrame, context: NodeContext): LoosePart | undefined {
    const recent = this.#leaves.get(frame)
    if (recent === undefined || !areEqual(recent.context, context)) return undefined
    this.#leaves.delete(frame)
    this.#leaves.set(frame, recent)
    return recent.leaf
  }

  set(frame: BlockFrame, context: NodeContext, leaf: LoosePart): void {
    this.#leaves.set(frame, { context, leaf })
    dropOldest(this.#leaves, LEAVES_KEPT)
  }
}

interface Recent {
  readonly context: NodeContext
  readonly leaf: LoosePart
}

function areEqual(a: NodeContext, b: NodeContext): boolean {
  if (a.prefix !== b.prefix) return false
  return a.dots === undefined || b.dots === undefined
    ? a.dots === b.dots
    : equalSpans(a.dots, b.dots)
}

/** Some 350 entries each: a few MiB. */
const LEAVES_KEPT = 16
