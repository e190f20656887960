import type { Clock } from '../foundation/clock.ts'
import type { ShareFiles } from './disk.ts'

/**
 * How long an answer of the disk about its free space is relied on; what was written since is taken off it. What other
 * programs write in that time may come out of the reserve, and no more.
 */
const FREE_BYTES_VALID_MS = 250

/** What a node may fill. */
export interface RoomLimits {
  /** What it offers to the grid. */
  readonly capacityBytes: number
  /** Left free on the disk: the index needs some to work in, and so does everything else that lives there. */
  readonly reserveBytes: number
}

/** Whether there is room for a share: within what the node offers, and on its disk. */
export class Room {
  readonly #files: Pick<ShareFiles, 'freeBytes'>
  readonly #clock: Clock
  #limits: RoomLimits
  #freeBytes = 0
  /** Promised to files that are being written, which neither the books nor the disk may know of yet. */
  #claimedBytes = 0
  #askedMs = Number.NEGATIVE_INFINITY
  #asking: Promise<void> | undefined

  constructor(
    options: RoomLimits & { readonly files: Pick<ShareFiles, 'freeBytes'>; readonly clock: Clock },
  ) {
    this.#limits = options
    this.#files = options.files
    this.#clock = options.clock
  }

  get capacityBytes(): number {
    return this.#limits.capacityBytes
  }

  get reserveBytes(): number {
    return this.#limits.reserveBytes
  }

  /** Holds for what comes from now on: what is kept already stays, however little is offered. */
  limit({ capacityBytes, reserveBytes }: RoomLimits): void {
    this.#limits = { capacityBytes, reserveBytes }
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

  /**
   * Promises room to what is about to be written, until the claim is disposed of.
   * @returns undefined if there is too little
   */
  claim(usedBytes: number, bytes: number): Disposable | undefined {
    if (!this.fits(usedBytes, bytes)) return undefined
    this.#claimedBytes += bytes
    return {
      [Symbol.dispose]: () => {
        this.#claimedBytes -= bytes
      },
    }
  }

  /** Bytes that may still be stored when `usedBytes` are. */
  freeBytes(usedBytes: number): number {
    const { capacityBytes, reserveBytes } = this.#limits
    const leftBytes = Math.min(capacityBytes - usedBytes, this.#freeBytes - reserveBytes)
    return Math.max(0, leftBytes - this.#claimedBytes)
  }

  /** What the disk has free, for the node or not. */
  get diskFreeBytes(): number {
    return Math.max(0, this.#freeBytes)
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
