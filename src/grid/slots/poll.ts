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

/** `settled`: so many nodes have answered that every durable write is among what they told. */
export type Freshness = 'settled' | 'maybe-stale'

export interface PollOptions {
  readonly slot: SlotKey
  /** Nodes in the order to ask them. */
  readonly order: readonly NodeKey[]
  /** Copies that a slot has: so many nodes are asked at once. */
  readonly copies: number
  /** Answers to wait for; by default those that settle it, two thirds of the copies. */
  readonly enough?: number | undefined
  /** Called for a node that answers after the poll has settled. */
  readonly onLate?: (node: NodeKey, heads: readonly Head[]) => void
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
    this.#unasked = [
      ...order.filter((node) => monitor.isGood(node)),
      ...order.filter((node) => !monitor.isGood(node)),
    ]
    const copies = Math.min(options.copies, order.length)
    this.#settledAt = Math.ceil((2 * copies) / 3)
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
    for (let asked = 0; asked < copies; asked++) this.#askNext()
    this.#look()
    return await this.#result.promise
  }

  [Symbol.dispose](): void {
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#isOver = true
    for (const cancel of this.#cancelTimers) cancel()
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
    if (this.#isOver) onLate?.(node, heads)
    this.#answers.set(node, heads)
  }

  #look(): void {
    const hasAll = this.#answers.size >= this.#needed
    const isHopeless = this.#awaited === 0 && this.#silent === 0
    // Nodes that are called silent may just have been so when they were asked last, so they get their time too.
    const isEnough = this.#answers.size > 0 && this.#isOverdue
    if (hasAll || isHopeless || isEnough) this.#finish()
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
      freshness: answers.size >= this.#settledAt ? 'settled' : 'maybe-stale',
      answers,
    })
  }

  readonly #onAbort = (): void => {
    this.#result.reject(this.#options.signal?.reason)
  }
}

/** How long a read waits for two thirds of the copies. */
const SETTLE_MS = 2_000
/** How long it waits for anybody at all. */
const GIVE_UP_MS = 15_000
