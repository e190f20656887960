import type { SlotWriteKeys } from '../../capabilities/slot-keys.ts'
import type { ErasureCode } from '../../erasure/code.ts'
import { sleep } from '../../foundation/clock.ts'
import { assert } from '../../foundation/error.ts'
import { randomBelow } from '../../foundation/randomness.ts'
import { MAX_SLOT_HEADS } from '../../protocol/limits.ts'
import type { SlotKey } from '../../protocol/slot-key.ts'
import type { TagHex, VersionVector } from '../../protocol/version-vector.ts'
import type { GridContext } from '../context.ts'
import type { SlotContents } from './contents.ts'
import { SlotContendedError, SlotNotStoredError } from './errors.ts'
import { clockOf, isContained, type Head } from './heads.ts'
import type { KnownSlot } from './known.ts'
import { openHeads, type Opened } from './opened.ts'
import type { Freshness } from './poll.ts'
import { SlotReplicas } from './replicas.ts'
import type { ReadOptions, Refreshed, SlotHealth } from './results.ts'
import { rememberOpened, sealRecord, type OpenedRecord, type SlotReader } from './seal.ts'
import type { SlotMemory } from './memory.ts'
import { watchSlot } from './watch.ts'

/**
 * Slots: small signed states that change, kept whole by several nodes each. Disposing of it waits a moment for what is
 * still on its way.
 */
export interface SlotClient extends AsyncDisposable {
  /** What a slot says now. Many reads at once share messages. @throws SlotUnavailableError */
  read(reader: SlotReader, options?: ReadOptions): Promise<SlotState>
  /**
   * Changes a slot: `update` makes a new state of all that it says now, and is asked again, of what others wrote
   * meanwhile, until the state is stored. Writes of one client to one slot come one after another.
   * @returns undefined if `update` found nothing to change
   * @throws SlotNotStoredError, SlotContendedError, SlotClockFullError, SlotUnavailableError; what `update` throws
   */
  write(
    keys: SlotWriteKeys,
    update: SlotUpdate,
    options?: WriteOptions,
  ): Promise<WrittenSlot | undefined>
  /**
   * What a slot says now, and again whenever it says something else, until `signal` fires. Nodes that are away are not
   * waited for and no reason to end.
   */
  watch(reader: SlotReader, signal: AbortSignal): AsyncIterable<SlotState>
  /** How many good copies of a slot there are. Its key suffices. Many at once share messages. @throws SlotUnavailableError */
  check(slot: SlotKey, options?: ReadOptions): Promise<SlotHealth>
  /** The same after the nodes that were asked got what they lacked. @throws SlotUnavailableError */
  repair(slot: SlotKey, options?: ReadOptions): Promise<SlotHealth>
  /**
   * Tries now to bring slots that were written to too few nodes to more of them, which is done now and then anyway.
   * @returns how many are still on too few
   */
  topUp(): Promise<number>
  /** Resolves when nothing is on its way any more: late copies, what is pushed to nodes that lag, what is to be saved. */
  settle(): Promise<void>
}

export interface SlotState {
  /** States that do not contain each other: one, or several after concurrent writes. None for a slot never written. */
  readonly heads: readonly OpenedRecord[]
  /** States that are signed by the slot's key and make no sense. */
  readonly unreadable: number
  /** All that the states contain. */
  readonly clock: VersionVector
  readonly freshness: Freshness
  /**
   * The nodes showed less than this device has seen before: they lost it, or hide it. `heads` have what this device
   * remembers, which was also given back to the nodes.
   */
  readonly rollback?: Rollback | undefined
  readonly older?: OlderHeads | undefined
}

/** What nodes showed last while they had lost what `heads` have now, though they may have got that back by now. */
export interface OlderHeads {
  readonly heads: readonly OpenedRecord[]
  /** When that was found out, in milliseconds since 1970. */
  readonly sinceMs: number
}

/** Nodes showed less than was seen before. */
export interface Rollback {
  /** Writes, by device tag, that were seen before and not shown now. */
  readonly missing: VersionVector
}

/** Must depend on its argument alone, as it may be asked several times for one write. */
export type SlotUpdate = (
  base: SlotBase,
) => SlotChange | undefined | Promise<SlotChange | undefined>

