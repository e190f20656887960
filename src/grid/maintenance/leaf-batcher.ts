import { deferred, type Deferred } from '../../foundation/concurrency.ts'
import { MAX_AUDIT_LEAVES } from '../../protocol/limits.ts'
import type { LeafName, LeafProof } from '../../protocol/messages.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { NodeMonitor } from '../nodes/monitor.ts'
import { callUnlessSilent } from '../nodes/patience.ts'

/**
 * Asks nodes for single leaves of shares, up to 32 in one message: while two messages to a node are under way, further
 * questions wait and go together.
 */
export class LeafBatcher {
  readonly #monitor: NodeMonitor
  readonly #signal: AbortSignal
  readonly #manifests: { readonly manifests?: true }
  readonly #queues = new Map<NodeKey, Queue>()

  /** @param withManifests - whether the manifest of each leaf's block is to come along */
  constructor(monitor: NodeMonitor, signal: AbortSignal, { withManifests = false } = {}) {
    this.#monitor = monitor
    this.#signal = signal
    this.#manifests = withManifests ? { manifests: true } : {}
  }

  /** @returns undefined if the node does not hold it; rejects as {@link callUnlessSilent} does */
  ask(node: NodeKey, leaf: LeafName): Promise<LeafProof | undefined> {
    let queue = this.#queues.get(node)
    if (queue === undefined) this.#queues.set(node, (queue = { waiting: [], asking: 0 }))
    const question = { leaf, answer: deferred<LeafProof | undefined>() }
    queue.waiting.push(question)
    if (queue.waiting.length === 1) this.#sendSoon(node, queue)
    return question.answer.promise
  }

  /** One turn later, so that what is asked in this turn comes along. */
  #sendSoon(node: NodeKey, queue: Queue): void {
    queueMicrotask(() => {
      while (queue.waiting.length > 0 && queue.asking < MESSAGES_AT_ONCE) {
        void this.#send(node, queue, queue.waiting.splice(0, MAX_AUDIT_LEAVES))
      }
    })
  }

  async #send(node: NodeKey, queue: Queue, questions: readonly Question[]): Promise<void> {
    queue.asking += 1
    try {
      const leaves = questions.map(({ leaf }) => leaf)
      const request = { op: 'audit' as const, leaves, ...this.#manifests }
      const { proofs } = await callUnlessSilent<'audit'>(this.#monitor, node, request, this.#signal)
      questions.forEach(({ answer }, at) => {
        answer.resolve(proofs[at])
      })
    } catch (error) {
      for (const { answer } of questions) answer.reject(error)
    } finally {
      queue.asking -= 1
      if (queue.waiting.length > 0) this.#sendSoon(node, queue)
    }
  }
}

interface Question {
  readonly leaf: LeafName
  readonly answer: Deferred<LeafProof | undefined>
}

interface Queue {
  readonly waiting: Question[]
  asking: number
}

/** To one node: it reads for one while the other is on its way. */
const MESSAGES_AT_ONCE = 2
