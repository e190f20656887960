import { allocateBytes, utf8, viewOf } from '../src/foundation/bytes.ts'
import type { Randomness } from '../src/foundation/randomness.ts'
import { sha256 } from '../src/crypto/hash.ts'

/**
 * Chance that replays: SFC32 (C. Doty-Humphrey, PractRand), started from the hash of a seed. Statistically sound and
 * fast, and of course not secret.
 */
export class SeededRandomness implements Randomness {
  readonly #seed: string
  #a: number
  #b: number
  #c: number
  #counter: number

  constructor(seed: number | string) {
    this.#seed = String(seed)
    const start = viewOf(sha256(utf8(this.#seed)))
    this.#a = start.getInt32(0)
    this.#b = start.getInt32(4)
    this.#c = start.getInt32(8)
    this.#counter = 1
    for (let round = 0; round < WARM_UP_ROUNDS; round++) this.#next()
  }

  /** Another stream, independent of how much was drawn from this one: changing one part's draws leaves the others'. */
  fork(label: string): SeededRandomness {
    return new SeededRandomness(`${this.#seed}/${label}`)
  }

  bytes(length: number): Uint8Array {
    const bytes = allocateBytes(length)
    const view = viewOf(bytes)
    let at = 0
    for (; at + 4 <= length; at += 4) view.setInt32(at, this.#next())
    for (; at < length; at++) bytes[at] = this.#next() & 0xff
    return bytes
  }

  /** In [0, 1), with 32 random bits. */
  fraction(): number {
    return (this.#next() >>> 0) / 2 ** 32
  }

  /** A whole number in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound)
  }

  /** A whole number in [min, max]. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1)
  }

  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T
  }

  /** `count` different items, or all if there are fewer, in random order (Fisher and Yates). */
  sample<T>(items: readonly T[], count = items.length): T[] {
    const pool = [...items]
    const taken = Math.min(count, pool.length)
    for (let at = 0; at < taken; at++) {
      const other = this.between(at, pool.length - 1)
      const swap = pool[at] as T
      pool[at] = pool[other] as T
      pool[other] = swap
    }
    return pool.slice(0, taken)
  }

  #next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (this.#c << 21) | (this.#c >>> 11)
    this.#c = (this.#c + sum) | 0
    return sum
  }
}

/** As its author recommends. */
const WARM_UP_ROUNDS = 15
