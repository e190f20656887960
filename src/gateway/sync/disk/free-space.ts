import type { Clock } from '../../../foundation/clock.ts'
import type { FileSystem } from './file-system.ts'

/** Left free on a disk for whoever works on it. */
const SPARE_BYTES = 1024 * 1024
/** So long an answer of the system is good for, less what was written since: asking costs as much as writing a small file. */
const ANSWER_LASTS_MS = 1_000

/** Whether a disk has room for what is about to be fetched, so that a full one costs no traffic. */
export class FreeSpace {
  readonly #files: FileSystem
  readonly #clock: Clock
  readonly #at: string
  #leftBytes = 0
  #askedMs = -Infinity

  /** @param at - a directory of the disk */
  constructor(files: FileSystem, clock: Clock, at: string) {
    this.#files = files
    this.#clock = clock
    this.#at = at
  }

  /** @throws an ENOSPC, as the system does */
  async take(sizeBytes: number): Promise<void> {
    const isOld = this.#clock.monotonicMs() - this.#askedMs >= ANSWER_LASTS_MS
    if (isOld || this.#leftBytes < sizeBytes + SPARE_BYTES) {
      this.#leftBytes = await this.#files.freeBytes(this.#at)
      this.#askedMs = this.#clock.monotonicMs()
    }
    if (this.#leftBytes < sizeBytes + SPARE_BYTES) {
      throw Object.assign(new Error('too little space'), { code: 'ENOSPC' })
    }
    this.#leftBytes -= sizeBytes
  }
}
