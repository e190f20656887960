import type { Clock } from '../../foundation/clock.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { RUBBISH_BAN_MS } from './limits.ts'

/** Members that sent rubbish: nobody listens to what they say of the grid for a while. */
export class Bans {
  readonly #clock: Clock
  /** Only members are ever banned, so there are not many. */
  readonly #untilMs = new Map<NodeKey, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(node: NodeKey): void {
    this.#untilMs.set(node, this.#clock.monotonicMs() + RUBBISH_BAN_MS)
  }

  has(node: NodeKey): boolean {
    const untilMs = this.#untilMs.get(node)
    if (untilMs === undefined) return false
    if (this.#clock.monotonicMs() < untilMs) return true
    this.#untilMs.delete(node)
    return false
  }
}
