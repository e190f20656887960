import { shardSize } from '../../erasure/code.ts'
import { Semaphore } from '../../foundation/concurrency.ts'
import { HayloftError } from '../../foundation/error.ts'
import { randomBelow } from '../../foundation/randomness.ts'
import type { BlockId } from '../../protocol/block-id.ts'
import { MAX_CIPHERTEXT_BYTES } from '../../protocol/limits.ts'
import { areLeaves, openManifest, shardLeavesOf, type Manifest } from '../../protocol/manifest.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { fetchClaimed, fetchManifest, isOneCodeword } from '../blocks/examine.ts'
import { assembleBlock, fetchShares, type GoodShare } from '../blocks/fetch.ts'
import type { BlockLink, HistoryLink, Link } from '../blocks/frame.ts'
import { openLinks, openLinksAtStart, PROBE_BYTES } from '../blocks/seal.ts'
import type { GridContext } from '../context.ts'
import { BrokenFileError, NotEnoughSharesError } from '../errors.ts'
import type { Holding } from '../nodes/survey.ts'
import { LeafBatcher } from './leaf-batcher.ts'

/** How far to trust nodes that say they hold a share: see {@link CheckOptions.verify}. */
export type Verification = 'none' | 'audit' | 'full'

/** What was found out about one block. */
export type Inspected =
  | {
      readonly kind: 'found'
      readonly manifest: Manifest
      readonly links: readonly Link[]
      /** Claims that stood the verification asked for. */
      readonly good: readonly Holding[]
      readonly bad: readonly Holding[]
      /** Whether some claim got no answer, and so is neither. */
      readonly hasUnanswered: boolean
      /** Whole shares that had to be fetched to open it, if the inspector keeps them. */
      readonly fetched: readonly GoodShare[]
      /** Gives back the memory of {@link fetched}. */
      readonly release: () => void
    }
  /** Too few shares could be had to open it. */
  | { readonly kind: 'missing' }
  /** It is there, and no conforming writer made it. */
  | { readonly kind: 'broken' }

/** Opens the links of blocks and looks at their shares, as many as memory allows at a time. */
export class BlockInspector {
  readonly #context: GridContext
  readonly #verify: Verification
  readonly #signal: AbortSignal
  readonly #doubts: (node: NodeKey) => boolean
  readonly #isLinkless: (id: BlockId) => boolean
  readonly #keepsShares: boolean
  readonly #leaves: LeafBatcher
  /** Of blocks whose manifests nobody has seen yet. */
  readonly #beginnings: LeafBatcher
  /** Bytes of shares in memory. */
  readonly memory = new Semaphore(SHARE_MEMORY_BYTES)
  /** Nodes that showed a bad share: their further ones are checked whole. */
  readonly caught = new Set<NodeKey>()

  constructor(
    context: GridContext,
    {
      verify,
      doubts = nobody,
      isLinkless = nobody,
      keepsShares = false,
      signal,
    }: {
      verify: Verification
      /** Nodes whose shares are sampled at least. */
      doubts?: ((node: NodeKey) => boolean) | undefined
      /** Blocks that are known to lead nowhere. */
      isLinkless?: ((id: BlockId) => boolean) | undefined
      /** Whether shares that were fetched are wanted for a repair, so that none is fetched twice. */
      keepsShares?: boolean | undefined
      signal: AbortSignal
    },
  ) {
    this.#context = context
    this.#verify = verify
    this.#doubts = doubts
    this.#isLinkless = isLinkless
    this.#keepsShares = keepsShares
    this.#signal = signal
    this.#leaves = new LeafBatcher(context.monitor, signal)
    this.#beginnings = new LeafBatcher(context.monitor, signal, { withManifests: true })
  }

  async inspect(link: BlockLink | HistoryLink, claims: readonly Holding[]): Promise<Inspected> {
    let release = nothing
    try {
      const opened = await this.#open(link, claims)
      const { manifest, links, proven, fetched } = opened
      ;({ release } = opened)
      // A node may claim shares that no such block has.
      const possible = claims.filter(({ index }) => index < manifest.code.total)
      const checked = await this.#check(link, { manifest, claims: possible, proven })
      for (const { node } of checked.bad) this.caught.add(node)
      return { kind: 'found', manifest, links, ...checked, fetched, release }
    } catch (error) {
      release()
      if (error instanceof NotEnoughSharesError) return { kind: 'missing' }
      if (error instanceof BrokenFileError) return { kind: 'broken' }
      throw error
    }
  }

