import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { sha256 } from '../../crypto/hash.ts'
import { equalBytes, toHex, utf8 } from '../../foundation/bytes.ts'
import type { Clock } from '../../foundation/clock.ts'
import type { Randomness } from '../../foundation/randomness.ts'
import { failureOf } from '../failures.ts'
import {
  CALL_TIMEOUT_MS,
  MAX_CALL_BYTES,
  MAX_CALLERS,
  type OperatorCall,
  type OperatorLine,
  type OperatorRequest,
} from './operator-wire.ts'

/** Carries out an order; what it resolves with is the result. */
export type OperatorHandler = (
  request: OperatorRequest,
  context: { readonly emit: (event: unknown) => void; readonly signal: AbortSignal },
) => Promise<unknown>

/** Where a node takes orders from commands of its own user. */
export class OperatorServer implements AsyncDisposable {
  /** 32 bytes as hexadecimal digits; whoever has it may give orders. It ends with this process. */
  readonly key: string
  readonly #server: Server
  readonly #clock: Clock
  readonly #handler: OperatorHandler
  readonly #sockets = new Set<Socket>()
  readonly #closing = new AbortController()

  private constructor(options: { key: string; clock: Clock; handler: OperatorHandler }) {
    this.key = options.key
    this.#clock = options.clock
    this.#handler = options.handler
    this.#server = createServer((socket) => void this.#serve(socket))
    this.#server.maxConnections = MAX_CALLERS
  }

  static async open(
    handler: OperatorHandler,
    { clock, randomness }: { readonly clock: Clock; readonly randomness: Randomness },
  ): Promise<OperatorServer> {
    const server = new OperatorServer({ key: toHex(randomness.bytes(32)), clock, handler })
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('The node is shutting down.'))
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async #serve(socket: Socket): Promise<void> {
    this.#sockets.add(socket)
    const gone = new AbortController()
    socket.on('error', () => undefined)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      gone.abort(new Error('the caller is gone'))
    })
    const signal = AbortSignal.any([gone.signal, this.#closing.signal])
    const cancel = this.#clock.after(CALL_TIMEOUT_MS, () => socket.destroy())
    const call = await readCall(socket)
    cancel()
    if (call === undefined || !this.#isKey(call.key)) {
      socket.destroy()
      return
    }
    const say = (line: OperatorLine): void => {
      if (!socket.destroyed) socket.write(`${JSON.stringify(line)}\n`)
    }
    try {
      // Each event tells all that those before it did: a caller that is slow to read gets fewer.
      const emit = (event: unknown): void => {
        if (!socket.writableNeedDrain) say({ kind: 'event', event })
      }
      say({ kind: 'result', result: await this.#handler(call.request, { emit, signal }) })
    } catch (thrown) {
      const { exit, code, message } = failureOf(thrown)
      say({ kind: 'failure', exit, code, message })
    }
    socket.end()
  }

  /** Compared by their hashes: how long it takes tells nothing of the key. */
  #isKey(given: unknown): boolean {
    return typeof given === 'string' && equalBytes(sha256(utf8(given)), sha256(utf8(this.key)))
  }
}

/** @returns undefined for what is no call */
async function readCall(socket: Socket): Promise<OperatorCall | undefined> {
  let text = ''
  return await new Promise((resolve) => {
    socket.once('close', () => resolve(undefined))
    socket.on('data', (chunk: Buffer) => {
      if (text.length > MAX_CALL_BYTES) return
      text += chunk.toString('utf8')
      const end = text.indexOf('\n')
      if (end >= 0) resolve(parseCall(text.slice(0, end)))
      else if (text.length > MAX_CALL_BYTES) resolve(undefined)
    })
  })
}

function parseCall(line: string): OperatorCall | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && 'key' in value && 'request' in value
      ? (value as OperatorCall)
      : undefined
  } catch {
    return undefined
  }
}