export interface SlotBase {
  readonly heads: readonly OpenedRecord[]
  readonly unreadable: number
  readonly clock: VersionVector
  /** The device's tag: the new state's clock will have it at `counter` + {@link SlotChange.dots}. */
  readonly tag: TagHex
  /** Writes that this device has numbered before. */
  readonly counter: number
  readonly older?: OlderHeads | undefined
}

export interface SlotChange {
  readonly contents: SlotContents
  /** How many numbers the change takes: `counter` + 1 and on; one by default. */
  readonly dots?: number | undefined
  /** Unix seconds from which on the state counts no more; by default it does for ever. */
  readonly expiresS?: number | undefined
  /** The state is not sent before this resolves: that the blocks it leads to are stored. */
  readonly ready?: Promise<unknown> | undefined
}

export interface WriteOptions {
  /** The slot's keys were just made: nobody can have written to it, so nobody is asked. */
  readonly isNew?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

export interface WrittenSlot {
  /**
   * Degraded: stored, yet on so few nodes, or on so few of those where readers look first, that it is brought to more
   * in the background.
   */
  readonly durability: 'durable' | 'degraded'
  readonly record: OpenedRecord
  readonly acknowledged: number
  /** Whether others wrote at the same time, so that the slot has several states now. */
  readonly hasSiblings: boolean
}

export interface SlotClientOptions {
  readonly memory: SlotMemory
  /** k-of-n, as for blocks: n copies are kept. By default what suits the number of households. */
  readonly code?: ErasureCode | undefined
}

export function openSlotClient(context: GridContext, options: SlotClientOptions): SlotClient {
  return new GridSlotClient(context, options)
}

class GridSlotClient implements SlotClient {
  readonly #context: GridContext
  readonly #replicas: SlotReplicas

  constructor(context: GridContext, options: SlotClientOptions) {
    this.#context = context
    this.#replicas = new SlotReplicas(context, options)
  }

  async read(reader: SlotReader, options: ReadOptions = {}): Promise<SlotState> {
    const known = await this.#replicas.known(reader.slot)
    return this.#stateOf(reader, known, await this.#replicas.refresh(known, options))
  }

