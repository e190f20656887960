import type { Clock } from '../../foundation/clock.ts'
import { deferred, type Deferred } from '../../foundation/concurrency.ts'
import type { ShareBitmap } from '../../protocol/bitmap.ts'
import type { BlockId } from '../../protocol/block-id.ts'
import { MAX_IDS } from '../../protocol/limits.ts'
import { HayloftError } from '../../foundation/error.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { NodeMonitor } from './monitor.ts'

/**
 * Asks nodes which shares of which blocks they hold, many blocks in one message. While a question to a node is under
 * way, or until enough have gathered, further ones wait and go together: a question costs about as much for
 * a hundred blocks as for one.
 */
export class HoldingsBatcher {
  readonly #monitor: NodeMonitor
  readonly #clock: Clock
  readonly #question: Question
  readonly #signal: AbortSignal | undefined
  readonly #queues = new Map<NodeKey, Queue>()

  constructor(
    { monitor, clock }: { monitor: NodeMonitor; clock: Clock },
    question: Question,
    signal?: AbortSignal,
  ) {
    this.#monitor = monitor
    this.#clock = clock
    this.#question = question
    this.#signal = signal
  }

  /**
   * @param urgent whether to ask at once rather than wait for company
   * @param onSuspect called when the node falls silent over it
   * @returns the shares that the node holds; rejects as {@link NodeMonitor.call} does
   */
  ask(
    node: NodeKey,
    id: BlockId,
    { urgent, onSuspect }: { urgent: boolean; onSuspect?: () => void },
  ): Promise<ShareBitmap> {
    const queue = this.#queueOf(node)
    const item = { id, answer: deferred<ShareBitmap>(), onSuspect }
    queue.waiting.push(item)
    // It waits behind a question that the node is silent over, so the same goes for it.
    if (queue.asking && this.#monitor.isSuspect(node)) onSuspect?.()
    if (urgent || queue.waiting.length >= ENOUGH_IDS) queue.due = true
    else if (queue.cancelTimer === undefined) {
      queue.cancelTimer = this.#clock.after(GATHER_MS, () => {
        queue.cancelTimer = undefined
        queue.due = true
        this.#send(node, queue)
      })
    }
    this.#send(node, queue)
    return item.answer.promise
  }

  /** What waits for company goes now. */
  flush(): void {
    for (const [node, queue] of this.#queues) {
      queue.due ||= queue.waiting.length > 0
      this.#send(node, queue)
    }
  }

  #queueOf(node: NodeKey): Queue {
    let queue = this.#queues.get(node)
    if (queue === undefined) {
      queue = { waiting: [], due: false, asking: false, cancelTimer: undefined }
      this.#queues.set(node, queue)
    }
    return queue
  }

  #send(node: NodeKey, queue: Queue): void {
    if (!queue.due || queue.asking || queue.waiting.length === 0) return
    queue.asking = true
    // One turn later, so that what is asked in this turn comes along.
    queueMicrotask(() => {
      const batch = queue.waiting.splice(0, MAX_IDS)
      queue.due = queue.waiting.length > 0
      queue.cancelTimer?.()
      queue.cancelTimer = undefined
      void this.#askNode(node, queue, batch).finally(() => {
        queue.asking = false
        // Whatever came in the meantime has waited long enough.
        queue.due = queue.waiting.length > 0
        this.#send(node, queue)
      })
    })
  }

  async #askNode(node: NodeKey, queue: Queue, batch: readonly Item[]): Promise<void> {
    const ids = batch.map(({ id }) => id)
    const onSuspect = (): void => {
      for (const item of [...batch, ...queue.waiting]) item.onSuspect?.()
    }
    try {
      const request =
        this.#question.op === 'have' ? { op: 'have' as const, ids } : { ...this.#question, ids }
      const { holdings } = await this.#monitor.call<'have' | 'lease'>(node, request, {
        signal: this.#signal,
        onSuspect,
      })
      if (holdings.length !== ids.length)
        throw new WrongAnswerError('A node answered another question.')
      batch.forEach(({ answer }, at) => {
        answer.resolve(holdings[at] as ShareBitmap)
      })
    } catch (error) {
      for (const { answer } of batch) answer.reject(error)
    }
  }
}

/** `have` only asks; `lease` also renews the caller's leases on what is there. */
export type Question = { readonly op: 'have' } | { readonly op: 'lease'; readonly leaseS: number }

/** A reply that the protocol does not allow, though it can be decoded. */
class WrongAnswerError extends HayloftError {
  readonly code = 'node-wrong'
}

interface Item {
  readonly id: BlockId
  readonly answer: Deferred<ShareBitmap>
  readonly onSuspect: (() => void) | undefined
}

interface Queue {
  readonly waiting: Item[]
  due: boolean
  asking: boolean
  cancelTimer: (() => void) | undefined
}

/** Blocks that are company enough: the shares of so many wait in memory. */
const ENOUGH_IDS = 4
/** How long a block waits for company. */
const GATHER_MS = 40
