import type { Clock } from '../foundation/clock.ts'
import { dropOldest } from '../foundation/newest.ts'
import type { NodeKey } from '../protocol/node-key.ts'

/**
 * By what peers show that they are there, besides answering when they are asked just that: on a slow line the question stands
 * in line behind what is being sent, and the answer likewise.
 */
export class SignsOfLife {
  readonly #clock: Clock
  readonly #heardMs = new Map<NodeKey, number>()
  readonly #busyMs = new Map<NodeKey, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Something came from it. */
  heard(peer: NodeKey, bytes: number): void {
    this.#note(this.#heardMs, peer)
    if (bytes >= BUSY_BYTES) this.#note(this.#busyMs, peer)
  }

  /** Its connection was full, and has taken more. */
  took(peer: NodeKey): void {
    this.#note(this.#busyMs, peer)
  }

  /** Whether there was any sign since then, or the line was so busy a while ago that what stands in it may hold one up. */
  isAlive(peer: NodeKey, sinceMs: number): boolean {
    const heardMs = this.#heardMs.get(peer) ?? -Infinity
    const busyMs = this.#busyMs.get(peer) ?? -Infinity
    return heardMs >= sinceMs || this.#clock.monotonicMs() - busyMs < BUSY_FOR_MS
  }

  #note(times: Map<NodeKey, number>, peer: NodeKey): void {
    times.delete(peer)
    times.set(peer, this.#clock.monotonicMs())
    dropOldest(times, MAX_REMEMBERED_PEERS)
  }
}

/** What comes in pieces as large as that is part of a share. */
const BUSY_BYTES = 1024
/** As long as a few hundred kB in the system's own buffers may take, ten connections sharing 512 kbit/s. */
const BUSY_FOR_MS = 60_000
const MAX_REMEMBERED_PEERS = 4_096
