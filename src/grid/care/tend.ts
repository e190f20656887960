import { shardSize } from '../../erasure/code.ts'
import { DEFAULT_LEASE_S } from '../../protocol/limits.ts'
import type { BlockId } from '../../protocol/block-id.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { GridContext } from '../context.ts'
import type { HistoryOptions } from '../maintenance/frontier.ts'
import type { TreeReport } from '../maintenance/report.ts'
import type { SeenBlock, SeenSlot, Tending } from '../maintenance/tending.ts'
import { TreeVisit } from '../maintenance/visit.ts'
import { happinessThreshold } from '../placement/defaults.ts'
import { rootLinkOf } from '../maintenance/root-link.ts'
import { BlockNameList, type BlockNames } from './block-names.ts'
import { DurabilityTally } from './durability.ts'
import type { Visited } from './events.ts'
import { isLeaving, type NodeBook } from './node-book.ts'
import { afterMove, dropShares, moveOf, moveShare, surplusOf } from './rebalance.ts'
import type { CareRoot } from './roots.ts'
import { Sampler, type NodeSamples } from './samples.ts'
import type { TrafficBudget, Urgency } from './traffic-budget.ts'

export interface TendOptions {
  readonly book: NodeBook
  readonly budget: TrafficBudget
  readonly history: HistoryOptions
  readonly renews: boolean
  /** Blocks that led nowhere at the last visit. */
  readonly linkless: BlockNames
  readonly signal: AbortSignal
}

export interface Tended {
  readonly report: TreeReport
  readonly visited: Visited
  readonly samples: readonly NodeSamples[]
  readonly linkless: BlockNames
}

/**
 * One way through all that a root leads to: renews leases, has what is below the threshold mended and what could be
 * better made so, within the budget, and takes samples for audits.
 */
export async function tendRoot(
  context: GridContext,
  root: CareRoot,
  { book, budget, history, renews, linkless, signal }: TendOptions,
): Promise<Tended> {
  const tending = new RootTending(context, {
    book,
    budget,
    linkless,
    rebalances: root.isOwn,
    signal,
  })
  const visit = new TreeVisit(context, {
    ...history,
    phase: 'repair',
    verify: 'none',
    leaseS: renews ? DEFAULT_LEASE_S : undefined,
    tending,
    signal,
  })
  const report = await visit.run(rootLinkOf(root.capability))
  const { deferredBytes, sharesMoved, surplusDropped } = tending
  const state = tending.tally.state(report, book.chances(context.view))
  const { sharesPlaced, copiesPlaced } = visit
  const visited = { state, sharesPlaced, copiesPlaced, sharesMoved, surplusDropped, deferredBytes }
  const samples = tending.sampler.samples()
  return { report, visited, samples, linkless: tending.linkless.sorted() }
}

interface RootTendingOptions extends Omit<TendOptions, 'history' | 'renews'> {
  readonly rebalances: boolean
}

class RootTending implements Tending {
  readonly tally = new DurabilityTally()
  readonly sampler: Sampler
  readonly linkless = new BlockNameList()
  deferredBytes = 0
  sharesMoved = 0
  surplusDropped = 0
  readonly #context: GridContext
  readonly #options: RootTendingOptions
  readonly #leaving: ReadonlySet<NodeKey>

  constructor(context: GridContext, options: RootTendingOptions) {
    this.#context = context
    this.#options = options
    this.#leaving = new Set(context.view.nodes.filter(isLeaving).map(({ key }) => key))
    this.sampler = new Sampler(context.randomness)
  }

  counts(node: NodeKey): boolean {
    return !this.#options.book.isDistrusted(node)
  }

  doubts(node: NodeKey): boolean {
    return this.#options.book.isDoubted(node)
  }

  mayTake(node: NodeKey): boolean {
    return !this.#options.book.isDistrusted(node) && !this.#leaving.has(node)
  }

  isLinkless(id: BlockId): boolean {
    return this.#options.linkless.has(id)
  }

  onLinkless(id: BlockId): void {
    this.linkless.add(id)
  }

  async mends(block: SeenBlock): Promise<boolean> {
    const { spread, manifest } = block
    const { code, ciphertextBytes } = manifest
    const free = this.#freeNodes(block)
    if (free === 0) return false
    const missing = code.total - spread
    const napping = Math.min(missing, this.#nappingNodes(block))
    const urgency = urgencyOf({ spread, napping, ...code })
    if (urgency === undefined) return false
    const costBytes = (code.required + Math.min(missing, free)) * shardSize(code, ciphertextBytes)
    if (await this.#options.budget.take(costBytes, urgency)) return true
    if (urgency !== 'spare') this.deferredBytes += costBytes
    return false
  }

  async onBlock(block: SeenBlock): Promise<void> {
    const settled = this.#options.rebalances
      ? await this.#dropSurplus(await this.#rebalance(block))
      : block
    this.tally.addBlock(settled)
    const stay = settled.holdings.filter(({ node }) => !this.#leaving.has(node))
    this.sampler.add({ ...settled, holdings: stay })
  }

  onSlot(slot: SeenSlot): void {
    this.tally.addSlot(slot)
  }

  async #rebalance(block: SeenBlock): Promise<SeenBlock> {
    const { budget, signal } = this.#options
    const move = moveOf(this.#context, block, this.mayTake.bind(this))
    if (move === undefined) return block
    const { code, ciphertextBytes } = block.manifest
    // Once out of the one and once into the other.
    if (!(await budget.take(2 * shardSize(code, ciphertextBytes), 'spare'))) return block
    if (!(await moveShare(this.#context, block, move, signal))) return block
    this.sharesMoved += 1
    return { ...block, holdings: afterMove(block.holdings, move) }
  }

  async #dropSurplus(block: SeenBlock): Promise<SeenBlock> {
    const { book, signal } = this.#options
    const relies = (node: NodeKey): boolean => this.counts(node) && !book.isDoubted(node)
    const node = surplusOf(this.#context, block, relies)
    if (node === undefined || !(await dropShares(this.#context, block, node, signal))) return block
    this.surplusDropped += 1
    return { ...block, holdings: block.holdings.filter((each) => each.node !== node) }
  }

  /** Nodes that answered, are trusted, and have no share of the block that counts. */
  #freeNodes({ holdings, answered }: SeenBlock): number {
    const holders = new Set(holdings.map(({ node }) => node))
    return [...answered].filter((node) => !holders.has(node) && this.mayTake(node)).length
  }

  /**
   * Nodes that are the block's own and have not answered, though they are not gone: they are taken to have their share,
   * so that a nap moves nothing. Where that is wrong, the repair waits for the end of the nap or of the grace.
   */
  #nappingNodes({ id, manifest, answered }: SeenBlock): number {
    const { book } = this.#options
    const { total } = manifest.code
    const own = this.#context.ranking.order(id, total).slice(0, total)
    return own.filter(({ key }) => {
      return !answered.has(key) && !book.isGone(key) && !book.isDistrusted(key)
    }).length
  }
}

/** How much a block needs to be mended; undefined if it does not, or only waits for nodes that nap. */
function urgencyOf({
  spread,
  napping,
  required,
  total,
}: {
  spread: number
  napping: number
  required: number
  total: number
}): Urgency | undefined {
  const healthy = spread + napping
  if (healthy < happinessThreshold({ required, total })) {
    return spread <= required ? 'critical' : 'repair'
  }
  return healthy < total ? 'spare' : undefined
}
