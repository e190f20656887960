import { allocateBytes } from '../src/foundation/bytes.ts'
import type { SeededRandomness } from './randomness.ts'

/** What one message meets on its way. */
export interface LinkConditions {
  /** One way. */
  readonly latencyMs: number
  /** Each way; messages queue behind each other, small ones apart from large ones as on the real network. */
  readonly bytesPerMs: number
  /** That a message breaks the connection. */
  readonly breakChance: number
  /** That a message, and all after it on the connection, vanish without anybody being told. */
  readonly stallChance: number
}

export const PERFECT_LINK: LinkConditions = {
  latencyMs: 0,
  bytesPerMs: Infinity,
  breakChance: 0,
  stallChance: 0,
}

/** Larger messages travel in a lane of their own. */
export const SMALL_MESSAGE_BYTES = 64 * 1024
/** How long until a machine's keep-alive calls a silent connection dead. */
export const SILENCE_NOTICED_MS = 30_000
/** How long a connection attempt into the void takes. */
export const CONNECT_TIMEOUT_MS = 5_000

/** `bytes` in one to three chunks, as a transport might deliver them. */
export function randomChunks(randomness: SeededRandomness, bytes: Uint8Array): Uint8Array[] {
  const cuts = [randomness.below(bytes.length + 1), randomness.below(bytes.length + 1)].sort(
    (a, b) => a - b,
  )
  // A copy, since the sender may reuse its memory as soon as the message has left.
  const copy = allocateBytes(bytes.length)
  copy.set(bytes)
  return [copy.subarray(0, cuts[0]), copy.subarray(cuts[0], cuts[1]), copy.subarray(cuts[1])]
}
