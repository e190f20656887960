import type { ErasureCode } from '../../erasure/code.ts'
import { shardSize } from '../../erasure/code.ts'
import { linkSignals } from '../../foundation/abort.ts'
import { mapConcurrently } from '../../foundation/concurrency.ts'
import { assert } from '../../foundation/error.ts'
import { fetchShares } from '../blocks/fetch.ts'
import type { BlockLink, HistoryLink, Link, SlotLink } from '../blocks/frame.ts'
import type { GridContext } from '../context.ts'
import { BrokenFileError, NotEnoughSharesError } from '../errors.ts'
import type { Holding } from '../nodes/survey.ts'
import { defaultCode } from '../placement/defaults.ts'
import { spreadOverNodes } from '../placement/spread.ts'
import { placeMissing } from '../repair.ts'
import { BlockInspector, type Inspected, type Verification } from './block-inspector.ts'
import { crawl } from './crawl.ts'
import { Frontier, type Found, type HistoryOptions } from './frontier.ts'
import { TreeTally, type Health, type TreeReport } from './report.ts'
import { copiesOf, linksOfHeads, replicateHeads, type SlotCopies } from './slot-copies.ts'
import { Surveyor, type BlockSurvey, type SlotSurvey } from './surveyor.ts'
import type { SeenBlock, Tending } from './tending.ts'

export interface VisitOptions extends HistoryOptions {
  readonly phase: 'check' | 'repair' | 'renew'
  readonly verify: Verification
  readonly leaseS?: number | undefined
  readonly code?: ErasureCode | undefined
  /** Decides what to mend; without it, all that lacks anything is. */
  readonly tending?: Tending | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((event: VisitProgress) => void) | undefined
}

/** See {@link TreeProgress}. */
interface VisitProgress {
  readonly kind: 'progress'
  readonly phase: VisitOptions['phase']
  readonly doneBytes: number
  readonly done: number
  readonly found: number
}

/** One way through a tree: asks, looks, and mends or leases on the way. */
export class TreeVisit {
  blocksRepaired = 0
  sharesPlaced = 0
  slotsRepaired = 0
  copiesPlaced = 0
  sharesLeased = 0
  copiesLeased = 0
  readonly #context: GridContext
  readonly #options: VisitOptions
  readonly #code: ErasureCode
  readonly #tally = new TreeTally()
  readonly #frontier: Frontier
  #tools: VisitTools | undefined
  #done = 0

  constructor(context: GridContext, options: VisitOptions) {
    this.#context = context
    this.#options = options
    this.#code = options.code ?? defaultCode(context.view.nodes)
    this.#frontier = new Frontier(options)
  }