  /**
   * Links begin where share 0 does, and most blocks have none: so its first leaf is asked for, along with those of other
   * blocks, instead of k shares, and whole shares only where that does not tell.
   */
  async #open(link: BlockLink | HistoryLink, claims: readonly Holding[]): Promise<Opened> {
    let proven: GoodShare | undefined
    let possible = claims
    for (const { node } of this.#likeliestFirst(claims.filter(({ index }) => index === 0))) {
      const beginning = await this.#beginningOf(link, node)
      if (beginning === undefined) continue
      if (beginning.links !== undefined) {
        return { ...beginning, links: beginning.links, fetched: [], release: nothing }
      }
      ;({ proven } = beginning)
      const { total } = beginning.manifest.code
      possible = claims.filter(({ index }) => index < total)
      break
    }
    if (this.#isLinkless(link.id)) {
      const options = { claims: possible, signal: this.#signal }
      const manifest = await fetchManifest(this.#context, link.id, options)
      if (manifest !== undefined) return { manifest, links: [], proven, ...NOTHING_FETCHED }
    }
    const bytes = this.#keepsShares ? KEPT_BLOCK_BYTES : MAX_CIPHERTEXT_BYTES
    const release = await this.memory.acquire(bytes, this.#signal)
    let isKept = false
    try {
      const options = { claims: possible, signal: this.#signal }
      const { manifest, shares } = await fetchShares(this.#context, link.id, options)
      const { ciphertext } = assembleBlock(this.#context, manifest, shares)
      const opened = { manifest, links: openLinks(link.verifyKey, ciphertext), proven }
      isKept = this.#keepsShares
      return isKept ? { ...opened, fetched: shares, release } : { ...opened, ...NOTHING_FETCHED }
    } finally {
      if (!isKept) release()
    }
  }

  async #beginningOf(
    { id, verifyKey }: BlockLink | HistoryLink,
    node: NodeKey,
  ): Promise<Beginning | undefined> {
    return await this.#ignoringNodes(async () => {
      const leaf = await this.#beginnings.ask(node, { id, index: 0, leaf: 0 })
      if (leaf?.manifest === undefined || leaf.bytes.length < PROBE_BYTES) return undefined
      const manifest = openManifest(id, leaf.manifest)
      const { bytes, proof } = leaf
      if (!areLeaves(manifest, { index: 0, firstLeaf: 0, bytes, proof })) return undefined
      const { ciphertextBytes } = manifest
      const beginning = bytes.subarray(0, ciphertextBytes)
      const links = openLinksAtStart(verifyKey, { beginning, ciphertextBytes })
      const isWhole = shardLeavesOf(manifest) === 1
      return { manifest, links, proven: isWhole ? { index: 0, shard: bytes, node } : undefined }
    })
  }

  #likeliestFirst(claims: readonly Holding[]): Holding[] {
    const { monitor } = this.#context
    const doubt = ({ node }: Holding): number =>
      (this.caught.has(node) ? 2 : 0) + (monitor.isPreferred(node) ? 0 : 1)
    return claims.toSorted((a, b) => doubt(a) - doubt(b)).slice(0, BEGINNINGS_TRIED)
  }

  async #check(
    { id }: BlockLink | HistoryLink,
    block: Claimed,
  ): Promise<Pick<Inspected & { kind: 'found' }, 'good' | 'bad' | 'hasUnanswered'>> {
    const { manifest, claims } = block
    const isBelieved = ({ node }: Holding): boolean =>
      this.#verify === 'none' && !this.#doubts(node)
    const believed = claims.filter(isBelieved)
    if (believed.length === claims.length) return { good: claims, bad: [], hasUnanswered: false }
    const isDoubted = ({ node }: Holding): boolean =>
      this.#verify === 'full' || this.caught.has(node)
    const rest = claims.filter((claim) => !isBelieved(claim))
    const whole = rest.filter(isDoubted)
    const sampled = rest.filter((claim) => !isDoubted(claim))
    const bytes = whole.length * shardSize(manifest.code, manifest.ciphertextBytes)
    const release = bytes === 0 ? undefined : await this.memory.acquire(bytes, this.#signal)
    try {
      const [read, audited] = await Promise.all([
        this.#readWhole(id, { ...block, claims: whole }),
        this.#audit(id, { ...block, claims: sampled }),
      ])
      const { shares } = read
      if (!isOneCodeword(this.#context, id, { manifest, shares })) {
        throw new BrokenFileError('the shares of a block are not of one piece')
      }
      const good = [...believed, ...shares.map(holdingOf), ...audited.good]
      const bad = [...read.bad, ...audited.bad]
      return { good, bad, hasUnanswered: good.length + bad.length < claims.length }
    } finally {
      release?.()
    }
  }

  async #readWhole(
    id: BlockId,
    { manifest, claims, proven }: Claimed,
  ): Promise<{ shares: readonly GoodShare[]; bad: readonly Holding[] }> {
    if (shardLeavesOf(manifest) > 1) {
      const { shares, bad } = await fetchClaimed(this.#context, id, {
        claims,
        signal: this.#signal,
      })
      return { shares, bad }
    }
    // A share of a single leaf is that leaf, and leaves are asked for many at a time.
    const shares: GoodShare[] = []
    const bad: Holding[] = []
    await Promise.all(
      claims.map(async (claim) => {
        const { index, node } = claim
        if (proven !== undefined && isSame(proven, claim)) shares.push(proven)
        else {
          const bytes = await this.#leafOf(id, manifest, { ...claim, leaf: 0 })
          if (bytes === undefined) return
          if (bytes === 'bad') bad.push(claim)
          else shares.push({ index, node, shard: bytes })
        }
      }),
    )
    return { shares, bad }
  }

