import { randomBytes, randomFillSync } from 'node:crypto'
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
  bytes: (length) => (length <= FEW_BYTES ? fewBytes(length) : new Uint8Array(randomBytes(length))),
}

/** A few bytes are taken from many that were asked for at once: asking takes far longer than the bytes. */
function fewBytes(length: number): Uint8Array {
  if (left < length) {
    randomFillSync(ahead)
    left = ahead.length
  }
  const taken = ahead.slice(left - length, left)
  // What was given out is not to be found here as well.
  ahead.fill(0, left - length, left)
  left -= length
  return taken
}

const FEW_BYTES = 64
const ahead = new Uint8Array(4096)
let left = 0
