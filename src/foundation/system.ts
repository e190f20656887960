import { randomBytes } from 'node:crypto'
import type { Clock } from './clock.ts'
import type { Randomness } from './randomness.ts'

/**
 * The machine's own time and chance. The only file that touches them, so that everything else runs unchanged
 * under a simulated clock and a seed; a test reads the sources to keep it so.
 */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs)
    return () => {
      clearTimeout(timer)
    }
  },
}

export const systemRandomness: Randomness = {
  bytes: (length) => new Uint8Array(randomBytes(length)),
}
