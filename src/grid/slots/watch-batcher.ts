import { linkSignals } from '../../foundation/abort.ts'
import { deferred, type Deferred } from '../../foundation/concurrency.ts'
import { MAX_SLOTS, MAX_WATCH_WAIT_S } from '../../protocol/limits.ts'
import type { ChangedSlot } from '../../protocol/messages.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { slotKeyHex, type SlotKey, type SlotKeyHex } from '../../protocol/slot-key.ts'
import type { GridContext } from '../context.ts'
import { WrongSlotAnswerError } from './batcher.ts'

/**
 * Leaves questions with nodes that they keep until a slot has changed. All slots that are asked of a node go in as few
 * messages as they fit, 64 in each: a node keeps 32 for one caller. What did not change when another slot did is asked
 * again, together with what has come up since.
 */
export class WatchBatcher {
  readonly #context: Pick<GridContext, 'caller' | 'clock'>
  readonly #signal: AbortSignal
  readonly #waiting = new Map<NodeKey, Question[]>()

  constructor(context: Pick<GridContext, 'caller' | 'clock'>, signal: AbortSignal) {
    this.#context = context
    this.#signal = signal
  }

  /**
   * @param options.known digest of the heads that one knows
   * @returns encoded heads that are others, unchecked; undefined if for {@link WATCH_WAIT_S} there were none. Rejects as
   *   {@link Caller.call} does, and when `signal` fires
   */
  async ask(
    node: NodeKey,
    { slot, known, signal }: { slot: SlotKey; known: Uint8Array; signal: AbortSignal },
  ): Promise<readonly Uint8Array[] | undefined> {
    signal.throwIfAborted()
    const question: Question = { slot, known, signal, answer: deferred() }
    const onAbort = (): void => {
      question.answer.reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    this.#add(node, [question])
    try {
      return await question.answer.promise
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  #add(node: NodeKey, questions: readonly Question[]): void {
    const waiting = this.#waiting.get(node)
    if (waiting !== undefined) {
      waiting.push(...questions)
      return
    }
    this.#waiting.set(node, [...questions])
    this.#context.clock.after(GATHER_MS, () => {
      const all = this.#waiting.get(node) ?? []
      this.#waiting.delete(node)
      for (const batch of batchesOf(all)) void this.#send(node, batch)
    })
  }

  async #send(node: NodeKey, questions: ReadonlyMap<SlotKeyHex, Question>): Promise<void> {
    try {
      const changed = await this.#call(node, questions)
      const news = new Map(changed.map(({ slot, heads }) => [slotKeyHex(slot), heads]))
      const open: Question[] = []
      for (const [slot, question] of questions) {
        if (news.size === 0 || news.has(slot)) question.answer.resolve(news.get(slot))
        else open.push(question)
      }
      if (open.length > 0) this.#add(node, open)
    } catch (error) {
      for (const { answer } of questions.values()) answer.reject(error)
    }
  }

  async #call(
    node: NodeKey,
    questions: ReadonlyMap<SlotKeyHex, Question>,
  ): Promise<readonly ChangedSlot[]> {
    const { caller, clock } = this.#context
    const watches = Array.from(questions.values(), ({ slot, known }) => ({ slot, known }))
    using patience = linkSignals(this.#signal)
    const asked = [...questions.values()]
    const onAbort = (): void => {
      if (asked.every(({ signal }) => signal.aborted))
        patience.abort(new Error('nobody asks any more'))
    }
    for (const { signal } of asked) signal.addEventListener('abort', onAbort)
    const cancel = clock.after(WATCH_WAIT_S * 1000 + ANSWER_MS, () => {
      patience.abort(new WrongSlotAnswerError('A node does not answer.'))
    })
    try {
      const request = { op: 'slot-watch' as const, watches, waitS: WATCH_WAIT_S }
      const { signal } = patience
      const { changed } = await caller.call<'slot-watch'>(node, request, { signal })
      return changed
    } finally {
      cancel()
      for (const { signal } of asked) signal.removeEventListener('abort', onAbort)
    }
  }
}

interface Question {
  readonly slot: SlotKey
  readonly known: Uint8Array
  readonly signal: AbortSignal
  readonly answer: Deferred<readonly Uint8Array[] | undefined>
}

/** A slot comes once in a message; what is asked of it with another digest goes in another one. */
function batchesOf(questions: readonly Question[]): Map<SlotKeyHex, Question>[] {
  const batches: Map<SlotKeyHex, Question>[] = []
  for (const question of questions) {
    if (question.signal.aborted) continue
    const name = slotKeyHex(question.slot)
    let batch = batches.find((each) => each.size < MAX_SLOTS && !each.has(name))
    if (batch === undefined) batches.push((batch = new Map()))
    batch.set(name, question)
  }
  return batches
}

/** How long a node keeps a question before it answers that nothing has changed. */
export const WATCH_WAIT_S = Math.min(50, MAX_WATCH_WAIT_S)
/** How much longer its answer may take. */
const ANSWER_MS = 10_000
/** Who watches several slots begins with all of them within this. */
const GATHER_MS = 25
