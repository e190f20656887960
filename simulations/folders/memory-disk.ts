import { sleep } from '../../src/foundation/clock.ts'
import type { Clock } from '../../src/foundation/clock.ts'
import type { SmallStore } from '../../src/grid/slots/stored-memory.ts'
import type { SeededRandomness } from '../randomness.ts'

/**
 * Where a device remembers slots: takes its time, fails now and then, outlives the processes that use it, and can be
 * set back to a copy of itself.
 */
export class MemoryDisk {
  readonly #randomness: SeededRandomness
  readonly #writing = new Set<() => void>()
  writeFailureChance: number
  #values = new Map<string, Uint8Array>()
  #backup = new Map<string, Uint8Array>()

  constructor(randomness: SeededRandomness, writeFailureChance: number) {
    this.#randomness = randomness
    this.writeFailureChance = writeFailureChance
  }

  /** Opens it for one process, by whose clock its work takes time: none once that process has ended. */
  open(clock: Clock): SmallStore {
    const change = async (apply: (values: Map<string, Uint8Array>) => void): Promise<void> => {
      const act = (): void => {
        apply(this.#values)
      }
      this.#writing.add(act)
      await sleep(clock, this.#randomness.below(WRITE_MS))
      // A power cut has decided it.
      if (!this.#writing.delete(act)) await new Promise<never>(() => {})
      if (this.#randomness.chance(this.writeFailureChance)) throw new MemoryDiskError()
      act()
    }
    return {
      read: async (name) => await Promise.resolve(this.#values.get(name)?.slice()),
      names: async () => await Promise.resolve([...this.#values.keys()]),
      write: async (name, value) => {
        const copy = value.slice()
        await change((values) => values.set(name, copy))
      },
      remove: async (name) => {
        await change((values) => values.delete(name))
      },
    }
  }

  /** What was being written is there or is not. */
  cutPower(): void {
    for (const act of this.#writing) if (this.#randomness.chance(1 / 2)) act()
    this.#writing.clear()
  }

  backUp(): void {
    this.#backup = new Map(this.#values)
  }

  restoreBackup(): void {
    this.#values = new Map(this.#backup)
  }

  wipe(): void {
    this.#values = new Map()
  }
}

/** As the system gives it. */
class MemoryDiskError extends Error {
  override readonly name = 'MemoryDiskError'
  readonly code = 'ENOSPC'

  constructor() {
    super('ENOSPC: the simulated disk is full')
  }
}

const WRITE_MS = 20
