import { sleep, type Clock } from '../../../src/foundation/clock.ts'
import type { SeededRandomness } from '../../randomness.ts'

/** What ends a process there and then: nothing of it does anything any more. */
class Crash extends Error {}

export interface LifeOptions {
  readonly clock: Clock
  readonly randomness: SeededRandomness
  /** Called before each step: users act, time passes. */
  readonly onStep: () => void
  readonly onDeath: () => void
}

/** One process of a device, from its start to its end. All that it does to the world goes through here, step by step. */
export class Life {
  readonly end = new AbortController()
  readonly #options: LifeOptions
  /** Undefined: it lives on. */
  #stepsLeft: number | undefined
  #isDead = false

  constructor(options: LifeOptions) {
    this.#options = options
  }

  /** It dies before or after one of the next steps. */
  doom(steps: number): void {
    this.#stepsLeft ??= steps
  }

  die(): void {
    if (this.#isDead) return
    this.#isDead = true
    this.end.abort()
    this.#options.onDeath()
  }

  /** @throws Crash */
  require(): void {
    if (this.#isDead) throw new Crash('the process is dead')
  }

  /** @throws Crash, and what `effect` throws */
  async step<T>(effect: () => T | Promise<T>): Promise<T> {
    const { clock, randomness, onStep } = this.#options
    this.require()
    onStep()
    if (randomness.chance(0.02)) await sleep(clock, randomness.below(300))
    this.#age()
    const result = await effect()
    this.#age()
    return result
  }

  #age(): void {
    this.require()
    if (this.#stepsLeft === undefined) return
    if (this.#stepsLeft-- <= 0) this.die()
    this.require()
  }
}