  async write(
    keys: SlotWriteKeys,
    update: SlotUpdate,
    options: WriteOptions = {},
  ): Promise<WrittenSlot | undefined> {
    const known = await this.#replicas.known(keys.slot)
    const release = await known.writing.acquire(1, options.signal)
    try {
      if (options.isNew === true) known.isSynced = true
      if (!known.isSynced) {
        await this.#replicas.refresh(known, { signal: options.signal, isForWrite: true })
      }
      await this.#settleLast(known)
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        options.signal?.throwIfAborted()
        const isFirst = attempt === 0
        const { isNew } = options
        const written = await this.#attempt(known, { keys, update, isFirst, isNew })
        if (written !== 'conflict') return written
        const pauseMs = randomBelow(this.#context.randomness, FIRST_PAUSE_MS * 2 ** attempt)
        await sleep(this.#context.clock, pauseMs, options.signal)
      }
      throw new SlotContendedError()
    } finally {
      release()
    }
  }

  watch(reader: SlotReader, signal: AbortSignal): AsyncIterable<SlotState> {
    const watching = watchSlot(this.#replicas, reader.slot, signal)
    const stateOf = async (refreshed: Refreshed): Promise<SlotState> =>
      this.#stateOf(reader, await this.#replicas.known(reader.slot), refreshed)
    return (async function* states() {
      for await (const refreshed of watching) yield await stateOf(refreshed)
    })()
  }

  async check(slot: SlotKey, options: ReadOptions = {}): Promise<SlotHealth> {
    return await this.#replicas.examine(slot, { ...options, mend: false })
  }

  async repair(slot: SlotKey, options: ReadOptions = {}): Promise<SlotHealth> {
    return await this.#replicas.examine(slot, { ...options, mend: true })
  }

  async topUp(): Promise<number> {
    return await this.#replicas.topUp()
  }

  async settle(): Promise<void> {
    await this.#replicas.settle()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#replicas[Symbol.asyncDispose]()
  }

  async #attempt(
    known: KnownSlot,
    {
      keys,
      update,
      isFirst,
      isNew,
    }: {
      keys: SlotWriteKeys
      update: SlotUpdate
      isFirst: boolean
      isNew: boolean | undefined
    },
  ): Promise<WrittenSlot | undefined | 'conflict'> {
    const { randomness } = this.#context
    // What is learnt while the state is made is not part of it, so its clock must not count it as seen.
    const { heads: base, clock } = known
    const { opened: heads, unreadable } = openHeads(keys.readKey, this.#live(base))
    const older = this.#olderOf(keys.readKey, known)
    const writer = known.writer(randomness)
    const asked = Promise.resolve({ heads, unreadable, clock, ...writer, ...older })
    const change = await asked.then(update).catch((error: unknown) => {
      known.abandon()
      throw error
    })
    if (change === undefined) {
      known.abandon()
      return undefined
    }
    const { contents, dots = 1, expiresS = 0, ready } = change
    assert(dots >= 1, 'a change takes a number')
    const counted = known.advance(clock, dots)
    const bytes = sealRecord(keys, { contents, clock: counted, expiresS }, randomness)
    const head = this.#replicas.headOf(keys.slot, bytes)
    if (isNew === true) await ready
    else await this.#prepare(known, head, ready)
    const digests = this.#live(base).map(({ digest }) => digest)
    const { outcome, acknowledged, others } = await this.#replicas.replicate(known, head, {
      // Others' writes show before anything is stored beside them; once they have shown, the state must get through.
      ...(isFirst &&
        digests.length > 0 &&
        digests.length <= MAX_SLOT_HEADS && { ifHeads: digests }),
    })
    if (outcome === 'durable' || outcome === 'degraded') {
      const record = { record: head.record, contents }
      rememberOpened(keys.readKey, record)
      return { durability: outcome, record, acknowledged, hasSiblings: others.length > 0 }
    }
    if (outcome === 'conflict') return 'conflict'
    throw new SlotNotStoredError({ needed: this.#replicas.degradedAt, acknowledged })
  }

  /**
   * Before anyone can see a state, this device must be sure to remember its number and that it was sent. Of a new slot
   * nobody else knows; one that could not be made is forgotten.
   */
  async #prepare(known: KnownSlot, head: Head, ready: Promise<unknown> | undefined): Promise<void> {
    known.begin(head)
    try {
      await Promise.all([known.save(), ready])
      known.getReady()
    } catch (error) {
      // It was never sent.
      known.conclude()
      this.#replicas.saveLater(known)
      throw error
    }
  }

  /**
   * Finds out what became of this device's last state if that is not known: sends it again. So a write that failed may
   * yet take effect, when the same device writes next.
   */
  async #settleLast(known: KnownSlot): Promise<void> {
    const { unsettled } = known
    if (unsettled === undefined) return
    if (!isContained(unsettled, known.heads)) {
      const { outcome, acknowledged } = await this.#replicas.replicate(known, unsettled, {})
      if (outcome === 'failed') {
        throw new SlotNotStoredError({ needed: this.#replicas.degradedAt, acknowledged })
      }
    }
    if (isContained(unsettled, known.heads)) known.conclude()
    else known.abandon()
  }

  #olderOf(readKey: SlotReader['readKey'], { older }: KnownSlot): { readonly older?: OlderHeads } {
    if (older === undefined) return {}
    const { opened } = openHeads(readKey, this.#live(older.heads))
    return { older: { heads: opened, sinceMs: older.sinceMs } }
  }

  #stateOf(
    reader: SlotReader,
    known: KnownSlot,
    { heads, freshness, missing }: Refreshed,
  ): SlotState {
    const live = this.#live(heads)
    const { opened, unreadable }: Opened<OpenedRecord> = openHeads(reader.readKey, live)
    return {
      heads: opened,
      unreadable,
      clock: clockOf(live),
      freshness,
      ...(missing !== undefined && { rollback: { missing } }),
      ...this.#olderOf(reader.readKey, known),
    }
  }

  #live(heads: readonly Head[]): Head[] {
    return this.#replicas.live(heads)
  }
}

/** Writers that collide wait longer each time, so that one of them gets through. */
const MAX_ATTEMPTS = 8
const FIRST_PAUSE_MS = 20
