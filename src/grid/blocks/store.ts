import type { ErasureCode } from '../../erasure/code.ts'
import { linkSignals, manyListeners } from '../../foundation/abort.ts'
import { allocateBytes } from '../../foundation/bytes.ts'
import { deferred, Semaphore } from '../../foundation/concurrency.ts'
import { assert } from '../../foundation/error.ts'
import { dropOldest } from '../../foundation/newest.ts'
import { blockIdHex, type BlockIdHex } from '../../protocol/block-id.ts'
import { DEFAULT_LEASE_S } from '../../protocol/limits.ts'
import type { GridContext } from '../context.ts'
import { BrokenFileError, TooFewNodesError } from '../errors.ts'
import type { BlockReference } from '../files/index-node.ts'
import { HoldingsBatcher } from '../nodes/holdings.ts'
import { defaultCode, happinessThreshold } from '../placement/defaults.ts'
import { placeShares, type Placement } from '../placement/place.ts'
import { encodeBlock, shareSetBytes, type ShareSet } from './encode.ts'
import { fetchBlock } from './fetch.ts'
import { encodeFrame, type BlockFrame } from './frame.ts'
import { FrameCache } from './frame-cache.ts'
import { convergentKey, openBlock, sealedBytes } from './seal.ts'

/**
 * The blocks of one tree, by reference. Equal blocks get equal references, which follow from the block alone, so a
 * parent can be put while its children are still on their way; {@link flush} tells when all of them are stored.
 * Disposing of the store gives up what is on its way: settle it first.
 */
export interface BlockStore extends AsyncDisposable {
  /**
   * Begins to store a block. Resolves with its reference as soon as there is memory for its shares, long before it
   * is stored. The frame must not be changed afterwards.
   */
  put(frame: BlockFrame): Promise<BlockReference>
  /**
   * Fetches, checks and opens a block, or finds it among those used last.
   * @throws NotEnoughSharesError, BrokenFileError also if it is not what was expected
   */
  get(reference: BlockReference, options?: GetBlockOptions): Promise<BlockFrame>
  /**
   * Resolves once enough nodes have every block put so far on disk, or of these only some; the shares for the others,
   * slower ones go on their way. What failed is reported once; who puts the same blocks again sends only those that
   * failed.
   * @throws TooFewNodesError
   */
  flush(blocks?: Iterable<BlockIdHex>): Promise<void>
  /** Settles with the fate of a block that was put. @throws TooFewNodesError */
  stored(block: BlockIdHex): Promise<void>
  /**
   * Resolves when nothing is on its way any more: silent nodes have a last, short grace. Degraded: of some block put
   * since this was asked last, some share has no node.
   */
  settle(): Promise<'healthy' | 'degraded'>
  /** Bytes of shares that had to be sent since the store was opened; those that the grid had already do not count. */
  readonly sentBytes: number
}

export interface GetBlockOptions {
  readonly expect?: BlockExpectation | undefined
  readonly signal?: AbortSignal | undefined
}

/** What the one who holds a reference knows of the block; anything else is refused. */
export interface BlockExpectation {
  readonly kinds: readonly number[]
  readonly level?: number | undefined
}

export interface BlockStoreOptions {
  /** 32 secret bytes of this tree: under them equal blocks get equal keys. */
  readonly convergence: Uint8Array
  /** k-of-n; by default what suits the number of households. */
  readonly code?: ErasureCode | undefined
  /** Of opened blocks that are kept; by default as much as suits who reads a tree. */
  readonly cacheBytes?: number | undefined
}

export function openBlockStore(context: GridContext, options: BlockStoreOptions): BlockStore {
  return new GridBlockStore(context, options)
}

class GridBlockStore implements BlockStore {
  readonly #context: GridContext
  readonly #convergence: Uint8Array
  readonly #code: ErasureCode
  readonly #cache: FrameCache
  readonly #memory = new Semaphore(SHARE_MEMORY_BYTES)
  readonly #stop = manyListeners(new AbortController())
  readonly #batcher: HoldingsBatcher
  readonly #fetching = new Map<BlockIdHex, Promise<BlockFrame>>()
  readonly #underWay = new Set<BlockIdHex>()
  /** Blocks that are not stored yet; one that has failed stays until that is told, or until it is put again. */
  readonly #unflushed = new Map<BlockIdHex, Fate>()
  /** Everything that still runs, the wait for silent nodes included. */
  readonly #placing = new Set<Promise<void>>()
  /** Blocks known to be whole on the grid → when that was learnt, in monotonic ms. */
  readonly #stored = new Map<BlockIdHex, number>()
  #owed = 0
  #isDegraded = false
  #sentBytes = 0

