import { deferred, type Deferred } from '../../foundation/concurrency.ts'
import { HayloftError } from '../../foundation/error.ts'
import { MAX_SLOTS } from '../../protocol/limits.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { SlotKey } from '../../protocol/slot-key.ts'
import type { NodeMonitor } from '../nodes/monitor.ts'

/** Asks nodes for the heads of slots; the slots asked for in one turn go in one message. */
export class HeadsBatcher {
  readonly #monitor: NodeMonitor
  readonly #signal: AbortSignal
  readonly #waiting = new Map<NodeKey, Question[]>()

  constructor(monitor: NodeMonitor, signal: AbortSignal) {
    this.#monitor = monitor
    this.#signal = signal
  }

  /**
   * @param onSuspect called when the node falls silent over it
   * @returns encoded records, unchecked; rejects as {@link NodeMonitor.call} does
   */
  ask(node: NodeKey, slot: SlotKey, onSuspect: () => void): Promise<readonly Uint8Array[]> {
    const question = { slot, onSuspect, answer: deferred<readonly Uint8Array[]>() }
    const waiting = this.#waiting.get(node)
    if (waiting !== undefined) waiting.push(question)
    else {
      this.#waiting.set(node, [question])
      queueMicrotask(() => {
        const questions = this.#waiting.get(node) ?? []
        this.#waiting.delete(node)
        for (let start = 0; start < questions.length; start += MAX_SLOTS) {
          void this.#askNode(node, questions.slice(start, start + MAX_SLOTS))
        }
      })
    }
    return question.answer.promise
  }

  async #askNode(node: NodeKey, questions: readonly Question[]): Promise<void> {
    const request = { op: 'slot-get' as const, slots: questions.map(({ slot }) => slot) }
    const onSuspect = (): void => {
      for (const question of questions) question.onSuspect()
    }
    try {
      const options = { signal: this.#signal, onSuspect }
      const { heads } = await this.#monitor.call<'slot-get'>(node, request, options)
      if (heads.length !== questions.length)
        throw new WrongSlotAnswerError('A node answered another question.')
      questions.forEach(({ answer }, at) => {
        answer.resolve(heads[at] ?? [])
      })
    } catch (error) {
      for (const { answer } of questions) answer.reject(error)
    }
  }
}

/** A reply that can be decoded and is not one to the question, or that holds what is no record of the slot. */
export class WrongSlotAnswerError extends HayloftError {
  readonly code = 'node-wrong'
}

interface Question {
  readonly slot: SlotKey
  readonly onSuspect: () => void
  readonly answer: Deferred<readonly Uint8Array[]>
}
