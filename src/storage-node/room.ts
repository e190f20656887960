import type { Clock } from '../foundation/clock.ts'
import type { ShareFiles } from './disk.ts'

/** How long an answer of the disk about its free space is relied on; what was written since is taken off it. */
const FREE_BYTES_VALID_MS = 1000

/** Whether there is room for a share: within what the node offers, and on its disk. */
export class Room {
  readonly capacityBytes: number
  readonly #reserveBytes: number
  readonly #files: Pick<ShareFiles, 'freeBytes'>
  readonly #clock: Clock
  #freeBytes = 0
  #askedMs = Number.NEGATIVE_INFINITY
  #asking: Promise<void> | undefined

  constructor(options: {
    capacityBytes: number
    /** Left free on the disk: the index needs some to work in, and so does everything else that lives there. */
    reserveBytes: number
    files: Pick<ShareFiles, 'freeBytes'>
    clock: Clock
  }) {
    this.capacityBytes = options.capacityBytes
    this.#reserveBytes = options.reserveBytes
    this.#files = options.files
    this.#clock = options.clock
  }

  /** Asks the disk, unless it was asked a moment ago. Those who come while it is being asked wait for its answer. */
  async refresh(): Promise<void> {
    if (this.#clock.monotonicMs() - this.#askedMs < FREE_BYTES_VALID_MS) return
    this.#asking ??= this.#ask()
    await this.#asking
  }

  /** As of the last {@link refresh}. */
  fits(usedBytes: number, bytes: number): boolean {
    return bytes <= this.freeBytes(usedBytes)
  }

  /** Bytes that may still be stored when `usedBytes` are. */
  freeBytes(usedBytes: number): number {
    return Math.max(
      0,
      Math.min(this.capacityBytes - usedBytes, this.#freeBytes - this.#reserveBytes),
    )
  }

  /** Takes what was just written off what the disk said. */
  spend(bytes: number): void {
    this.#freeBytes -= bytes
  }

  async #ask(): Promise<void> {
    try {
      this.#freeBytes = await this.#files.freeBytes()
      this.#askedMs = this.#clock.monotonicMs()
    } finally {
      this.#asking = undefined
    }
  }
}
