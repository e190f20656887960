import type { Stream } from '@libp2p/interface'
import { onAbort } from '../foundation/abort.ts'
import { messageOf } from '../foundation/error.ts'
import { decodeReply, encodeRequest } from '../protocol/codec.ts'
import { encodeFrame, FrameReader, type Frame } from '../protocol/framing.ts'
import type { Op, ReplyOf, Request, RequestOf } from '../protocol/messages.ts'
import { RefusedError, UnreachableError } from '../protocol/network.ts'
import type { NodeKey } from '../protocol/node-key.ts'
import type { StreamPace } from './bandwidth.ts'
import { chunksOf, FrameWriter, type QueuedFrame } from './frame-writer.ts'
import { MAX_SLOT_RECORD_BYTES } from '../protocol/slot-record.ts'
import { SMALL_MESSAGE_BYTES } from './limits.ts'

/**
 * Two streams to each node, so that a small request does not wait behind megabytes: one for what is small both ways,
 * one for the rest.
 */
export type LaneKind = 'small' | 'bulk'

const LEAF_BYTES = 16 * 1024

export function laneOf(request: Request): LaneKind {
  switch (request.op) {
    case 'hello':
    case 'have':
    case 'lease':
    case 'drop':
    case 'stat':
      return 'small'
    case 'put':
    case 'transfer':
      return request.shard.length <= SMALL_MESSAGE_BYTES ? 'small' : 'bulk'
    case 'get':
      // A whole share may be of any size.
      if (request.leaves === undefined) return 'bulk'
      return request.leaves.count * LEAF_BYTES <= SMALL_MESSAGE_BYTES ? 'small' : 'bulk'
    case 'slot-put':
    case 'slot-transfer':
    case 'slot-watch':
      // What changed is rarely more than a record or two; a watch must not hold up the other lane either.
      return 'small'
    case 'slot-get':
      return request.slots.length * MAX_SLOT_RECORD_BYTES <= SMALL_MESSAGE_BYTES ? 'small' : 'bulk'
    case 'audit':
      return request.leaves.length * LEAF_BYTES <= SMALL_MESSAGE_BYTES ? 'small' : 'bulk'
  }
}

/** Whether a request may be sent again though the node may have done what it asks: it then says so, and nothing more. */
export function mayRepeat(request: Request): boolean {
  switch (request.op) {
    case 'hello':
    case 'have':
    case 'lease':
    case 'drop':
    case 'stat':
    case 'put':
    case 'get':
    case 'slot-get':
    case 'audit':
      return true
    case 'slot-put':
      // Of one that named what it replaces, the first time would look like somebody else's.
      return request.ifHeads === undefined
    case 'slot-watch':
    case 'transfer':
    case 'slot-transfer':
      return false
  }
}

interface PendingCall {
  readonly onFrame: (frame: Frame) => void
  readonly reject: (error: unknown) => void
}

/** The caller's end of one long-lived stream: many requests in flight, replies in any order. */
export class Lane {
  readonly #node: NodeKey
  readonly #stream: Stream
  readonly #writer: FrameWriter
  readonly #reader = new FrameReader()
  readonly #pending = new Map<number, PendingCall>()
  #nextRequestId = 0
  /** How many pieces were read ahead of what the limit of bandwidth allows. */
  #ahead = 0
  #open = true
  #isRetired = false
  #isLost = false

  constructor(node: NodeKey, stream: Stream, pace: StreamPace) {
    this.#node = node
    this.#stream = stream
    this.#writer = new FrameWriter(stream, pace)
    stream.addEventListener('message', ({ data }) => {
      void this.#slowDown(pace.received(data.byteLength))
      this.#receive(chunksOf(data))
    })
    stream.addEventListener('close', ({ error }) => {
      this.#isLost ||= this.#open
      this.close('the connection broke', error)
    })
    // A node that is dying may seem to end the stream in good order; there is no good order to end it in.
    stream.addEventListener('remoteCloseWrite', () => {
      this.#isLost ||= this.#open
      this.close('it ended the conversation')
    })
    if (stream.status !== 'open') this.close('the connection broke')
  }

  get open(): boolean {
    return this.#open
  }

  /** Whether its path ended under it, with whatever was asked and not answered yet. */
  get isLost(): boolean {
    return this.#isLost
  }

  async call<O extends Op>(request: RequestOf<O>, signal?: AbortSignal): Promise<ReplyOf<O>> {
    if (!this.#open) throw new UnreachableError(this.#node, 'the connection broke')
    const requestId = this.#takeRequestId()
    const parts = encodeFrame(requestId, encodeRequest(request))
    return await new Promise<ReplyOf<O>>((resolve, reject) => {
      let queued: QueuedFrame | undefined
      const letGo =
        signal &&
        onAbort(signal, () => {
          this.#pending.delete(requestId)
          if (queued !== undefined) this.#writer.cancel(queued)
          this.#closeIfDone()
          reject(signal.reason as Error)
        })
      const settle = (): void => {
        this.#pending.delete(requestId)
        letGo?.()
        this.#closeIfDone()
      }
      this.#pending.set(requestId, {
        onFrame: (frame) => {
          settle()
          try {
            resolve(this.#readReply(request.op as O, frame))
          } catch (error) {
            reject(error)
          }
        },
        reject: (error) => {
          settle()
          reject(error)
        },
      })
      queued = this.#writer.send(parts)
    })
  }

  /** Ends the stream once all replies are here. Calls take another lane by then. */
  retire(): void {
    this.#isRetired = true
    this.#closeIfDone()
  }

  #closeIfDone(): void {
    if (this.#isRetired && this.#pending.size === 0) this.close('it has been replaced')
  }

  /** Ends the stream; whoever waits for a reply learns why. */
  close(why: string, cause?: unknown): void {
    if (!this.#open) return
    this.#open = false
    this.#writer.close()
    const options = cause === undefined ? undefined : { cause }
    for (const { reject } of this.#pending.values()) {
      reject(new UnreachableError(this.#node, why, options))
    }
    this.#stream.abort(new Error(why))
  }

  /** Reads no further until the limit of bandwidth allows it; the node's own flow control holds it back then. */
  async #slowDown(turn: Promise<void> | undefined): Promise<void> {
    if (turn === undefined) return
    this.#ahead++
    if (this.#stream.readStatus === 'readable') this.#stream.pause()
    await turn
    this.#ahead--
    const isFree = this.#open && this.#ahead === 0
    if (isFree && this.#stream.readStatus === 'paused') this.#stream.resume()
  }

  #receive(chunks: Iterable<Uint8Array>): void {
    try {
      for (const chunk of chunks) {
        for (const frame of this.#reader.push(chunk)) {
          // A frame that nobody waits for answers a call that was aborted.
          this.#pending.get(frame.requestId)?.onFrame(frame)
        }
      }
    } catch (error) {
      this.close(`it broke the protocol: ${messageOf(error)}`, error)
    }
  }

  #readReply<O extends Op>(op: O, { header, body }: Frame): ReplyOf<O> {
    let reply
    try {
      reply = decodeReply(op, header, body)
    } catch (error) {
      throw new UnreachableError(this.#node, `its reply breaks the protocol: ${messageOf(error)}`, {
        cause: error,
      })
    }
    if (reply.op === 'refused') throw new RefusedError(this.#node, reply)
    return reply
  }

  #takeRequestId(): number {
    do {
      this.#nextRequestId = (this.#nextRequestId + 1) >>> 0
    } while (this.#pending.has(this.#nextRequestId))
    return this.#nextRequestId
  }
}
