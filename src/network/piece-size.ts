import { SEND_BYTES } from './limits.ts'

/**
 * How much of one stream is handed to its connection at once: a line that takes long for it holds up everything that goes to the
 * same peer meanwhile, small questions too, and a fast one should not be asked time and again.
 */
export class PieceSize {
  #bytes = FIRST_BYTES
  #blockedMs: number | undefined

  get bytes(): number {
    return this.#bytes
  }

  blocked(nowMs: number): void {
    this.#blockedMs ??= nowMs
  }

  drained(nowMs: number): void {
    if (this.#blockedMs === undefined) return
    const tookMs = nowMs - this.#blockedMs
    this.#blockedMs = undefined
    if (tookMs > SLOW_MS) this.#bytes = Math.max(LEAST_BYTES, this.#bytes / 2)
    else if (tookMs < QUICK_MS) this.#bytes = Math.min(SEND_BYTES, this.#bytes * 2)
  }
}

const FIRST_BYTES = 128 * 1024
const LEAST_BYTES = 16 * 1024
const SLOW_MS = 500
const QUICK_MS = 100
