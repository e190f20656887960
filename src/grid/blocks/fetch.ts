import { merkleRoot } from '../../crypto/merkle.ts'
import { concatBytes, equalBytes } from '../../foundation/bytes.ts'
import { manyListeners } from '../../foundation/abort.ts'
import { deferred } from '../../foundation/concurrency.ts'
import { HayloftError } from '../../foundation/error.ts'
import { shareIndices } from '../../protocol/bitmap.ts'
import type { BlockId } from '../../protocol/block-id.ts'
import { isShard, openManifest, type Manifest } from '../../protocol/manifest.ts'
import type { GetReply } from '../../protocol/messages.ts'
import type { CallOptions } from '../../protocol/network.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { GridContext } from '../context.ts'
import { BrokenFileError, NotEnoughSharesError } from '../errors.ts'
import type { Holding } from '../nodes/survey.ts'
import { defaultCode } from '../placement/defaults.ts'

/** A share that was checked against its block's id. */
export interface GoodShare {
  readonly index: number
  readonly shard: Uint8Array
  readonly node: NodeKey
}

/** A block's ciphertext, proven to be the one its id names. */
export interface FetchedBlock {
  readonly manifest: Manifest
  /** Extended with zeros to k whole shards. */
  readonly extended: Uint8Array
  readonly ciphertext: Uint8Array
}

/**
 * Fetches k good shares and puts the ciphertext together. The nodes of the block's rank that answer fastest are asked
 * first, k at once; whoever is slow gets a rival, whoever is silent, empty or lying is replaced.
 * @throws NotEnoughSharesError, BrokenFileError
 */
export async function fetchBlock(
  context: GridContext,
  id: BlockId,
  { signal, expectShort }: CallOptions = {},
): Promise<FetchedBlock> {
  const candidates = candidatesOfRank(context, id)
  using fetching = new Fetching(context, { id, signal, expectShort, candidates })
  const { manifest, shares } = await fetching.run()
  return assembleBlock(context, manifest, shares)
}

/** k good shares of a block, and what was asked for on the way and turned out not to be what was claimed. */
export interface FetchedShares {
  readonly manifest: Manifest
  readonly shares: readonly GoodShare[]
  readonly bad: readonly Holding[]
}

/**
 * Fetches k good shares from among those that nodes claim to hold, in the way of {@link fetchBlock}.
 * @throws NotEnoughSharesError
 */
export async function fetchShares(
  context: GridContext,
  id: BlockId,
  { claims, signal }: { claims: readonly Holding[]; signal?: AbortSignal | undefined },
): Promise<FetchedShares> {
  const candidates = claims.map(({ node, index }) =>
    candidateOf(context, { node, index, at: index }),
  )
  using fetching = new Fetching(context, { id, signal, candidates: inOrder(candidates) })
  return await fetching.run()
}

/** Puts the ciphertext together from k good shares. @throws BrokenFileError if they are not one codeword */
export function assembleBlock(
  { erasure }: Pick<GridContext, 'erasure'>,
  manifest: Manifest,
  shares: readonly GoodShare[],
): FetchedBlock {
  const { code, ciphertextBytes } = manifest
  // Two nodes may hold the same share.
  const distinct = new Map(shares.map((share) => [share.index, share]))
  const data = new Map(shares.map(({ index, shard }) => [index, shard]))
  const missing = Array.from({ length: code.required }, (_, index) => index).filter(
    (index) => !data.has(index),
  )
  if (missing.length > 0) {
    const rebuilt = erasure.reconstruct(
      code,
      [...distinct.values()].slice(0, code.required),
      missing,
    )
    missing.forEach((index, at) => {
      const shard = rebuilt[at] as Uint8Array
      if (!equalBytes(merkleRoot(shard), manifest.roots[index] as Uint8Array)) {
        throw new BrokenFileError('the shares of a block are not of one piece')
      }
      data.set(index, shard)
    })
  }
  const shards = Array.from({ length: code.required }, (_, index) => data.get(index) as Uint8Array)
  const extended = concatBytes(shards)
  if (extended.subarray(ciphertextBytes).some((byte) => byte !== 0)) {
    throw new BrokenFileError('the end of a block is not empty')
  }
  return { manifest, extended, ciphertext: extended.subarray(0, ciphertextBytes) }
}

class Fetching implements Disposable {
  readonly #context: GridContext
  readonly #id: BlockId
  readonly #signal: AbortSignal | undefined
  readonly #expectShort: boolean | undefined
  /** Ends the requests that are still out once the block is complete. */
  readonly #done = manyListeners(new AbortController())
  readonly #result = deferred<FetchedShares>()
  readonly #candidates: Candidate[]
  readonly #good = new Map<number, GoodShare>()
  readonly #bad: Holding[] = []
  readonly #askedAgain = new Set<string>()
  #manifest: Manifest | undefined
  /** Nodes that owe an answer. */
  readonly #asked: NodeKey[] = []
  /** Requests that came to nothing: what the node has is not known. */
  #unheard = 0
  /** Requests whose node is silent or late: each was given a rival. */
  #overtaken = 0
  #startedMs = 0
  /** Since when nothing but silent nodes could still help. */
  #hopelessSinceMs: number | undefined
  #cancelTimer: (() => void) | undefined

  constructor(
    context: GridContext,
    {
      id,
      candidates,
      signal,
      expectShort,
    }: CallOptions & { readonly id: BlockId; readonly candidates: Candidate[] },
  ) {
    this.#context = context
    this.#id = id
    this.#signal = signal
    this.#expectShort = expectShort
    this.#candidates = candidates
  }