  async #audit(
    id: BlockId,
    { manifest, claims, proven }: Claimed,
  ): Promise<{ good: readonly Holding[]; bad: readonly Holding[] }> {
    const good: Holding[] = []
    const bad: Holding[] = []
    await Promise.all(
      claims.map(async (claim) => {
        if (proven !== undefined && isSame(proven, claim)) {
          good.push(claim)
          return
        }
        const leaf = randomBelow(this.#context.randomness, shardLeavesOf(manifest))
        const bytes = await this.#leafOf(id, manifest, { ...claim, leaf })
        if (bytes !== undefined) (bytes === 'bad' ? bad : good).push(claim)
      }),
    )
    return { good, bad }
  }

  /** @returns undefined without an answer */
  async #leafOf(
    id: BlockId,
    manifest: Manifest,
    { index, node, leaf }: Holding & { leaf: number },
  ): Promise<Uint8Array | 'bad' | undefined> {
    return await this.#ignoringNodes(async () => {
      const answer = await this.#leaves.ask(node, { id, index, leaf })
      const isProven =
        answer !== undefined && areLeaves(manifest, { index, firstLeaf: leaf, ...answer })
      return isProven ? answer.bytes : 'bad'
    })
  }

  /** What the world breaks is the node's fault and counts as no answer; what the block's writer broke is not. */
  async #ignoringNodes<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (error) {
      this.#signal.throwIfAborted()
      if (error instanceof HayloftError && !(error instanceof BrokenFileError)) return undefined
      throw error
    }
  }
}

interface Opened {
  readonly manifest: Manifest
  readonly links: readonly Link[]
  /** The first share, if it was seen whole. */
  readonly proven: GoodShare | undefined
  readonly fetched: readonly GoodShare[]
  readonly release: () => void
}

interface Beginning extends Pick<Opened, 'manifest' | 'proven'> {
  /** Undefined where the beginning does not tell them. */
  readonly links: readonly Link[] | undefined
}

interface Claimed {
  readonly manifest: Manifest
  readonly claims: readonly Holding[]
  readonly proven: GoodShare | undefined
}

function holdingOf({ index, node }: Holding): Holding {
  return { index, node }
}

function isSame(a: Holding, b: Holding): boolean {
  return a.index === b.index && a.node === b.node
}

function nobody(): boolean {
  return false
}

function nothing(): void {}

const NOTHING_FETCHED = { fetched: [], release: nothing }
/** A block with all shares that its repair makes of it, by the usual codes. */
const KEPT_BLOCK_BYTES = 4 * MAX_CIPHERTEXT_BYTES
/** Of nodes that claim the first share; then whole shares are fetched. */
const BEGINNINGS_TRIED = 2
/** Shares in memory at once: a few blocks with all their shares, or very many small ones. */
const SHARE_MEMORY_BYTES = 32 * 1024 * 1024