  async run(root: Link): Promise<TreeReport> {
    const { verify, leaseS, tending, phase } = this.#options
    using ended = linkSignals(this.#options.signal)
    const { signal } = ended
    const inspector = new BlockInspector(this.#context, {
      verify,
      doubts: tending?.doubts.bind(tending),
      isLinkless: tending?.isLinkless.bind(tending),
      keepsShares: phase === 'repair',
      signal,
    })
    const surveyor = new Surveyor(this.#context, { leaseS, signal })
    this.#tools = { inspector, surveyor, signal }
    this.#frontier.addRoot(root)
    try {
      await crawl(this.#frontier, async (batch) => await this.#lookAt(batch), signal)
    } catch (error) {
      ended.abort(error)
      throw error
    }
    const { nodesAnswered, nodesSilent } = surveyor
    return this.#tally.report({ nodesAnswered, nodesSilent })
  }

  get #at(): VisitTools {
    assert(this.#tools !== undefined, 'the visit has begun')
    return this.#tools
  }

  async #lookAt(batch: readonly Found[]): Promise<void> {
    const blocks = batch.filter(isBlock)
    const slots = batch.filter(isSlot)
    await Promise.all([this.#lookAtBlocks(blocks), this.#lookAtSlots(slots)])
  }

  async #lookAtBlocks(batch: readonly FoundBlock[]): Promise<void> {
    if (batch.length === 0) return
    const survey = await this.#at.surveyor.blocks(batch.map(({ link }) => link.id))
    await mapConcurrently(batch, BLOCKS_AT_ONCE, async (found, at) => {
      const claims = survey.claims[at] ?? []
      if (this.#options.leaseS !== undefined) this.sharesLeased += claims.length
      const inspected = await this.#at.inspector.inspect(found.link, claims)
      try {
        await this.#settleBlock(found, inspected, { survey, claims })
      } finally {
        if (inspected.kind === 'found') inspected.release()
      }
      this.#tell()
    })
  }

  async #settleBlock(found: FoundBlock, inspected: Inspected, known: KnownBlock): Promise<void> {
    if (inspected.kind === 'broken') this.#addBroken(found)
    else if (inspected.kind === 'missing') this.#addUnreadable(found, known)
    else {
      const { manifest, links, good, hasUnanswered } = inspected
      this.#frontier.addBelow(found, links)
      const { tending } = this.#options
      if (links.length === 0) tending?.onLinkless(found.link.id)
      const { required, total } = manifest.code
      if (new Set(good.map(({ index }) => index)).size < required) {
        this.#addUnreadable(found, known, hasUnanswered)
        return
      }
      this.#tally.bytes += manifest.ciphertextBytes
      const holdings = tending ? good.filter(({ node }) => tending.counts(node)) : good
      const spread = spreadOverNodes(holdings).size
      const { answered } = known.survey
      let seen: SeenBlock = { id: found.link.id, manifest, holdings, spread, answered }
      if (spread < total && this.#options.phase === 'repair') {
        const isWanted = tending === undefined || (await tending.mends(seen))
        const mended = isWanted ? await this.#repairBlock(inspected, seen, known) : seen
        if (mended === undefined) this.#addUnreadable(found, known)
        else if (mended === 'broken') this.#addBroken(found)
        if (mended === undefined || mended === 'broken') return
        seen = mended
      }
      const missing = total - seen.spread
      this.#tally.sharesMissing += missing
      this.#tally.addBlock(missing === 0 ? 'healthy' : 'degraded')
      await tending?.onBlock(seen)
    }
  }

  /** @returns undefined if it cannot be read after all */
  async #repairBlock(
    { good, bad, fetched, release }: Inspected & { kind: 'found' },
    seen: SeenBlock,
    { claims, survey }: KnownBlock,
  ): Promise<SeenBlock | 'broken' | undefined> {
    const { inspector, signal } = this.#at
    const { id, manifest, holdings } = seen
    const { code, ciphertextBytes } = manifest
    const bytes = code.total * shardSize(code, ciphertextBytes)
    const isFetched = fetched.length >= code.required
    // What was fetched already has its memory.
    const giveBack = isFetched ? release : await inspector.memory.acquire(bytes, signal)
    const { tending } = this.#options
    try {
      const read = isFetched
        ? { shares: fetched, bad: [] }
        : await fetchShares(this.#context, id, { claims: good, signal })
      const isRotten = (claim: Holding): boolean => read.bad.some((one) => isSame(one, claim))
      const uncounted = good.filter((claim) => !holdings.includes(claim))
      const { placed, missing, holders } = await placeMissing(this.#context, id, {
        manifest,
        shares: read.shares,
        good: holdings.filter((claim) => !isRotten(claim)),
        bad: [...bad, ...uncounted, ...read.bad],
        claims,
        answered: survey.answered,
        mayTake: tending?.mayTake.bind(tending),
        signal,
      })
      if (placed > 0) this.blocksRepaired += 1
      this.sharesPlaced += placed
      const now = [...holders].map(([index, node]) => ({ index, node }))
      return { ...seen, holdings: now, spread: code.total - missing }
    } catch (error) {
      if (error instanceof NotEnoughSharesError) return undefined
      if (error instanceof BrokenFileError) return 'broken'
      throw error
    } finally {
      giveBack()
    }
  }

  #addBroken({ past }: Found): void {
    if (past > 0) this.#tally.pastGone += 1
    else this.#tally.broken += 1
  }