  constructor(
    context: GridContext,
    { convergence, code, cacheBytes = CACHE_BYTES }: BlockStoreOptions,
  ) {
    assert(convergence.length === 32, 'a convergence secret has 32 bytes')
    this.#context = context
    this.#convergence = convergence
    this.#code = code ?? defaultCode(context.view.nodes)
    this.#cache = new FrameCache(cacheBytes)
    const question = { op: 'lease' as const, leaseS: DEFAULT_LEASE_S }
    this.#batcher = new HoldingsBatcher(context, question, this.#stop.signal)
  }

  async put(frame: BlockFrame): Promise<BlockReference> {
    const encoded = encodeFrame(frame)
    const key = convergentKey(this.#convergence, encoded)
    const bytes = shareSetBytes(this.#code, sealedBytes(encoded))
    const release = await this.#memory.acquire(Math.max(bytes, MIN_MEMORY_BYTES), this.#stop.signal)
    const block = { key, frame: encoded, code: this.#code }
    const shares = encodeBlock(this.#context.erasure, block, allocateBytes(bytes))
    const reference = { key, id: shares.id }
    const name = blockIdHex(shares.id)
    this.#cache.set(reference, frame)
    const hasFailed = this.#unflushed.get(name)?.hasFailed === true
    const isOnItsWay = this.#underWay.has(name) || this.#unflushed.has(name)
    if (this.#isStored(name) || (isOnItsWay && !hasFailed)) release()
    else this.#start(shares, name, release)
    return reference
  }

  async get(
    reference: BlockReference,
    { expect, signal }: GetBlockOptions = {},
  ): Promise<BlockFrame> {
    signal?.throwIfAborted()
    const frame = this.#cache.get(reference) ?? (await this.#fetch(reference, signal))
    if (expect !== undefined) {
      const isExpected = expect.kinds.includes(frame.kind)
      if (!isExpected || (expect.level !== undefined && expect.level !== frame.level)) {
        throw new BrokenFileError('a block is not of the kind that its parent says')
      }
    }
    return frame
  }

  async flush(blocks?: Iterable<BlockIdHex>): Promise<void> {
    this.#batcher.flush()
    const names = blocks === undefined ? [...this.#unflushed.keys()] : [...blocks]
    const awaited = names.flatMap((name) => {
      const fate = this.#unflushed.get(name)
      return fate === undefined ? [] : [{ name, fate }]
    })
    const outcomes = await Promise.allSettled(awaited.map(async ({ fate }) => await fate.stored))
    for (const { name, fate } of awaited) {
      if (this.#unflushed.get(name) === fate) this.#unflushed.delete(name)
    }
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason as Error
  }

  async stored(block: BlockIdHex): Promise<void> {
    await this.#unflushed.get(block)?.stored
  }

  async settle(): Promise<'healthy' | 'degraded'> {
    this.#batcher.flush()
    await Promise.all(this.#placing)
    const health = this.#isDegraded ? 'degraded' : 'healthy'
    this.#isDegraded = false
    return health
  }

  get sentBytes(): number {
    return this.#sentBytes
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the block store is closed'))
    await Promise.allSettled(this.#placing)
  }

  #start(shares: ShareSet, name: BlockIdHex, release: () => void): void {
    const stored = deferred()
    const fate: Fate = { stored: stored.promise, hasFailed: false }
    const placing = this.#place(shares, { onStored: stored.resolve, release })
      .then(stored.resolve, (error: unknown) => {
        this.#cache.delete(shares.id)
        fate.hasFailed = true
        stored.reject(error)
      })
      .finally(() => {
        release()
        this.#underWay.delete(name)
        this.#placing.delete(placing)
      })
    this.#placing.add(placing)
    this.#underWay.add(name)
    this.#unflushed.set(name, fate)
    void this.#forgetOnceStored(name, fate)
  }

  async #forgetOnceStored(name: BlockIdHex, fate: Fate): Promise<void> {
    try {
      await fate.stored
      if (this.#unflushed.get(name) === fate) this.#unflushed.delete(name)
    } catch {
      // Thrown by the flush that waits for it; until then it must not count as unhandled.
    }
  }

  /** @param about.onStored called once enough nodes have the block */
  async #place(
    shares: ShareSet,
    about: { onStored: () => void; release: () => void },
  ): Promise<void> {
    const { ranking, monitor, clock } = this.#context
    const needed = happinessThreshold(this.#code)
    using giveUp = linkSignals(this.#stop.signal)
    let cancelGrace: (() => void) | undefined
    let counted = 0
    const onOwed = (holders: number): void => {
      this.#owed += 1
      about.release()
      // What is owed is held in memory, so past a bound there is no more waiting.
      const graceMs = holders >= needed && this.#owed > BLOCKS_OWED ? 0 : monitor.graceMs()
      cancelGrace = clock.after(graceMs, () => {
        giveUp.abort(new Error('silent nodes had their time'))
      })
    }
    const placement = await placeShares(shares, {
      order: ranking.order(shares.id, this.#code.total).map(({ key }) => key),
      monitor,
      ask: this.#askFor(shares),
      signal: giveUp.signal,
      onOwed,
      onHeld: ({ holders, sentBytes }) => {
        this.#sentBytes += sentBytes - counted
        counted = sentBytes
        if (holders >= needed) about.onStored()
      },
    }).finally(() => {
      if (cancelGrace !== undefined) this.#owed -= 1
      cancelGrace?.()
    })
    this.#stop.signal.throwIfAborted()
    this.#record(shares, placement, needed)
  }

  /**
   * Large shares are sent only where they are missing. Small ones are just sent: a question would cost a round trip
   * and about as much as the share, and who holds it already says so.
   */
  #askFor({ id, shards: [first] }: ShareSet): Parameters<typeof placeShares>[1]['ask'] {
    if (first === undefined || first.length <= DIRECT_MAX_BYTES) return undefined
    return (node, onSuspect) => this.#batcher.ask(node, id, { urgent: false, onSuspect })
  }

  #record({ id }: ShareSet, { holders, full, overQuota }: Placement, needed: number): void {
    if (holders.size < needed) {
      const { length: total } = this.#context.view.nodes
      throw new TooFewNodesError({ needed, answered: holders.size, total, full, overQuota })
    }
    if (holders.size < this.#code.total) {
      this.#isDegraded = true
      return
    }
    this.#stored.set(blockIdHex(id), this.#context.clock.monotonicMs())
    dropOldest(this.#stored, STORED_REMEMBERED)
  }

  #isStored(name: BlockIdHex): boolean {
    const sinceMs = this.#stored.get(name)
    if (sinceMs === undefined) return false
    if (this.#context.clock.monotonicMs() - sinceMs < STORED_FOR_MS) return true
    this.#stored.delete(name)
    return false
  }

  async #fetch(reference: BlockReference, signal: AbortSignal | undefined): Promise<BlockFrame> {
    const name = blockIdHex(reference.id)
    const underWay = this.#fetching.get(name)
    // Whoever has a signal of their own fetches alone: another's must not end it.
    if (underWay !== undefined && signal === undefined) {
      await underWay.catch(() => undefined)
      const frame = this.#cache.get(reference)
      if (frame !== undefined) return frame
    }
    const fetching = this.#fetchAnew(reference, signal)
    if (signal === undefined) this.#fetching.set(name, fetching)
    try {
      return await fetching
    } finally {
      if (this.#fetching.get(name) === fetching) this.#fetching.delete(name)
    }
  }

  async #fetchAnew(reference: BlockReference, signal?: AbortSignal): Promise<BlockFrame> {
    const { ciphertext } = await fetchBlock(this.#context, reference.id, {
      signal,
      // The nodes of a tree are small.
      expectShort: true,
    })
    const frame = openBlock(reference.key, ciphertext)
    this.#cache.set(reference, frame)
    return frame
  }
}

interface Fate {
  readonly stored: Promise<void>
  hasFailed: boolean
}

/** Shares in memory at once. A block counts as at least the minimum, so that requests are bounded too: 256 blocks. */
const SHARE_MEMORY_BYTES = 32 * 1024 * 1024
const MIN_MEMORY_BYTES = 128 * 1024
/** Opened blocks kept: the tree of a folder of about 100,000 entries. */
const CACHE_BYTES = 32 * 1024 * 1024
/** Shares up to this size are sent without asking; three of them make the fullest leaf of a folder's tree. */
const DIRECT_MAX_BYTES = 32 * 1024
/** Blocks held in memory for silent nodes that may come back. */
const BLOCKS_OWED = 64
/** Blocks known to be stored: a few MiB of names. */
const STORED_REMEMBERED = 16_384
/** How long that knowledge lasts; far less than the days of grace after a lease. */
const STORED_FOR_MS = 3_600_000
