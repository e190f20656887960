import type { Clock } from '../foundation/clock.ts'
import { deferred, type Deferred } from '../foundation/concurrency.ts'
import type { SendingPace } from './frame-writer.ts'
import type { NodeKey } from '../protocol/node-key.ts'
import { PieceSize } from './piece-size.ts'
import { SignsOfLife } from './signs-of-life.ts'

/** What a host sends and takes at most, in bytes a second; undefined for no limit. */
export interface BandwidthLimits {
  readonly uploadBytesPerS?: number | undefined
  readonly downloadBytesPerS?: number | undefined
}

/** Bytes of the storage protocol since the host was opened. */
export interface Traffic {
  readonly sentBytes: number
  readonly receivedBytes: number
}

/** Both directions of a host, shared by all streams of the storage protocol, served ones and its own. */
export class Bandwidth {
  readonly up: FairBucket
  readonly down: FairBucket
  readonly #clock: Clock
  readonly #signs: SignsOfLife

  constructor(clock: Clock, signs = new SignsOfLife(clock)) {
    this.up = new FairBucket(clock)
    this.down = new FairBucket(clock)
    this.#clock = clock
    this.#signs = signs
  }

  limit({ uploadBytesPerS, downloadBytesPerS }: BandwidthLimits): void {
    this.up.limit(uploadBytesPerS)
    this.down.limit(downloadBytesPerS)
  }

  traffic(): Traffic {
    return { sentBytes: this.up.takenBytes, receivedBytes: this.down.takenBytes }
  }

  /** What one stream to this peer goes by. */
  of(peer: NodeKey): StreamPace {
    const piece = new PieceSize()
    return {
      pieceBytes: () => Math.min(piece.bytes, this.up.pieceBytes),
      take: (bytes) => this.up.take(peer, bytes),
      blocked: () => {
        piece.blocked(this.#clock.monotonicMs())
      },
      drained: () => {
        piece.drained(this.#clock.monotonicMs())
        this.#signs.took(peer)
      },
      received: (bytes) => {
        this.#signs.heard(peer, bytes)
        return this.down.take(peer, bytes)
      },
    }
  }
}

export interface StreamPace extends SendingPace {
  /** @returns undefined if more may be read after these bytes, else what resolves when it may */
  received(bytes: number): Promise<void> | undefined
}

/** What may pass at once after a pause: enough that limits do not show in small messages. */
const BURST_S = 0.25
/** Bytes in one piece under a limit: a part of a second, so that peers take turns, but no crumbs. */
const PIECE_S = 0.125
const MIN_PIECE_BYTES = 4 * 1024

/** Peers whose last turn is remembered, at most about. */
const MAX_REMEMBERED_PEERS = 256

/**
 * A token bucket for one direction, from which peers take turns by start-time fair queueing (P. Goyal, H. Vin, H. Cheng,
 * 1996): a piece starts where its peer's last one finished, counted in bytes, and the one that starts first goes next. So
 * peers that always want more get equally many bytes, and who comes now and then waits for no more than a piece of each. A
 * piece passes as soon as there are any tokens and may leave a debt, so the mean is exact whatever the sizes. How much waits is
 * bounded by those who take: each stream waits with one piece.
 */
export class FairBucket {
  readonly #clock: Clock
  readonly #waiting = new Set<WaitingPiece>()
  /** Where the last piece of each peer finished. */
  readonly #finish = new Map<NodeKey, number>()
  /** Where the piece started that passed last. */
  #virtualBytes = 0
  #bytesPerS: number | undefined
  #tokens = 0
  #filledMs = 0
  #takenBytes = 0
  #cancelTimer: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get takenBytes(): number {
    return this.#takenBytes
  }

  /** The largest piece that should be taken at once; infinite without a limit. */
  get pieceBytes(): number {
    if (this.#bytesPerS === undefined) return Number.POSITIVE_INFINITY
    return Math.max(MIN_PIECE_BYTES, Math.floor(this.#bytesPerS * PIECE_S))
  }

  limit(bytesPerS: number | undefined): void {
    if (bytesPerS === this.#bytesPerS) return
    this.#fill()
    const burstBytes = (bytesPerS ?? 0) * BURST_S
    this.#tokens = this.#bytesPerS === undefined ? burstBytes : Math.min(this.#tokens, burstBytes)
    this.#bytesPerS = bytesPerS
    this.#serve()
  }

  /** @returns undefined if the bytes may pass now, else what resolves when they may */
  take(peer: NodeKey, bytes: number): Promise<void> | undefined {
    this.#takenBytes += bytes
    if (this.#bytesPerS === undefined) return undefined
    const start = Math.max(this.#virtualBytes, this.#finish.get(peer) ?? 0)
    this.#remember(peer, start + bytes)
    this.#fill()
    if (this.#waiting.size === 0 && this.#tokens > 0) {
      this.#pass({ start, bytes })
      return undefined
    }
    const turn = deferred()
    this.#waiting.add({ start, bytes, turn })
    this.#serve()
    return turn.promise
  }

  #fill(): void {
    const nowMs = this.#clock.monotonicMs()
    const rate = this.#bytesPerS ?? 0
    const earned = ((nowMs - this.#filledMs) / 1000) * rate
    this.#tokens = Math.min(this.#tokens + earned, Math.max(rate * BURST_S, this.#tokens))
    this.#filledMs = nowMs
  }

  #serve(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#fill()
    while (this.#waiting.size > 0 && (this.#bytesPerS === undefined || this.#tokens > 0)) {
      let next: WaitingPiece | undefined
      for (const each of this.#waiting)
        if (next === undefined || each.start < next.start) next = each
      if (next === undefined) break
      this.#waiting.delete(next)
      this.#pass(next)
      next.turn.resolve()
    }
    if (this.#waiting.size === 0 || this.#bytesPerS === undefined) return
    const delayMs = Math.max(1, Math.ceil(((1 - this.#tokens) / this.#bytesPerS) * 1000))
    this.#cancelTimer = this.#clock.after(delayMs, () => {
      this.#serve()
    })
  }

  #pass({ start, bytes }: Pick<WaitingPiece, 'start' | 'bytes'>): void {
    this.#tokens -= bytes
    this.#virtualBytes = Math.max(this.#virtualBytes, start)
  }

  #remember(peer: NodeKey, finish: number): void {
    this.#finish.set(peer, finish)
    if (this.#finish.size <= MAX_REMEMBERED_PEERS) return
    for (const [other, end] of this.#finish) {
      if (end <= this.#virtualBytes) this.#finish.delete(other)
    }
  }
}

interface WaitingPiece {
  readonly start: number
  readonly bytes: number
  readonly turn: Deferred<void>
}
