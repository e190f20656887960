import { sleep, type Clock } from '../src/foundation/clock.ts'
import { concatBytes } from '../src/foundation/bytes.ts'
import { assert } from '../src/foundation/error.ts'
import { NodeAlreadyRunningError, SHARE_FOLDERS } from '../src/storage-node/disk.ts'
import type { Disk, KeyValueStore, NewFile, ShareFiles } from '../src/storage-node/disk.ts'
import type { SeededRandomness } from './randomness.ts'
import { SimulatedRows } from './rows.ts'

/**
 * A drive in memory that outlives the processes which open it: it loses what was not synced when the power goes, fills
 * up, fails, slows down and rots, as told. It keeps to the letter of `Disk` and is as unkind as that allows.
 */
export class SimulatedDrive {
  readonly #clock: Clock
  readonly #randomness: SeededRandomness
  readonly #rows: SimulatedRows
  readonly #files = new Map<string, Uint8Array>()
  /** Files whose removal may be undone by a crash. */
  readonly #removed = new Map<string, Uint8Array>()
  readonly #writing = new Set<readonly NewFile[]>()
  #openAs: DriveLife | undefined
  /** What goes wrong; may be changed at any time. */
  conditions: DriveConditions

  constructor(options: {
    clock: Clock
    randomness: SeededRandomness
    conditions?: Partial<DriveConditions>
  }) {
    this.#clock = options.clock
    this.#randomness = options.randomness
    this.#rows = new SimulatedRows(options.randomness)
    this.conditions = { ...PERFECT_DRIVE, ...options.conditions }
  }

