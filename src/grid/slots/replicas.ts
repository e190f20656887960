import type { ErasureCode } from '../../erasure/code.ts'
import { manyListeners } from '../../foundation/abort.ts'
import { deferred } from '../../foundation/concurrency.ts'
import { assert, HayloftError, systemCodeOf } from '../../foundation/error.ts'
import { DEFAULT_LEASE_S } from '../../protocol/limits.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { SlotKey } from '../../protocol/slot-key.ts'
import { covers, type VersionVector } from '../../protocol/version-vector.ts'
import type { GridContext } from '../context.ts'
import { defaultCode, happinessThreshold } from '../placement/defaults.ts'
import { HeadsBatcher } from './batcher.ts'
import { clockOf, RecordShelf, sameHeads, type Head } from './heads.ts'
import { KnownSlots, type KnownSlot } from './known.ts'
import { LateSaves } from './late-saves.ts'
import type { SlotMemory } from './memory.ts'
import { pollSlot, type Poll, type PollOptions } from './poll.ts'
import {
  missingFrom,
  noProof,
  proofOf,
  proofOfWrite,
  provenClock,
  type SlotPlaces,
} from './proof.ts'
import { replicate, type Replication } from './replicate.ts'
import type { ReadOptions, Refreshed, RefreshOptions, SlotHealth } from './results.ts'
import { TopUpQueue } from './top-up.ts'
import { WatchBatcher } from './watch-batcher.ts'

/** The copies of slots on the nodes: asks for them, sends new ones, and brings nodes that lag up to date. */
export class SlotReplicas implements AsyncDisposable {
  readonly code: ErasureCode
  readonly context: GridContext
  /** Fires when the client is closed. */
  readonly closed: AbortSignal
  readonly shelf = new RecordShelf()
  readonly watching: WatchBatcher
  readonly #closing = manyListeners(new AbortController())
  readonly #known: KnownSlots
  readonly #batcher: HeadsBatcher
  readonly #topUp: TopUpQueue
  readonly #background = new Set<Promise<void>>()
  readonly #lateSaves: LateSaves

