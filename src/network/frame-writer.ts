import type { Stream } from '@libp2p/interface'
import { concatBytes } from '../foundation/bytes.ts'
import { Uint8ArrayList } from './libp2p.ts'
import { SEND_BYTES } from './limits.ts'

/** A frame that waits to be sent. */
export interface QueuedFrame {
  readonly parts: readonly Uint8Array[]
  readonly bytes: number
  /** Called once the stream has taken the frame and has room again. */
  readonly onFlushed: (() => void) | undefined
}

/**
 * Sends frames over one stream, in order, several small ones at a time, and no faster than the stream drains.
 * Parts must stay as they are until they are sent. The queue's length is bounded by those who fill it: callers by how
 * much they ask for at once, servers by how much they admit.
 */
export class FrameWriter {
  readonly #stream: Stream
  readonly #pace: SendingPace
  readonly #queue = new Set<QueuedFrame>()
  #state: 'idle' | 'scheduled' | 'blocked' | 'closed' = 'idle'

  constructor(stream: Stream, pace: SendingPace) {
    this.#stream = stream
    this.#pace = pace
  }

  send(parts: readonly Uint8Array[], onFlushed?: () => void): QueuedFrame {
    let bytes = 0
    for (const part of parts) bytes += part.length
    const frame = { parts, bytes, onFlushed }
    this.#queue.add(frame)
    if (this.#state === 'idle') {
      this.#state = 'scheduled'
      // After the I/O of this turn: whatever many callers and replies produce in it leaves in one send.
      setImmediate(() => {
        if (this.#state === 'scheduled') this.#pump()
      })
    }
    return frame
  }

  /** Takes back a frame of which nothing has been sent; does nothing for one that has. */
  cancel(frame: QueuedFrame): void {
    this.#queue.delete(frame)
  }

  /** Forgets what is queued; the stream is gone. */
  close(): void {
    this.#state = 'closed'
    this.#queue.clear()
  }

  #pump(): void {
    for (;;) {
      const batch = this.#takeBatch()
      if (batch.length === 0) {
        this.#state = 'idle'
        return
      }
      const flushed = (): void => {
        for (const frame of batch) frame.onFlushed?.()
      }
      if (!this.#sendFrom(listOf(batch.flatMap((frame) => frame.parts)), 0, flushed)) return
    }
  }

  /**
   * Sends bytes from `offset` on, in pieces as large as the pace allows.
   * @returns whether all is sent and the stream can take more now; if not, the pump goes on by itself
   */
  #sendFrom(bytes: Uint8ArrayList, offset: number, flushed: () => void): boolean {
    let sent = offset
    while (sent < bytes.length) {
      const piece = bytes.sublist(sent, Math.min(sent + this.#pace.pieceBytes(), bytes.length))
      sent += piece.length
      const next = sent
      const goOn = (): void => {
        if (this.#sendFrom(bytes, next, flushed)) this.#pump()
      }
      const turn = this.#pace.take(piece.length)
      if (turn !== undefined) {
        void this.#sendInTurn(turn, piece, goOn)
        return false
      }
      if (!this.#sendPiece(piece, goOn)) return false
    }
    flushed()
    return true
  }

  #takeBatch(): QueuedFrame[] {
    const batch: QueuedFrame[] = []
    let bytes = 0
    for (const frame of this.#queue) {
      if (batch.length > 0 && bytes + frame.bytes > SEND_BYTES) break
      batch.push(frame)
      bytes += frame.bytes
      this.#queue.delete(frame)
    }
    return batch
  }

  async #sendInTurn(turn: Promise<void>, piece: Uint8ArrayList, goOn: () => void): Promise<void> {
    this.#state = 'blocked'
    await turn
    // The stream may have ended meanwhile.
    if (this.#state !== 'blocked') return
    this.#state = 'scheduled'
    if (this.#sendPiece(piece, goOn)) goOn()
  }

  /** @returns whether the stream can take more now; if not, `goOn` is called once it can */
  #sendPiece(piece: Uint8ArrayList, goOn: () => void): boolean {
    try {
      if (this.#stream.send(piece)) return true
    } catch (error) {
      this.close()
      this.#stream.abort(error as Error)
      return false
    }
    this.#state = 'blocked'
    this.#pace.blocked()
    // Not `onDrain()`: libp2p arms its promise once only, so a second wait would not wait.
    this.#stream.addEventListener(
      'drain',
      () => {
        if (this.#state !== 'blocked') return
        this.#state = 'scheduled'
        this.#pace.drained()
        goOn()
      },
      { once: true },
    )
    return false
  }
}

/** Joins what is small, which would be encrypted piece by piece; what is large goes as it is, since to copy it costs more. */
function listOf(parts: readonly Uint8Array[]): Uint8ArrayList {
  const list = new Uint8ArrayList()
  let small: Uint8Array[] = []
  for (const part of parts) {
    if (part.length < LARGE_PART_BYTES) {
      small.push(part)
      continue
    }
    if (small.length > 0) list.append(concatBytes(small))
    small = []
    list.append(part)
  }
  if (small.length > 0) list.append(concatBytes(small))
  return list
}

const LARGE_PART_BYTES = 16 * 1024

/** How fast one stream may send, of what all streams of the host may. */
export interface SendingPace {
  /** The largest piece to take at once. */
  pieceBytes(): number
  /** @returns undefined if so many bytes may be sent now, else what resolves when they may */
  take(bytes: number): Promise<void> | undefined
  /** The connection takes no more for now … */
  blocked(): void
  /** … and does again. */
  drained(): void
}

/** The contiguous pieces of a message event's data. */
export function chunksOf(data: Uint8Array | Iterable<Uint8Array>): Iterable<Uint8Array> {
  return data instanceof Uint8Array ? [data] : data
}