  /** Opens the drive for one process. @throws NodeAlreadyRunningError */
  open(): Disk {
    if (this.#openAs !== undefined) throw new NodeAlreadyRunningError()
    const life: DriveLife = { isOver: false }
    this.#openAs = life
    this.#rows.open()
    return {
      rows: this.#keyValueStore(life),
      files: this.#shareFiles(life),
      [Symbol.asyncDispose]: async () => {
        await this.#close(life)
      },
    }
  }

  /** Cuts the power: the process that has the drive open never hears of it again, and what was under way is torn. */
  cutPower(): void {
    if (this.#openAs !== undefined) this.#openAs.isOver = true
    this.#openAs = undefined
    this.#rows.cutPower()
    for (const files of this.#writing) for (const file of files) this.#tear(file)
    this.#writing.clear()
    for (const [name, bytes] of this.#removed) {
      if (this.#randomness.chance(1 / 2)) this.#files.set(name, bytes)
    }
    this.#removed.clear()
  }

  get usedBytes(): number {
    let sum = this.#rows.bytes
    for (const bytes of this.#files.values()) sum += bytes.length
    return sum
  }

  /** Flips a bit in each of `count` stored shares, in files and in rows large enough to hold one. Returns how many. */
  rot(count: number): number {
    const victims = [...this.#files.values(), ...this.#rows.largeValues(SMALLEST_ROTTING_BYTES)]
    const chosen = this.#randomness.sample(
      victims.filter((bytes) => bytes.length > 0),
      count,
    )
    for (const bytes of chosen) {
      const at = this.#randomness.below(bytes.length)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << this.#randomness.below(8))
    }
    return chosen.length
  }

  /** Loses everything, as a drive that was replaced. */
  wipe(): void {
    assert(this.#openAs === undefined, 'a drive in use cannot be replaced')
    this.#rows.wipe()
    this.#files.clear()
    this.#removed.clear()
  }

  #keyValueStore(life: DriveLife): KeyValueStore {
    return {
      get: async (key) => {
        await this.#beforeRead(life)
        return this.#rows.get(key)
      },
      getMany: async (keys) => {
        await this.#beforeRead(life)
        return keys.map((key) => this.#rows.get(key))
      },
      write: async (changes) => {
        const bytes = changes.reduce(
          (sum, { key, value }) => sum + (value === undefined ? 0 : key.length + value.length),
          0,
        )
        // What a process still does after its power is gone must not reach the drive.
        if (life.isOver) await never()
        const entry = this.#rows.append(changes)
        try {
          await this.#beforeWrite(life, bytes)
        } catch (error) {
          this.#rows.reject(entry)
          throw error
        }
        await this.#rows.commit(entry)
        if (life.isOver) await never()
      },
      recover: async () => {
        await this.#pass(life, this.conditions.writeMs)
      },
      range: async (bounds) => {
        await this.#beforeRead(life)
        return this.#rows.range(bounds)
      },
      close: async () => {
        await this.#close(life)
      },
    }
  }

  #shareFiles(life: DriveLife): ShareFiles {
    return {
      write: async (files) => {
        if (life.isOver) await never()
        this.#writing.add(files)
        try {
          const bytes = files.reduce((sum, { parts }) => sum + lengthOf(parts), 0)
          await this.#beforeWrite(life, bytes)
        } catch (error) {
          this.#writing.delete(files)
          for (const file of files) this.#tear(file)
          throw error
        }
        this.#writing.delete(files)
        for (const { name, parts } of files) this.#create(name, concatBytes(parts))
      },
      read: async (name, { offset, length }) => {
        await this.#beforeRead(life)
        return this.#files.get(name)?.slice(offset, offset + length)
      },
      remove: async (name) => {
        await this.#beforeRead(life)
        const bytes = this.#files.get(name)
        if (bytes === undefined) return
        this.#files.delete(name)
        this.#removed.set(name, bytes)
      },
      list: async (folder) => {
        assert(folder >= 0 && folder < SHARE_FOLDERS, 'there are 256 folders')
        await this.#beforeRead(life)
        const prefix = folder.toString(16).padStart(2, '0')
        return this.#randomness.sample(
          [...this.#files.keys()].filter((name) => name.startsWith(prefix)),
        )
      },
      freeBytes: async () => {
        await this.#beforeRead(life)
        return Math.max(0, this.conditions.capacityBytes - this.usedBytes)
      },
    }
  }

  async #beforeRead(life: DriveLife): Promise<void> {
    await this.#pass(life, this.conditions.readMs)
    if (this.#randomness.chance(this.conditions.readFailureChance)) throw new DriveError('EIO')
  }

  async #beforeWrite(life: DriveLife, bytes: number): Promise<void> {
    await this.#pass(life, this.conditions.writeMs)
    if (this.#randomness.chance(this.conditions.writeFailureChance)) throw new DriveError('EIO')
    if (this.usedBytes + bytes > this.conditions.capacityBytes) throw new DriveError('ENOSPC')
  }

  async #pass(life: DriveLife, delayMs: number): Promise<void> {
    if (!life.isOver && delayMs > 0) {
      await sleep(this.#clock, delayMs * (0.5 + this.#randomness.fraction()))
    }
    if (life.isOver) await never()
  }

  #create(name: string, bytes: Uint8Array): void {
    assert(/^[0-9a-f]{2}[0-9a-f-]*$/.test(name), 'file names are hexadecimal')
    assert(!this.#files.has(name), 'a file name is used once')
    this.#files.set(name, bytes)
  }

  /** Leaves of an unfinished file all, some or nothing. */
  #tear({ name, parts }: NewFile): void {
    const bytes = concatBytes(parts)
    const kept = this.#randomness.pick([0, this.#randomness.below(bytes.length + 1), bytes.length])
    if (kept > 0 || this.#randomness.chance(1 / 2)) this.#create(name, bytes.slice(0, kept))
  }

  async #close(life: DriveLife): Promise<void> {
    if (life.isOver) return
    await this.#rows.settled()
    life.isOver = true
    if (this.#openAs === life) this.#openAs = undefined
  }
}

export interface DriveConditions {
  /** What a read takes on average; the real times lie between half and one and a half of it. */
  readonly readMs: number
  /** What a durable write takes. */
  readonly writeMs: number
  readonly capacityBytes: number
  /** That a read or write fails with EIO. */
  readonly readFailureChance: number
  readonly writeFailureChance: number
}

export const PERFECT_DRIVE: DriveConditions = {
  readMs: 0,
  writeMs: 0,
  capacityBytes: 2 ** 40,
  readFailureChance: 0,
  writeFailureChance: 0,
}

/** An error as the system gives it. */
class DriveError extends Error {
  override readonly name = 'DriveError'
  readonly code: 'EIO' | 'ENOSPC'

  constructor(code: 'EIO' | 'ENOSPC') {
    super(`${code}: the simulated drive says no`)
    this.code = code
  }
}

/** Rows below this size are bookkeeping, which a real store checks by checksums of its own. */
const SMALLEST_ROTTING_BYTES = 300

/** One process' use of the drive. */
interface DriveLife {
  isOver: boolean
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0)
}

/** What a process waits for whose power is gone. */
async function never(): Promise<never> {
  return await new Promise<never>(() => {})
}
