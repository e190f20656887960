import { LITERAL_MAX_BYTES } from '../capabilities/capability.ts'
import { equalBytes } from '../foundation/bytes.ts'
import { assert } from '../foundation/error.ts'
import { linkSignals, manyListeners } from '../foundation/abort.ts'
import { deferred, Semaphore, type Deferred } from '../foundation/concurrency.ts'
import type { ErasureCode } from '../erasure/code.ts'
import type { ShareBitmap } from '../protocol/bitmap.ts'
import type { BlockId } from '../protocol/block-id.ts'
import { BLOCK_CAPACITY_BYTES, DEFAULT_LEASE_S, MAX_CIPHERTEXT_BYTES } from '../protocol/limits.ts'
import type { NodeKey } from '../protocol/node-key.ts'
import { encodeBlock, shareSetBytes, type ShareSet } from './blocks/encode.ts'
import { copyFrame, encodeFrame, type EncodedFrame } from './blocks/frame.ts'
import { blockNameOf, leaseWhole } from './blocks/known-blocks.ts'
import { ShareMemory } from './blocks/share-memory.ts'
import { convergentKey, keyOfFrameHash, sealedBytes } from './blocks/seal.ts'
import type { GridContext, OperationOptions } from './context.ts'
import { dataFrames } from './files/chunks.ts'
import {
  hashedBlocks,
  isHashed,
  type HashedBlock,
  type HashedSource,
} from './files/hashed-source.ts'
import { IndexBuilder } from './files/index-builder.ts'
import type { BlockReference } from './files/index-node.ts'
import { HoldingsBatcher } from './nodes/holdings.ts'
import { defaultCode } from './placement/defaults.ts'
import { placeShares } from './placement/place.ts'
import { UploadTally, type PutResult } from './upload-tally.ts'

/** How a file is to be stored. */
export interface PutOptions extends OperationOptions {
  /** k-of-n; by default what suits the number of households. */
  readonly code?: ErasureCode | undefined
  /** A key by chance instead of by content: nothing is shared with earlier uploads, and an interrupted one starts anew. */
  readonly randomKey?: boolean | undefined
}

/**
 * Stores a file in one pass over `source`: 1 MiB chunks are sealed, erasure-coded, placed and sent while the next are
 * read. Resolves once enough nodes have every block on disk.
 *
 * Memory: {@link BLOCKS_IN_FLIGHT} × 1 MiB × (1 + n/k), and as much again for shares owed to silent nodes.
 * @throws TooFewNodesError some block found too few nodes; whatever `source` throws
 */
export async function uploadFile(
  context: GridContext,
  source: AsyncIterable<Uint8Array> | HashedSource,
  options: PutOptions = {},
): Promise<PutResult> {
  const code = options.code ?? defaultCode(context.view.nodes)
  await using upload = new Upload(context, code, options)
  return await upload.run(source)
}

class Upload {
  readonly #context: GridContext
  readonly #code: ErasureCode
  readonly #options: PutOptions
  readonly #slots = new Semaphore(BLOCKS_IN_FLIGHT)
  readonly #questions = new Semaphore(KNOWN_BLOCKS_IN_FLIGHT)
  /** Aborted when the upload fails, is given up, or has waited long enough for silent nodes. */
  readonly #stop = manyListeners(new AbortController())
  readonly #batcher: HoldingsBatcher
  readonly #placing = new Set<Promise<void>>()
  /** Blocks that still get on, and blocks that wait for silent nodes only. */
  #busy = 0
  #owed = 0
  #idle: Deferred<void> = deferred()
  #failure: { error: unknown } | undefined
  readonly #tally: UploadTally
  readonly #memory: ShareMemory

