import type { Clock } from '../../src/foundation/clock.ts'
import { systemClock } from '../../src/foundation/system.ts'
import { counter } from '../contracts/network.ts'
/** A clock whose timers fire when the test says so. */
export class HastyClock implements Clock {
  readonly #timers = new Map<() => void, number>()
  readonly #set = counter()

  nowMs(): number {
    return systemClock.nowMs()
  }

  monotonicMs(): number {
    return systemClock.monotonicMs()
  }

  after(delayMs: number, action: () => void): () => void {
    this.#timers.set(action, delayMs)
    this.#set.add()
    return () => this.#timers.delete(action)
  }

  async hasTimer(delayMs: number): Promise<void> {
    for (let sets = 1; ![...this.#timers.values()].includes(delayMs); sets++) {
      await this.#set.reaches(sets)
    }
  }

  fire(): void {
    const actions = [...this.#timers.keys()]
    this.#timers.clear()
    for (const action of actions) action()
  }
}
