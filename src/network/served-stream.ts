import type { Stream } from '@libp2p/interface'
import { manyListeners } from '../foundation/abort.ts'
import { messageOf } from '../foundation/error.ts'
import { decodeRequest, encodeReply } from '../protocol/codec.ts'
import { encodeFrame, FrameReader, type Frame } from '../protocol/framing.ts'
import { MAX_BODY_BYTES, MAX_SLOT_HEADS } from '../protocol/limits.ts'
import type { Reply, Request } from '../protocol/messages.ts'
import type { Refusal, RefusalReason, StorageService } from '../protocol/network.ts'
import type { NodeKey } from '../protocol/node-key.ts'
import { MAX_SLOT_RECORD_BYTES } from '../protocol/slot-record.ts'
import type { StreamPace } from './bandwidth.ts'
import { chunksOf, FrameWriter } from './frame-writer.ts'
import { IN_FLIGHT_BYTES, MAX_IN_FLIGHT_REQUESTS } from './limits.ts'

/**
 * The serving end of one stream: hands requests to the service as they come, several at a time, and sends the replies
 * as they are ready. What one stream may have in flight is bounded; beyond that it is not read, so that the peer's
 * own flow control holds it back and nothing is dropped.
 */
export class ServedStream {
  readonly #stream: Stream
  readonly #caller: NodeKey
  readonly #service: () => StorageService | undefined
  readonly #writer: FrameWriter
  readonly #reader = new FrameReader()
  readonly #gone = manyListeners(new AbortController())
  /** Frames that arrived in a chunk with others when the stream was already at its bound. */
  readonly #waiting: Frame[] = []
  #requestsInFlight = 0
  #bytesInFlight = 0
  #resuming = false
  /** How many pieces were read ahead of what the limit of bandwidth allows. */
  #ahead = 0

  constructor(
    stream: Stream,
    {
      caller,
      service,
      pace,
    }: {
      readonly caller: NodeKey
      readonly service: () => StorageService | undefined
      readonly pace: StreamPace
    },
  ) {
    this.#stream = stream
    this.#caller = caller
    this.#service = service
    this.#writer = new FrameWriter(stream, pace)
    stream.addEventListener('message', ({ data }) => {
      void this.#slowDown(pace.received(data.byteLength))
      this.#receive(chunksOf(data))
    })
    stream.addEventListener('close', () => {
      this.#end()
    })
    stream.addEventListener('remoteCloseWrite', () => {
      this.abort('the caller ended the stream')
    })
  }

  /** Whether the stream has ended. */
  get gone(): boolean {
    return this.#gone.signal.aborted
  }

  abort(why: string): void {
    this.#end()
    this.#stream.abort(new Error(why))
  }

  #end(): void {
    if (this.#gone.signal.aborted) return
    this.#waiting.length = 0
    this.#writer.close()
    this.#gone.abort(new Error('the caller is gone'))
  }

  async #slowDown(turn: Promise<void> | undefined): Promise<void> {
    if (turn === undefined) return
    this.#ahead++
    await turn
    this.#ahead--
    if (!this.gone) this.#admit()
  }

  #receive(chunks: Iterable<Uint8Array>): void {
    if (this.#gone.signal.aborted) return
    try {
      for (const chunk of chunks) this.#waiting.push(...this.#reader.push(chunk))
    } catch (error) {
      // The frames are out of step: nothing more can be read, and no request can be named in a refusal.
      this.abort(messageOf(error))
      return
    }
    this.#admit()
  }

  get #hasRoom(): boolean {
    return this.#requestsInFlight < MAX_IN_FLIGHT_REQUESTS && this.#bytesInFlight < IN_FLIGHT_BYTES
  }

  /** Whether nothing more is to be read for now. */
  get #isFull(): boolean {
    return this.#waiting.length > 0 || !this.#hasRoom || this.#ahead > 0
  }

  #admit(): void {
    let admitted = 0
    for (const frame of this.#waiting) {
      if (!this.#hasRoom) break
      admitted++
      this.#serve(frame)
    }
    this.#waiting.splice(0, admitted)
    this.#holdBack()
  }

  #holdBack(): void {
    // Inside `resume()` a pause would be undone: Yamux would go on granting window to a stream that nobody reads.
    if (this.#resuming) return
    while (this.#stream.readStatus === 'paused' && !this.#isFull) {
      this.#resuming = true
      this.#stream.resume()
      this.#resuming = false
    }
    if (this.#isFull && this.#stream.readStatus === 'readable') this.#stream.pause()
  }

  #serve(frame: Frame): void {
    const reserved = FRAME_COST_BYTES + frame.header.length + frame.body.length
    let request: Request
    try {
      request = decodeRequest(frame.header, frame.body)
    } catch (error) {
      this.#requestsInFlight++
      this.#bytesInFlight += reserved
      this.#reply(frame.requestId, refusal('malformed', messageOf(error)), reserved)
      return
    }
    const cost = reserved + expectedReplyBytes(request)
    this.#requestsInFlight++
    this.#bytesInFlight += cost
    void this.#answerAndReply(frame.requestId, request, cost)
  }

  async #answerAndReply(requestId: number, request: Request, cost: number): Promise<void> {
    this.#reply(requestId, await this.#answer(request), cost)
  }

  async #answer(request: Request): Promise<Reply | Refusal> {
    const service = this.#service()
    if (service === undefined) {
      return refusal('unserved', 'This peer keeps nothing for others.')
    }
    try {
      return await service.handle(this.#caller, request, this.#gone.signal)
    } catch {
      // A service answers failures itself; what it throws is a bug, and none of the caller's business.
      return refusal('internal', 'The node failed.')
    }
  }

  #reply(requestId: number, reply: Reply | Refusal, cost: number): void {
    if (this.#gone.signal.aborted) return
    const parts = encodeFrame(requestId, encodeReply(reply))
    let bytes = 0
    for (const part of parts) bytes += part.length
    this.#bytesInFlight += bytes - cost
    this.#writer.send(parts, () => {
      this.#requestsInFlight--
      this.#bytesInFlight -= bytes
      this.#admit()
    })
  }
}

/** What a request costs in memory beyond its own bytes. */
const FRAME_COST_BYTES = 1024
const LEAF_BYTES = 16 * 1024
/** All heads that a slot can have. */
const SLOT_BYTES = MAX_SLOT_HEADS * MAX_SLOT_RECORD_BYTES

/** Reserved until the reply is known, so that a hundred short requests cannot summon a hundred megabytes. */
function expectedReplyBytes(request: Request): number {
  switch (request.op) {
    case 'hello':
    case 'put':
    case 'have':
    case 'lease':
    case 'drop':
    case 'stat':
    case 'transfer':
    case 'slot-transfer':
      return 0
    case 'get':
      if (request.leaves === undefined) return MAX_BODY_BYTES
      return Math.min(request.leaves.count * LEAF_BYTES, MAX_BODY_BYTES)
    case 'audit':
      return request.leaves.length * LEAF_BYTES
    case 'slot-put':
      return SLOT_BYTES
    case 'slot-get':
      return request.slots.length * SLOT_BYTES
    case 'slot-watch':
      // Held for as long as it waits, and the node lets nobody have many; most replies are a record or none.
      return request.watches.length * MAX_SLOT_RECORD_BYTES
  }
}

const MAX_REFUSAL_CHARACTERS = 200

function refusal(reason: RefusalReason, message: string): Refusal {
  return { op: 'refused', reason, message: message.slice(0, MAX_REFUSAL_CHARACTERS) }
}
