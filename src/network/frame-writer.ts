import type { Stream } from '@libp2p/interface'
import { concatBytes } from '../foundation/bytes.ts'
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
 * The queue's length is bounded by those who fill it: callers by how much they ask for at once, servers by how much
 * they admit.
 */
export class FrameWriter {
  readonly #stream: Stream
  readonly #queue = new Set<QueuedFrame>()
  #state: 'idle' | 'scheduled' | 'blocked' | 'closed' = 'idle'

  constructor(stream: Stream) {
    this.#stream = stream
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
      if (!this.#sendBatch(batch)) return
    }
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

  /** @returns whether the stream can take more now */
  #sendBatch(batch: readonly QueuedFrame[]): boolean {
    let hasRoom: boolean
    try {
      hasRoom = this.#stream.send(concatBytes(batch.flatMap((frame) => frame.parts)))
    } catch (error) {
      this.close()
      this.#stream.abort(error as Error)
      return false
    }
    const flushed = (): void => {
      for (const frame of batch) frame.onFlushed?.()
    }
    if (hasRoom) {
      flushed()
      return true
    }
    this.#state = 'blocked'
    // Not `onDrain()`: libp2p arms its promise once only, so a second wait would not wait.
    this.#stream.addEventListener(
      'drain',
      () => {
        if (this.#state !== 'blocked') return
        this.#state = 'scheduled'
        flushed()
        this.#pump()
      },
      { once: true },
    )
    return false
  }
}

/** The contiguous pieces of a message event's data. */
export function chunksOf(data: Uint8Array | Iterable<Uint8Array>): Iterable<Uint8Array> {
  return data instanceof Uint8Array ? [data] : data
}
