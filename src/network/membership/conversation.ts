import type { Stream } from '@libp2p/interface'
import { allocateBytes, concatBytes, viewOf } from '../../foundation/bytes.ts'
import type { Clock } from '../../foundation/clock.ts'
import { deferred, type Deferred } from '../../foundation/concurrency.ts'
import { MalformedMessageError } from '../../protocol/cbor.ts'
import { withDeadline } from '../deadline.ts'
import { chunksOf } from '../frame-writer.ts'
import { MESSAGE_TIMEOUT_MS } from './limits.ts'

export interface ConversationOptions {
  readonly maxMessageBytes: number
  readonly clock: Clock
}

/**
 * Two peers who speak in turn over one stream: `u32 length ‖ message`, big-endian. Either side holds one message at most:
 * a peer that sends another one before it was answered breaks the protocol, and one that does not read is waited for
 * {@link MESSAGE_TIMEOUT_MS} and no longer.
 */
export class Conversation {
  readonly #stream: Stream
  readonly #options: ConversationOptions
  readonly #prefix = allocateBytes(PREFIX_BYTES)
  #filled = 0
  #message: Uint8Array | undefined
  #arrived: Uint8Array | undefined
  #waiting: Deferred<Uint8Array | undefined> | undefined
  /** Set once nothing more comes: in good order, or with what broke. */
  #ended: { readonly error: Error | undefined } | undefined

  constructor(stream: Stream, options: ConversationOptions) {
    this.#stream = stream
    this.#options = options
    stream.addEventListener('message', ({ data }) => {
      this.#receive(chunksOf(data))
    })
    stream.addEventListener('remoteCloseWrite', () => {
      const isCut = this.#filled > 0 || this.#message !== undefined
      this.#end(isCut ? new MalformedMessageError('A message was cut short.') : undefined)
    })
    stream.addEventListener('close', ({ error }) => {
      this.#end(error ?? new Error('the stream was closed'))
    })
    if (stream.status !== 'open') this.#end(new Error('the stream was closed'))
  }

  /** Sends a message and waits for its answer. @throws MalformedMessageError; Error if the peer is gone or silent */
  async ask(message: Uint8Array): Promise<Uint8Array> {
    await this.send(message)
    const answer = await this.receive()
    if (answer === undefined) throw new Error('it ended the conversation')
    return answer
  }

  /** Resolves once the stream has taken the message. */
  async send(message: Uint8Array): Promise<void> {
    const prefix = allocateBytes(PREFIX_BYTES)
    viewOf(prefix).setUint32(0, message.length)
    if (this.#stream.send(concatBytes([prefix, message]))) return
    await withDeadline(this.#options.clock, MESSAGE_TIMEOUT_MS, async (signal) => {
      await new Promise<void>((resolve, reject) => {
        // Not `onDrain()`: libp2p arms its promise once only.
        this.#stream.addEventListener('drain', () => resolve(), { once: true, signal })
        this.#stream.addEventListener('close', () => reject(new Error('the stream was closed')), {
          once: true,
          signal,
        })
        if (this.#stream.status !== 'open') reject(new Error('the stream was closed'))
      })
    })
  }

  /** The next message; undefined if the peer has none left. @throws as {@link ask} */
  async receive(): Promise<Uint8Array | undefined> {
    const arrived = this.#arrived
    if (arrived !== undefined) {
      this.#arrived = undefined
      return arrived
    }
    if (this.#ended !== undefined) {
      if (this.#ended.error === undefined) return undefined
      throw this.#ended.error
    }
    this.#waiting ??= deferred<Uint8Array | undefined>()
    const { promise } = this.#waiting
    return await withDeadline(this.#options.clock, MESSAGE_TIMEOUT_MS, async () => await promise)
  }

  /** Ends it in good order: what was sent arrives. */
  async close(): Promise<void> {
    await withDeadline(this.#options.clock, MESSAGE_TIMEOUT_MS, async (signal) => {
      await this.#stream.close({ signal })
    }).catch((error: unknown) => {
      this.abort(error)
    })
  }

  abort(why: unknown): void {
    const error = why instanceof Error ? why : new Error(String(why))
    this.#end(error)
    this.#stream.abort(error)
  }

  #receive(chunks: Iterable<Uint8Array>): void {
    if (this.#ended !== undefined) return
    try {
      for (const chunk of chunks) this.#take(chunk)
    } catch (error) {
      this.abort(error)
    }
  }

  #take(chunk: Uint8Array): void {
    let rest = chunk
    while (rest.length > 0) {
      if (this.#message === undefined) {
        const taken = rest.subarray(0, PREFIX_BYTES - this.#filled)
        this.#prefix.set(taken, this.#filled)
        this.#filled += taken.length
        rest = rest.subarray(taken.length)
        if (this.#filled === PREFIX_BYTES) this.#begin(viewOf(this.#prefix).getUint32(0))
        continue
      }
      const taken = rest.subarray(0, this.#message.length - this.#filled)
      this.#message.set(taken, this.#filled)
      this.#filled += taken.length
      rest = rest.subarray(taken.length)
      if (this.#filled === this.#message.length) this.#deliver(this.#message)
    }
  }

  #begin(bytes: number): void {
    // The length is refused before it costs memory.
    if (bytes < 1 || bytes > this.#options.maxMessageBytes) {
      throw new MalformedMessageError('A message is larger than the protocol allows.')
    }
    if (this.#arrived !== undefined) {
      throw new MalformedMessageError('A message came before the last one was answered.')
    }
    this.#message = allocateBytes(bytes)
    this.#filled = 0
  }

  #deliver(message: Uint8Array): void {
    this.#message = undefined
    this.#filled = 0
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting === undefined) this.#arrived = message
    else waiting.resolve(message)
  }

  #end(error: Error | undefined): void {
    if (this.#ended !== undefined) return
    this.#ended = { error }
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting === undefined) return
    if (error === undefined) waiting.resolve(undefined)
    else waiting.reject(error)
  }
}

const PREFIX_BYTES = 4