  #addUnreadable({ past }: Found, { survey, claims }: KnownBlock, hasUnanswered = false): void {
    // Of the past not everything is kept.
    if (past > 0) {
      this.#tally.pastGone += 1
      return
    }
    const { monitor } = this.#context
    const isCertain =
      survey.isComplete && !hasUnanswered && claims.every(({ node }) => monitor.isGood(node))
    this.#tally.addBlock(isCertain ? 'lost' : 'unknown')
  }

  async #lookAtSlots(batch: readonly FoundSlot[]): Promise<void> {
    if (batch.length === 0) return
    const surveys = await this.#at.surveyor.slots(batch.map(({ link }) => link.slot))
    await mapConcurrently(batch, SLOTS_AT_ONCE, async (found, at) => {
      await this.#settleSlot(found, surveys[at] as SlotSurvey)
      this.#tell()
    })
  }

  async #settleSlot(found: FoundSlot, survey: SlotSurvey): Promise<void> {
    const { link, past } = found
    const code = this.#code
    this.copiesLeased += survey.copiesLeased
    let copies = copiesOf(this.#context, link, { survey, code })
    if (copies.heads.length === 0) {
      if (past > 0) this.#tally.pastGone += 1
      else {
        this.#tally.copiesMissing += copies.missing
        this.#tally.addSlot(survey.isComplete ? 'lost' : 'unknown')
      }
      return
    }
    const { links, unreadable } = linksOfHeads(link, copies.heads)
    if (unreadable === copies.heads.length) this.#addBroken(found)
    this.#frontier.addBelow(found, links)
    if (!copies.isSettled && past === 0) this.#tally.maybeStale += 1
    if (copies.missing > 0 && this.#options.phase === 'repair') {
      copies = await this.#repairSlot(link, survey, copies)
    }
    this.#tally.copiesMissing += copies.missing
    this.#options.tending?.onSlot({ holders: copies.holders })
    const health: Health = copies.missing === 0 ? 'healthy' : 'degraded'
    this.#tally.addSlot(health)
  }

  async #repairSlot(link: SlotLink, survey: SlotSurvey, copies: SlotCopies): Promise<SlotCopies> {
    const code = this.#code
    const { signal } = this.#at
    const given = await replicateHeads(this.#context, link, { survey, copies, code, signal })
    if (given.length > 0) this.slotsRepaired += 1
    this.copiesPlaced += given.length
    const now = given.map((node) => [node, copies.heads] as const)
    const answers = new Map([...survey.answers, ...now])
    return copiesOf(this.#context, link, { survey: { ...survey, answers }, code })
  }

  #tell(): void {
    this.#done += 1
    this.#options.onProgress?.({
      kind: 'progress',
      phase: this.#options.phase,
      doneBytes: this.#tally.bytes,
      done: this.#done,
      found: this.#frontier.found,
    })
  }
}

interface VisitTools {
  readonly inspector: BlockInspector
  readonly surveyor: Surveyor
  readonly signal: AbortSignal
}

interface KnownBlock {
  readonly survey: BlockSurvey
  readonly claims: readonly Holding[]
}

interface FoundBlock extends Found {
  readonly link: BlockLink | HistoryLink
}

interface FoundSlot extends Found {
  readonly link: SlotLink
}

function isBlock(found: Found): found is FoundBlock {
  return found.link.type !== 'slot'
}

function isSlot(found: Found): found is FoundSlot {
  return found.link.type === 'slot'
}

function isSame(a: Holding, b: Holding): boolean {
  return a.index === b.index && a.node === b.node
}

/** Of each batch: hides round trips; the messages are small, and what is large waits for memory. */
const BLOCKS_AT_ONCE = 64
/** As many as fit one message. */
const SLOTS_AT_ONCE = 64