  constructor(
    context: GridContext,
    { memory, code }: { memory: SlotMemory; code?: ErasureCode | undefined },
  ) {
    this.context = context
    this.code = code ?? defaultCode(context.view.nodes)
    this.closed = this.#closing.signal
    this.#known = new KnownSlots(memory, this.shelf)
    const { monitor } = context
    this.watching = new WatchBatcher(context, this.closed)
    this.#batcher = new HeadsBatcher(monitor, this.closed)
    this.#lateSaves = new LateSaves(context.clock, (saving) => {
      this.inBackground(saving)
    })
    this.#topUp = new TopUpQueue({
      memory,
      clock: context.clock,
      randomness: context.randomness,
      work: async (slot) => await this.#bringToEnough(slot),
    })
  }

  /** Copies from which on a write counts at all: one more than k, if there are so many nodes. */
  get degradedAt(): number {
    return Math.min(this.code.required + 1, this.copies)
  }

  /** Copies that there should be: n, if there are so many nodes. */
  get copies(): number {
    return Math.max(1, Math.min(this.code.total, this.context.view.nodes.length))
  }

  async known(slot: SlotKey): Promise<KnownSlot> {
    await this.#topUp.loaded
    const known = await this.#known.open(slot)
    const { clock } = known
    known.proof ??= { ...noProof(this.#placesOf(slot)), kept: clock, placed: clock }
    return known
  }

  /** @returns how many slots are still on too few nodes */
  async topUp(): Promise<number> {
    return await this.#topUp.runNow()
  }

  orderOf(slot: SlotKey): NodeKey[] {
    return this.context.ranking.order(slot, this.code.total).map(({ key }) => key)
  }

  headOf(slot: SlotKey, bytes: Uint8Array): Head {
    const head = this.shelf.read(slot, bytes)
    assert(head !== undefined, 'what was just signed is a record')
    return head
  }

  /** Those that have not expired. */
  live(heads: readonly Head[]): Head[] {
    const nowS = this.context.clock.nowMs() / 1000
    return heads.filter(({ record: { expiresS } }) => expiresS === 0 || expiresS > nowS)
  }

  /** Asks the nodes, takes in what they say, and gives those that lag what they lack. @throws SlotUnavailableError */
  async refresh(known: KnownSlot, options: RefreshOptions = {}): Promise<Refreshed> {
    const refreshed = await this.#refreshQuietly(known, options)
    const missing = refreshed.missing ?? known.untold
    known.untold = undefined
    return { ...refreshed, missing }
  }

  async #refreshQuietly(known: KnownSlot, options: RefreshOptions): Promise<Refreshed> {
    const decided = deferred()
    try {
      return await this.#refresh(known, { ...options, decided: decided.promise })
    } finally {
      decided.resolve()
    }
  }

  async #refresh(
    known: KnownSlot,
    { isForWrite, ...options }: RefreshOptions & { decided: Promise<void> },
  ): Promise<Refreshed> {
    // Taken before nodes are asked: what is written meanwhile need not show.
    const { proof } = known
    const places = this.#placesOf(known.slot)
    const live = this.#liveClock(known)
    // A device whose memory is an old copy must find what it wrote since, which may be on any nodes.
    const isWide = isForWrite === true && places.order.length > places.copies
    const enough = isWide ? places.order.length - places.keptAt + 1 : undefined
    let poll = await this.#poll(known, { ...options, isWide, enough })
    const isSettled = poll.freshness === 'settled'
    if (isSettled && proof && !covers(clockOf(poll.heads), provenClock(proof, live))) {
      // Before anyone is accused, all who can answer are heard: the copies may just be on others.
      poll = await this.#poll(known, { ...options, isWide: true, enough: places.order.length })
    }
    const missing =
      proof && missingFrom(proof, poll.answers, { shown: clockOf(poll.heads), live, places })
    const isProven = known.prove(proofOf(poll.answers, places))
    const isNews = known.learn(poll.heads)
    if (missing !== undefined) known.wentBackTo(poll.heads, this.context.clock.nowMs())
    if (isNews || missing !== undefined || known.hasFailedToSave) await known.save()
    else if (isProven) this.#lateSaves.add(known)
    const { freshness } = poll
    if (freshness === 'settled') known.isSynced = true
    for (const [node, held] of poll.answers) this.catchUp(known, node, held)
    return { heads: known.heads, freshness, missing }
  }

  /** Sends a new state; what nodes say of others is taken in. */
  async replicate(
    known: KnownSlot,
    head: Head,
    { ifHeads }: { ifHeads?: readonly Uint8Array[] },
  ): Promise<Replication> {
    const order = this.orderOf(known.slot)
    const { result, done } = replicate(this, {
      head,
      order,
      copies: this.code.total,
      durableAt: happinessThreshold(this.code),
      degradedAt: this.degradedAt,
      ifHeads,
      signal: this.closed,
    })
    const replication = await result
    const { outcome, others, acknowledged, acknowledgedByOwn } = replication
    const isStored = outcome === 'durable' || outcome === 'degraded'
    if (isStored) {
      const by = { all: acknowledged, byOwn: acknowledgedByOwn }
      known.prove(proofOfWrite(head.record.clock, by, this.#placesOf(known.slot)))
      known.conclude()
    }
    known.learn(isStored ? [head, ...others] : others)
    if (outcome === 'degraded') {
      // Before the caller is told that it is stored, it must be sure to be brought to more nodes even after a crash.
      await known.save()
      await this.#topUp.add(known.slot)
    } else this.#lateSaves.add(known)
    this.inBackground(this.#payOnceDurable(known, head, done))
    return replication
  }

  /** What was owed of a slot is paid once a state that contains all of it is where it should be. */
  async #payOnceDurable(known: KnownSlot, head: Head, done: Promise<boolean>): Promise<void> {
    const isDurable = await done
    if (isDurable && sameHeads(known.heads, [head])) await this.#topUp.remove(known.slot)
  }

  /** Saves what is known of a slot soon, or when the client is closed. */
  saveLater(known: KnownSlot): void {
    this.#lateSaves.add(known)
  }

  /** Gives a node the states of a slot that it lacks, in the background. */
  catchUp(known: KnownSlot, node: NodeKey, held: readonly Head[]): void {
    const lacking = this.#lacking(known, held)
    if (lacking.length > 0) this.inBackground(this.#give(node, lacking))
  }

  /** Does something that nobody waits for; {@link settle} does. */
  inBackground(work: Promise<unknown>): void {
    const quiet: Promise<void> = work
      .then(
        () => undefined,
        (error: unknown) => {
          // What the world breaks in the background is tried again when its turn comes; our own bugs must come out.
          const isWorlds = error instanceof HayloftError || systemCodeOf(error) !== undefined
          if (!isWorlds && !this.closed.aborted) throw error
        },
      )
      .finally(() => this.#background.delete(quiet))
    this.#background.add(quiet)
  }

  async settle(): Promise<void> {
    this.#lateSaves.begin()
    while (this.#background.size > 0) await Promise.all(this.#background)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#topUp[Symbol.dispose]()
    const isOver = deferred()
    // Copies that are on their way to slower nodes get there; silent nodes are not waited for.
    const cancel = this.context.clock.after(GRACE_MS, isOver.resolve)
    await Promise.race([isOver.promise, this.settle()])
    cancel()
    this.#closing.abort(new Error('the slot client is closed'))
    await Promise.allSettled(this.#background)
  }

  async #poll(
    known: KnownSlot,
    options: ReadOptions & Pick<PollOptions, 'enough' | 'isWide'> & { decided?: Promise<void> },
  ): Promise<Poll> {
    const tools = { context: this.context, batcher: this.#batcher, shelf: this.shelf }
    return await pollSlot(tools, {
      slot: known.slot,
      order: this.orderOf(known.slot),
      copies: this.code.total,
      ownNeeded: Math.max(1, this.copies - happinessThreshold(this.code) + 1),
      enough: options.enough,
      isWide: options.isWide,
      signal: options.signal,
      onLate: (node, answers) => {
        const held = answers.get(node) ?? []
        if (known.learn(held)) this.inBackground(known.save())
        const proves = !known.isPlaced && known.prove(proofOf(answers, this.#placesOf(known.slot)))
        if (proves) this.#lateSaves.add(known)
        // What was given back while a rollback is suspected would hide it.
        const give = async (): Promise<void> => {
          await options.decided
          this.catchUp(known, node, held)
        }
        this.inBackground(give())
      },
    })
  }

  #placesOf(slot: SlotKey): SlotPlaces {
    return { order: this.orderOf(slot), copies: this.copies, keptAt: this.degradedAt }
  }

  /** All that was seen of a slot and has not expired: nodes need not show anything else. */
  #liveClock(known: KnownSlot): VersionVector {
    const live = this.live(known.heads)
    return live.length === known.heads.length ? known.clock : clockOf(live)
  }

  #lacking(known: KnownSlot, held: readonly Head[]): Head[] {
    const names = new Set(held.map(({ name }) => name))
    return this.live(known.heads).filter(({ name }) => !names.has(name))
  }

  /** @returns whether the node has taken all of them, or has newer ones */
  async #give(node: NodeKey, heads: readonly Head[]): Promise<boolean> {
    let areTaken = true
    for (const { record } of heads) {
      const { outcome } = await this.context.monitor.call<'slot-put'>(
        node,
        { op: 'slot-put', record: record.bytes, leaseS: DEFAULT_LEASE_S },
        { signal: this.closed },
      )
      areTaken &&= outcome === 'stored' || outcome === 'have' || outcome === 'stale'
    }
    return areTaken
  }

  /** Brings what is known of a slot to enough of its own nodes, or while these are away to others. */
  async #bringToEnough(slot: SlotKey): Promise<boolean> {
    const known = await this.known(slot)
    // Who is given what is owed can no longer be found out to have lost it.
    const refreshed = await this.#refreshQuietly(known, { signal: this.closed })
    known.untold = refreshed.missing ?? known.untold
    const options = { enough: this.copies, mend: true, signal: this.closed }
    const { holders } = await this.examine(slot, options)
    const own = new Set(this.orderOf(slot).slice(0, this.copies))
    return holders.filter((node) => own.has(node)).length >= happinessThreshold(this.code)
  }

  /**
   * Finds out which nodes have all heads of a slot, and with `mend` gives them to the first n that can be reached and
   * do not.
   * @param options.enough answers to wait for from the slot's own nodes and those in their place; by default all nodes
   *   are asked
   * @throws SlotUnavailableError
   */
  async examine(
    slot: SlotKey,
    options: ReadOptions & { enough?: number | undefined; mend: boolean },
  ): Promise<SlotHealth> {
    const known = await this.#known.open(slot)
    const { copies } = this
    const places = this.#placesOf(slot)
    const isAll = options.enough === undefined
    const width = isAll ? { ...options, isWide: true, enough: places.order.length } : options
    const poll = await this.#poll(known, width)
    known.learn(poll.heads)
    const first = new Set(places.order.filter((node) => poll.answers.has(node)).slice(0, copies))
    const kept = [...poll.answers].map(async ([node, held]): Promise<NodeKey[]> => {
      const lacking = this.#lacking(known, held)
      if (lacking.length === 0) return [node]
      if (!options.mend || !first.has(node)) return []
      try {
        return (await this.#give(node, lacking)) ? [node] : []
      } catch (error) {
        if (error instanceof HayloftError) return []
        throw error
      }
    })
    const holders = (await Promise.all(kept)).flat()
    known.prove(proofOf(new Map(holders.map((node) => [node, known.heads])), places))
    await known.save()
    return {
      heads: this.live(known.heads).length,
      holders,
      copies,
      answered: [...poll.answers.keys()],
    }
  }
}

/** How long a client that is closed waits for what is still on its way. */
const GRACE_MS = 750
