import { allocateBytes, concatBytes, viewOf } from '../foundation/bytes.ts'
import { MalformedMessageError } from './cbor.ts'
import type { WireMessage } from './codec.ts'
import { MAX_BODY_BYTES, MAX_HEADER_BYTES } from './limits.ts'

/**
 * How messages share a stream: `u32 header length ‖ u32 body length ‖ u32 request id ‖ header ‖ body`, big-endian.
 * The two lengths come first and apart, so that a receiver refuses what is too large before it spends memory, and
 * puts each body straight into memory of its own, aligned as the erasure code likes it.
 */
export interface Frame {
  /** Chosen by the caller, unique among its requests in flight on this stream; the reply carries the same. */
  readonly requestId: number
  readonly header: Uint8Array
  readonly body: Uint8Array
}

const FRAME_PREFIX_BYTES = 12

/** The frame in parts ready to be sent; the body's parts are not copied. */
export function encodeFrame(requestId: number, { header, body }: WireMessage): Uint8Array[] {
  const start = allocateBytes(FRAME_PREFIX_BYTES + header.length)
  const view = viewOf(start)
  let bodyBytes = 0
  for (const part of body) bodyBytes += part.length
  view.setUint32(0, header.length)
  view.setUint32(4, bodyBytes)
  view.setUint32(8, requestId)
  start.set(header, FRAME_PREFIX_BYTES)
  return [start, ...body]
}

/** Cuts a stream of chunks, of any sizes, into frames. One a stream; after it has thrown it must not be used again. */
export class FrameReader {
  readonly #prefix = allocateBytes(FRAME_PREFIX_BYTES)
  #filled = 0
  #frame: { requestId: number; header: Uint8Array; body: Uint8Array } | undefined

  /** Takes the next chunk and returns the frames that it completes. @throws MalformedMessageError */
  push(chunk: Uint8Array): Frame[] {
    const frames: Frame[] = []
    let rest = chunk
    while (rest.length > 0) {
      rest = this.#frame === undefined ? this.#takePrefix(rest) : this.#takeFrame(rest, this.#frame)
      const frame = this.#frame
      if (frame !== undefined && this.#filled === frame.header.length + frame.body.length) {
        frames.push(frame)
        this.#frame = undefined
        this.#filled = 0
      }
    }
    return frames
  }

  /** Whether the stream may end here: not in the middle of a frame. */
  get atBoundary(): boolean {
    return this.#frame === undefined && this.#filled === 0
  }

  #takePrefix(chunk: Uint8Array): Uint8Array {
    const taken = chunk.subarray(0, FRAME_PREFIX_BYTES - this.#filled)
    this.#prefix.set(taken, this.#filled)
    this.#filled += taken.length
    if (this.#filled === FRAME_PREFIX_BYTES) {
      const view = viewOf(this.#prefix)
      const headerBytes = view.getUint32(0)
      const bodyBytes = view.getUint32(4)
      if (headerBytes < 1 || headerBytes > MAX_HEADER_BYTES || bodyBytes > MAX_BODY_BYTES) {
        throw new MalformedMessageError('A frame is larger than the protocol allows.')
      }
      this.#frame = {
        requestId: view.getUint32(8),
        header: allocateBytes(headerBytes),
        body: allocateBytes(bodyBytes),
      }
      this.#filled = 0
    }
    return chunk.subarray(taken.length)
  }

  #takeFrame(chunk: Uint8Array, { header, body }: Frame): Uint8Array {
    if (this.#filled < header.length) {
      const taken = chunk.subarray(0, header.length - this.#filled)
      header.set(taken, this.#filled)
      this.#filled += taken.length
      return chunk.subarray(taken.length)
    }
    const at = this.#filled - header.length
    const taken = chunk.subarray(0, body.length - at)
    body.set(taken, at)
    this.#filled += taken.length
    return chunk.subarray(taken.length)
  }
}

/** The whole frame as one array, for transports and tests that want it so. */
export function frameBytes(requestId: number, message: WireMessage): Uint8Array {
  return concatBytes(encodeFrame(requestId, message))
}
