import { deferred } from '../../foundation/concurrency.ts'
import { HayloftError } from '../../foundation/error.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { SlotKey } from '../../protocol/slot-key.ts'
import type { GridContext } from '../context.ts'
import { WrongSlotAnswerError, type HeadsBatcher } from './batcher.ts'
import { SlotUnavailableError } from './errors.ts'
import { maximaOf, type Head, type RecordShelf } from './heads.ts'

/** What nodes say of a slot. */
export interface Poll {
  /** The states that no other one contains. */
  readonly heads: readonly Head[]
  /** Settled: so many nodes have answered that some of them have every durable write. */
  readonly freshness: Freshness
  /** What each node that answered holds. */
  readonly answers: ReadonlyMap<NodeKey, readonly Head[]>
}

/**
 * `settled`: so many nodes have answered, and of the slot's own so many, that every durable write is among what they
 * told.
 */
export type Freshness = 'settled' | 'maybe-stale'

export interface PollOptions {
  readonly slot: SlotKey
  /** Nodes in the order to ask them. */
  readonly order: readonly NodeKey[]
  /** Copies that a slot has: so many nodes are asked at once. The first so many of the order are the slot's own. */
  readonly copies: number
  /** Answers of the slot's own nodes without which nothing is settled: then one of them has every durable write. */
  readonly ownNeeded: number
  /** Asks all nodes at once, as what is looked for may be on any. */
  readonly isWide?: boolean | undefined
  /** Answers to wait for; by default those that settle it, two thirds of the copies. */
  readonly enough?: number | undefined
  /** Called for a node that answers after the poll has settled, with all answers until then. */
  readonly onLate?: (node: NodeKey, answers: Poll['answers']) => void
  readonly signal?: AbortSignal | undefined
}

export interface PollTools {
  readonly context: GridContext
  readonly batcher: HeadsBatcher
  readonly shelf: RecordShelf
}

/**
 * Asks the first n nodes of a slot's order for its heads, and further ones in place of those that are away, silent or
 * lying. Settles at two thirds of n; if that takes too long, whatever has been said must do.
 * @throws SlotUnavailableError no node has answered
 */
export async function pollSlot(tools: PollTools, options: PollOptions): Promise<Poll> {
  using polling = new Polling(tools, options)
  return await polling.run()
}

class Polling implements Disposable {
  readonly #tools: PollTools
  readonly #options: PollOptions
  readonly #unasked: NodeKey[]
  readonly #answers = new Map<NodeKey, readonly Head[]>()
  readonly #own: ReadonlySet<NodeKey>
  /** Own nodes that are not known to be away. */
  readonly #ownAtOnce: number
  readonly #needed: number
  readonly #settledAt: number
  readonly #result = deferred<Poll>()
  /** Nodes that owe an answer and are not known to be silent. */
  #awaited = 0
  #silent = 0
  #isOver = false
  #isOverdue = false
  readonly #cancelTimers: (() => void)[] = []

  constructor(tools: PollTools, options: PollOptions) {
    this.#tools = tools
    this.#options = options
    const { order } = options
    const { monitor } = tools.context
    const copies = Math.min(options.copies, order.length)
    this.#own = new Set(order.slice(0, copies))
    const isGood = (node: NodeKey): boolean => monitor.isPreferred(node)
    const isOwn = (node: NodeKey): boolean => this.#own.has(node)
    const rest = order.filter((node) => !isGood(node))
    this.#unasked = [
      ...order.filter(isGood),
      ...rest.filter(isOwn),
      ...rest.filter((node) => !isOwn(node)),
    ]
    this.#ownAtOnce = order.filter((node) => isOwn(node) && isGood(node)).length
    this.#settledAt = settledAt(copies)
    this.#needed = options.enough ?? this.#settledAt
  }

  async run(): Promise<Poll> {
    const { signal, copies } = this.#options
    const { clock } = this.#tools.context
    signal?.throwIfAborted()
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    const onOverdue = clock.after(SETTLE_MS, () => {
      this.#isOverdue = true
      this.#look()
    })
    const onGivenUp = clock.after(GIVE_UP_MS, () => {
      this.#finish()
    })
    this.#cancelTimers.push(onOverdue, onGivenUp)
    const { order, ownNeeded, isWide } = this.#options
    for (let asked = 0; asked < (isWide === true ? order.length : copies); asked++) this.#askNext()
    // Without some of its own nodes nothing is settled, so those that were away may be back.
    if (this.#ownAtOnce < ownNeeded) this.#askAllOwn()
    this.#look()
    return await this.#result.promise
  }

  [Symbol.dispose](): void {
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#isOver = true
    for (const cancel of this.#cancelTimers) cancel()
  }

  #askAllOwn(): void {
    const own = this.#unasked.filter((node) => this.#own.has(node))
    const rest = this.#unasked.filter((node) => !this.#own.has(node))
    this.#unasked.splice(0, Infinity, ...own, ...rest)
    for (const _ of own) this.#askNext()
  }

  #askNext(): void {
    const node = this.#unasked.shift()
    if (node === undefined || this.#isOver) return
    this.#awaited += 1
    let isAwaited = true
    const release = (isSilent: boolean): void => {
      if (!isAwaited) return
      isAwaited = false
      this.#awaited -= 1
      if (isSilent) this.#silent += 1
    }
    const onSuspect = (): void => {
      release(true)
      this.#askNext()
      this.#look()
    }
    const hear = async (): Promise<void> => {
      try {
        await this.#hear(node, onSuspect)
      } catch (error) {
        if (!(error instanceof HayloftError)) this.#result.reject(error)
        else if (isAwaited) this.#askNext()
      }
      release(false)
      this.#look()
    }
    void hear()
  }

  async #hear(node: NodeKey, onSuspect: () => void): Promise<void> {
    const { batcher, shelf } = this.#tools
    const { slot, onLate } = this.#options
    const heads = shelf.readAll(slot, await batcher.ask(node, slot, onSuspect))
    if (heads === undefined) throw new WrongSlotAnswerError('A node handed out what is no record.')
    this.#answers.set(node, heads)
    if (this.#isOver) onLate?.(node, this.#answers)
  }

  #look(): void {
    const hasAll = this.#answers.size >= this.#needed && this.#hasHeardOwn
    const isHopeless = this.#awaited === 0 && this.#silent === 0
    // Nodes that are called silent may just have been so when they were asked last, so they get their time too.
    const isEnough = this.#answers.size > 0 && this.#isOverdue
    if (hasAll || isHopeless || isEnough) this.#finish()
  }

  get #hasHeardOwn(): boolean {
    const heard = [...this.#answers.keys()].filter((node) => this.#own.has(node)).length
    return heard >= Math.min(this.#options.ownNeeded, this.#own.size)
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#answers.size === 0) {
      this.#result.reject(new SlotUnavailableError(this.#tools.context.view.nodes.length))
      return
    }
    const answers = new Map(this.#answers)
    this.#result.resolve({
      heads: maximaOf([...answers.values()].flat()),
      freshness: answers.size >= this.#settledAt && this.#hasHeardOwn ? 'settled' : 'maybe-stale',
      answers,
    })
  }

  readonly #onAbort = (): void => {
    this.#result.reject(this.#options.signal?.reason)
  }
}

/** Answers that settle what a slot with so many copies says: two thirds. */
export function settledAt(copies: number): number {
  return Math.ceil((2 * copies) / 3)
}

/** How long a read waits for two thirds of the copies. */
const SETTLE_MS = 2_000
/** How long it waits for anybody at all. */
const GIVE_UP_MS = 15_000
