import { randomBelow, type Randomness } from '../../foundation/randomness.ts'
import type { BlockId } from '../../protocol/block-id.ts'
import type { GridContext } from '../context.ts'
import type { TreeReport } from '../maintenance/report.ts'
import type { SeenBlock, SeenSlot, Tending } from '../maintenance/tending.ts'
import type { TreeCapability, TreeOptions } from '../maintenance/tree.ts'
import { TreeVisit } from '../maintenance/visit.ts'
import type { CheckableCapability } from '../blocks/walk.ts'
import { rootLinkOf } from '../maintenance/root-link.ts'
import { DurabilityTally } from './durability.ts'
import type { CareMemory, RootState } from './memory.ts'
import { NodeBook } from './node-book.ts'

export interface AssessOptions extends TreeOptions {
  /** Whose measurements of the nodes to judge by. */
  readonly memory: CareMemory
}

export interface Assessment {
  /** Some of its blocks, chosen by chance: to try whether they can be had, with `drillBlocks`. */
  readonly sample: readonly BlockId[]
  readonly state: RootState
  readonly report: TreeReport
}

/**
 * How well all that a capability leads to is kept, as it is now: changes nothing. What nodes of bad reputation say to
 * hold is not counted, nor what nodes hold that are away. The power to verify suffices.
 */
export async function assess(
  context: GridContext,
  capability: TreeCapability | CheckableCapability,
  { memory, ...options }: AssessOptions,
): Promise<Assessment> {
  const book = await NodeBook.open(memory, context.clock)
  const tending = new Looking(book, context.randomness)
  const visit = new TreeVisit(context, { ...options, phase: 'check', verify: 'none', tending })
  const report = await visit.run(rootLinkOf(capability))
  const { tally, sample } = tending
  return { report, state: tally.state(report, book.chances(context.view)), sample }
}

/** Looks on. */
class Looking implements Tending {
  readonly tally = new DurabilityTally()
  readonly sample: BlockId[] = []
  readonly #book: NodeBook
  readonly #randomness: Randomness
  #blocks = 0

  constructor(book: NodeBook, randomness: Randomness) {
    this.#book = book
    this.#randomness = randomness
  }

  counts: Tending['counts'] = (node) => !this.#book.isDistrusted(node)

  doubts: Tending['doubts'] = (node) => this.#book.isDoubted(node)

  mayTake: Tending['mayTake'] = () => false

  isLinkless: Tending['isLinkless'] = () => false

  onLinkless: Tending['onLinkless'] = () => undefined

  mends: Tending['mends'] = async () => await Promise.resolve(false)

  async onBlock(block: SeenBlock): Promise<void> {
    this.tally.addBlock(block)
    this.#blocks += 1
    const { length } = this.sample
    const at = length < SAMPLE ? length : randomBelow(this.#randomness, this.#blocks)
    if (at < SAMPLE) this.sample[at] = block.id
    await Promise.resolve()
  }

  onSlot(slot: SeenSlot): void {
    this.tally.addSlot(slot)
  }
}

const SAMPLE = 64