  async run(): Promise<FetchedShares> {
    this.#signal?.throwIfAborted()
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true })
    this.#startedMs = this.#context.clock.monotonicMs()
    this.#advance()
    return await this.#result.promise
  }

  [Symbol.dispose](): void {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#cancelTimer?.()
    this.#done.abort(new Error('the block is complete'))
  }

  /** Keeps as many requests out as shares are missing, not counting those that were overtaken. */
  #advance(): void {
    const required = this.#required
    if (this.#manifest !== undefined && this.#good.size >= required) {
      const shares = [...this.#good.values()]
      this.#result.resolve({ manifest: this.#manifest, shares, bad: this.#bad })
      return
    }
    while (this.#asked.length - this.#overtaken < required - this.#good.size) {
      const next = this.#candidates.shift()
      if (next === undefined) break
      if (next.index === undefined || !this.#good.has(next.index)) void this.#ask(next)
    }
    if (this.#asked.length === 0) {
      this.#fail()
      return
    }
    this.#cancelTimer ??= this.#context.clock.after(this.#context.monitor.hedgeDelayMs(), () => {
      this.#cancelTimer = undefined
      this.#lookAround()
    })
  }

  /** Some time has passed without the block being complete. */
  #lookAround(): void {
    const { monitor, clock } = this.#context
    if (this.#candidates.length === 0 && this.#asked.every((node) => monitor.isSuspect(node))) {
      this.#hopelessSinceMs ??= clock.monotonicMs()
      if (clock.monotonicMs() - this.#hopelessSinceMs >= LAST_HOPE_MS) {
        this.#fail()
        return
      }
    } else {
      this.#hopelessSinceMs = undefined
      // One rival a period is enough: a node that is merely slow must not double the traffic.
      const mayGain = this.#candidates.length > 0 && this.#overtaken < this.#asked.length
      if (mayGain && monitor.isOvertaken(this.#startedMs)) this.#overtaken += 1
    }
    this.#advance()
  }

  /** Until a share has told k, it is taken to be what uploads to this grid use if not told otherwise. */
  get #required(): number {
    return this.#manifest?.code.required ?? defaultCode(this.#context.view.nodes).required
  }

  #fail(): void {
    const found = this.#good.size
    const mayComeBack = found + this.#unheard + this.#asked.length >= this.#required
    const required = this.#manifest?.code.required
    this.#result.reject(new NotEnoughSharesError(this.#id, { found, required, mayComeBack }))
  }

  async #ask({ node, index }: Candidate): Promise<void> {
    this.#asked.push(node)
    let isOvertaken = false
    try {
      const reply = await this.#context.monitor.call<'get'>(
        node,
        { op: 'get', id: this.#id, ...(index !== undefined && { index }) },
        {
          signal: this.#done.signal,
          expectShort: this.#expectShort,
          onSuspect: () => {
            isOvertaken = true
            this.#overtaken += 1
            if (!this.#done.signal.aborted) this.#advance()
          },
        },
      )
      const isGood = reply.share !== undefined && this.#take(node, reply.share)
      if (index !== undefined && !isGood && !this.#good.has(index)) this.#bad.push({ index, node })
    } catch (error) {
      if (this.#done.signal.aborted) return
      if (!(error instanceof HayloftError)) this.#result.reject(error)
      this.#unheard += 1
    } finally {
      this.#asked.splice(this.#asked.indexOf(node), 1)
      if (isOvertaken || this.#overtaken > this.#asked.length) this.#overtaken -= 1
      if (!this.#done.signal.aborted) this.#advance()
    }
  }

  /** @returns whether the share is of use */
  #take(node: NodeKey, share: NonNullable<GetReply['share']>): boolean {
    this.#manifest ??= openManifest(this.#id, share.manifest)
    const { manifest, bytes, index } = { ...share, manifest: this.#manifest }
    const isGood = isShard(manifest, index, bytes) && !this.#good.has(index)
    if (isGood) this.#good.set(index, { index, shard: bytes, node })
    // It may hold others, as on a grid that nodes have left. They are asked for when all nodes have had their turn. Bounded by
    // n, and only one that is new to us is worth a question.
    const other = shareIndices(share.held).find(
      (held) => held !== index && held < manifest.code.total && !this.#good.has(held),
    )
    const key = `${node} ${other ?? ''}`
    if (other !== undefined && !this.#askedAgain.has(key)) {
      this.#askedAgain.add(key)
      this.#candidates.push({ node, index: other, cost: 0, at: 0 })
    }
    return isGood
  }
  readonly #onAbort = (): void => {
    this.#result.reject(this.#signal?.reason)
  }
}

interface Candidate {
  readonly node: NodeKey
  /** Which share, where one is meant. */
  readonly index: number | undefined
  readonly cost: number
  /** Place in the rank: among equals, the first hold the data shards, which need no decoding. */
  readonly at: number
}

function candidatesOfRank(context: GridContext, id: BlockId): Candidate[] {
  const ranked = context.ranking.rank(id)
  return inOrder(
    ranked.map(({ key }, at) => candidateOf(context, { node: key, index: undefined, at })),
  )
}

function candidateOf({ monitor }: GridContext, which: Omit<Candidate, 'cost'>): Candidate {
  const doubt = monitor.isPreferred(which.node) ? 0 : DOUBT_COST
  return { ...which, cost: doubt + monitor.slowness(which.node) }
}

function inOrder(candidates: Candidate[]): Candidate[] {
  return candidates.sort((a, b) => a.cost - b.cost || a.at - b.at)
}

/** More than any slowness: a node that is silent or away is asked last. */
const DOUBT_COST = 1e6
/** How long a block waits for nodes that are all silent. */
const LAST_HOPE_MS = 8000
