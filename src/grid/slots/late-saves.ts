import type { Clock } from '../../foundation/clock.ts'
import type { KnownSlot } from './known.ts'

/**
 * Slots that may wait a moment to be saved. What is lost if they never are is the memory of one's own last write. A
 * write that follows soon saves it too, so a disk that takes its time is asked once for each of many writes.
 */
export class LateSaves {
  readonly #clock: Clock
  readonly #inBackground: (saving: Promise<void>) => void
  readonly #unsaved = new Set<KnownSlot>()
  #cancelTimer: (() => void) | undefined

  constructor(clock: Clock, inBackground: (saving: Promise<void>) => void) {
    this.#clock = clock
    this.#inBackground = inBackground
  }

  add(known: KnownSlot): void {
    known.saveLater()
    this.#unsaved.add(known)
    this.#cancelTimer ??= this.#clock.after(WAIT_MS, () => {
      this.begin()
    })
  }

  /** Waits no longer. */
  begin(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    for (const known of this.#unsaved) this.#inBackground(known.saveLeft())
    this.#unsaved.clear()
  }
}

const WAIT_MS = 500