  constructor(context: GridContext, code: ErasureCode, options: PutOptions) {
    this.#context = context
    this.#code = code
    this.#options = options
    this.#tally = new UploadTally(context, code, options)
    this.#memory = new ShareMemory(shareSetBytes(code, MAX_CIPHERTEXT_BYTES))
    options.signal?.addEventListener('abort', this.#onAbort, { once: true })
    const question = { op: 'lease' as const, leaseS: DEFAULT_LEASE_S }
    this.#batcher = new HoldingsBatcher(context, question, this.#stop.signal)
  }

  async run(source: AsyncIterable<Uint8Array> | HashedSource): Promise<PutResult> {
    const index = new IndexBuilder((frame) =>
      this.#store(encodeFrame(frame), { urgent: false, fileBytes: 0 }),
    )
    const mayBeKnown = isHashed(source) && this.#options.randomKey !== true
    if (mayBeKnown && source.sizeBytes > LITERAL_MAX_BYTES) {
      for (const block of hashedBlocks(source)) {
        this.#options.signal?.throwIfAborted()
        await index.add({ ...(await this.#storeHashed(block)), sizeBytes: block.sizeBytes })
      }
      return await this.#finish(index, source.sizeBytes)
    }
    let sizeBytes = 0
    for await (const { frame, sizeBytes: blockBytes, isLast } of dataFrames(source)) {
      this.#options.signal?.throwIfAborted()
      sizeBytes += blockBytes
      if (isLast && this.#tally.blocks === 0 && sizeBytes <= LITERAL_MAX_BYTES)
        return this.#tally.literal(frame, sizeBytes)
      const urgent = isLast && this.#tally.blocks === 0
      const reference = await this.#store(frame, { urgent, fileBytes: blockBytes })
      await index.add({ ...reference, sizeBytes: blockBytes })
    }
    return await this.#finish(index, sizeBytes)
  }

  async #finish(index: IndexBuilder, sizeBytes: number): Promise<PutResult> {
    const { key, id } = await index.finish()
    this.#batcher.flush()
    await this.#settle()
    return { ...this.#tally.result(sizeBytes), capability: { kind: 'file-read', key, id } }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#stop.abort(this.#failure?.error ?? new Error('the upload has ended'))
    await Promise.allSettled(this.#placing)
  }

  /** Seals and encodes now, and sees to it that the shares are placed; waits while too many blocks are under way. */
  async #store(
    frame: EncodedFrame,
    about: { urgent: boolean; fileBytes: number },
  ): Promise<BlockReference> {
    const { convergence, randomness } = this.#context
    const isRandom = this.#options.randomKey === true
    const key = isRandom ? randomness.bytes(32) : convergentKey(convergence, frame)
    // A frame's memory goes on to the next one.
    const keep = (): (() => EncodedFrame) => {
      const copy = copyFrame(frame)
      return () => copy
    }
    return await this.#storeUnder(key, about, { now: () => frame, keep })
  }

  /** The same of a block that need not be read where the grid has it. */
  async #storeHashed(block: HashedBlock): Promise<BlockReference> {
    const { frameHash, sizeBytes } = block
    const key = keyOfFrameHash(this.#context.convergence, frameHash)
    const frame = async (): Promise<EncodedFrame> => (await block.read()).frame
    const about = {
      urgent: sizeBytes < BLOCK_CAPACITY_BYTES && this.#tally.blocks === 0,
      fileBytes: sizeBytes,
    }
    return await this.#storeUnder(key, about, { now: frame, keep: () => frame })
  }

  async #storeUnder(
    key: Uint8Array,
    about: { urgent: boolean; fileBytes: number },
    frame: {
      readonly now: () => EncodedFrame | Promise<EncodedFrame>
      /** For later. */
      readonly keep: () => () => EncodedFrame | Promise<EncodedFrame>
    },
  ): Promise<BlockReference> {
    const name = blockNameOf(key, this.#code)
    // Under a random key nothing is ever met again.
    const knownBlocks = this.#options.randomKey === true ? undefined : this.#context.knownBlocks
    const known = knownBlocks?.idOf(name)
    const room = known === undefined ? this.#slots : this.#questions
    const release = await room.acquire(1, this.#options.signal)
    if (this.#failure !== undefined) throw this.#failure.error
    this.#tally.blocks += 1
    if (known !== undefined) {
      const kept = frame.keep()
      const encode = async (): Promise<EncodedBlock> => this.#encode(key, await kept())
      this.#start(release, () => this.#leaseKnown(known, { ...about, encode }))
      return { key, id: known }
    }
    const encoded = await this.#encodedWithin(
      async () => this.#encode(key, await frame.now()),
      release,
    )
    knownBlocks?.remember(name, encoded.shares.id)
    this.#start(release, () => this.#place(encoded, { ...about, release }))
    return { key, id: encoded.shares.id }
  }

  #encode(key: Uint8Array, frame: EncodedFrame): EncodedBlock {
    const memory = this.#memory.take(shareSetBytes(this.#code, sealedBytes(frame)))
    const block = { key, frame, code: this.#code }
    return { shares: encodeBlock(this.#context.erasure, block, memory), memory }
  }

  /** @throws what `encode` throws, and then the slot is free again */
  async #encodedWithin(
    encode: () => EncodedBlock | Promise<EncodedBlock>,
    release: () => void,
  ): Promise<EncodedBlock> {
    try {
      return await encode()
    } catch (error) {
      release()
      throw error
    }
  }

  #start(release: () => void, work: () => Promise<void>): void {
    const placing = work()
      .catch((error: unknown) => {
        this.#failure ??= { error }
        this.#idle.resolve()
      })
      .finally(() => {
        release()
        this.#placing.delete(placing)
      })
    this.#placing.add(placing)
  }

  /** A block that was on the grid before most likely still is: then it costs a question. */
  async #leaseKnown(
    id: BlockId,
    {
      encode,
      ...about
    }: { urgent: boolean; fileBytes: number; encode: () => Promise<EncodedBlock> },
  ): Promise<void> {
    let placing: Promise<void> | undefined
    this.#busy += 1
    try {
      const { urgent, fileBytes } = about
      const which = { id, code: this.#code, urgent }
      const { holders, answers } = await leaseWhole(this.#context, this.#batcher, which)
      if (holders === undefined) {
        const release = await this.#slots.acquire(1, this.#stop.signal)
        const encoded = await this.#encodedWithin(encode, release)
        // The file's capability leads to what was remembered.
        assert(equalBytes(encoded.shares.id, id), 'a block that is encoded again has its id')
        placing = this.#place(encoded, { ...about, release, answers }).finally(release)
      } else {
        this.#tally.record(id, { holders, sentBytes: 0, full: 0, overQuota: 0 }, fileBytes)
      }
    } finally {
      this.#leave()
    }
    await placing
  }

  async #place(
    { shares, memory }: EncodedBlock,
    about: {
      urgent: boolean
      fileBytes: number
      release: () => void
      /** What nodes are known to hold of it. */
      answers?: ReadonlyMap<NodeKey, ShareBitmap>
    },
  ): Promise<void> {
    using giveUp = linkSignals(this.#stop.signal)
    let isOwed = false
    const onOwed = (): void => {
      isOwed = true
      this.#owed += 1
      this.#leave()
      // The pipeline goes on without it; what is owed is held in memory, so past a bound there is no more waiting.
      if (this.#owed > BLOCKS_OWED) giveUp.abort(new Error('too much is owed'))
      about.release()
    }
    this.#busy += 1
    const placement = await placeShares(shares, {
      order: this.#context.ranking.order(shares.id, this.#code.total).map(({ key }) => key),
      monitor: this.#context.monitor,
      ask: async (node, onSuspect) =>
        about.answers?.get(node) ??
        (await this.#batcher.ask(node, shares.id, { urgent: about.urgent, onSuspect })),
      signal: giveUp.signal,
      onOwed,
    }).finally(() => {
      if (isOwed) this.#owed -= 1
      else this.#leave()
    })
    if (placement.isQuiet) this.#memory.giveBack(memory)
    this.#tally.record(shares.id, placement, about.fileBytes)
  }

  #leave(): void {
    this.#busy -= 1
    if (this.#busy === 0) this.#idle.resolve()
  }

  /** Waits until every block is placed as well as it can be. Silent nodes get a last, short grace. */
  async #settle(): Promise<void> {
    while (this.#placing.size > 0 && this.#failure === undefined) {
      if (this.#busy > 0) {
        this.#idle = deferred()
        await this.#idle.promise
        continue
      }
      const grace = deferred()
      const cancel = this.#context.clock.after(this.#context.monitor.graceMs(), grace.resolve)
      await Promise.race([grace.promise, Promise.allSettled(this.#placing)])
      cancel()
      this.#stop.abort(new Error('silent nodes had their time'))
      await Promise.allSettled(this.#placing)
    }
    if (this.#failure !== undefined) throw this.#failure.error
    this.#options.signal?.throwIfAborted()
  }

  readonly #onAbort = (): void => {
    const error: unknown = this.#options.signal?.reason
    this.#failure ??= { error }
    this.#stop.abort(error)
    this.#idle.resolve()
  }
}

interface EncodedBlock {
  readonly shares: ShareSet
  /** What the shards lie in. */
  readonly memory: Uint8Array
}

/** Blocks whose shares are held in memory and on their way: enough to keep ten nodes busy. */
const BLOCKS_IN_FLIGHT = 8
/** Blocks that nodes are asked for: a copy of each is in memory, and many share a message. */
const KNOWN_BLOCKS_IN_FLIGHT = 32
/** Blocks held in memory for silent nodes that may come back. */
const BLOCKS_OWED = 12
