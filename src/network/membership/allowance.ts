import { sleep, type Clock } from '../../foundation/clock.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { MESSAGE_BURST, MESSAGE_INTERVAL_MS } from './limits.ts'

/**
 * How fast each member may tell things: each message may cost everybody a disk write and a message of their own, so one
 * that never stops is answered at a pace that others do not notice.
 */
export class Allowance {
  readonly #clock: Clock
  /** By member: when what it has sent so far would be over at that pace. */
  readonly #paidUntilMs = new Map<NodeKey, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves when one more message of this member may be answered: at once, unless it has sent very many. */
  async wait(node: NodeKey): Promise<void> {
    const nowMs = this.#clock.monotonicMs()
    const untilMs = Math.max(nowMs, this.#paidUntilMs.get(node) ?? 0) + MESSAGE_INTERVAL_MS
    this.#paidUntilMs.set(node, untilMs)
    const aheadMs = untilMs - nowMs - MESSAGE_BURST * MESSAGE_INTERVAL_MS
    if (aheadMs > 0) await sleep(this.#clock, aheadMs)
  }

  /** Forgets those who have been quiet, or are members no more. */
  forget(): void {
    const nowMs = this.#clock.monotonicMs()
    for (const [node, untilMs] of this.#paidUntilMs) {
      if (untilMs <= nowMs) this.#paidUntilMs.delete(node)
    }
  }
}
