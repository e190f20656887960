import { once } from 'node:events'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { AssertionError, messageOf, systemCodeOf } from '../../foundation/error.ts'
import { CALL_TYPE, packMessage, unpackMessage } from '../../gateway/api/call-message.ts'
import { readToken } from '../../gateway/daemon/token.ts'
import { readDaemon, type DaemonFile } from '../../home/daemon-file.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { mayRepeat } from '../../network/lane.ts'
import type { GridNetwork } from '../../network/open.ts'
import { decodeReply, encodeRequest } from '../../protocol/codec.ts'
import type { Op, ReplyOf, RequestOf } from '../../protocol/messages.ts'
import { RefusedError, UnreachableError } from '../../protocol/network.ts'
import type { NodeKey } from '../../protocol/node-key.ts'

/** As many questions at once as an upload asks; the daemon takes twice as many connections. */
const MAX_CONNECTIONS = 64

/** A command that moves more is worth a host of its own: on the way through the daemon all is copied twice more. */
const OWN_HOST_BYTES = 16 * 1024 * 1024

/** What a command does where the daemon does not serve it. */
export interface Borrower {
  /** Joins the grid for real. */
  readonly openOwn: () => Promise<GridNetwork>
  /** Told once it turns out that this device belongs to the grid no more. */
  readonly onRemoved: () => void
}

/**
 * The connections of this home's daemon, for a command: it neither starts a host nor dials nodes. Should it move much, or the
 * daemon end meanwhile, the command goes on with a host of its own.
 * @returns undefined if no daemon runs
 */
export async function borrowNetwork(
  files: HomeFiles,
  borrower: Borrower,
): Promise<BorrowedNetwork | undefined> {
  const daemon = await readDaemon(files)
  const token = daemon && (await readToken(files))
  if (daemon === undefined || token === undefined) return undefined
  return new BorrowedNetwork(daemon, { ...borrower, token })
}

export class BorrowedNetwork implements GridNetwork {
  readonly #daemon: DaemonFile
  readonly #options: Borrower & { readonly token: string }
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS })
  #opening: Promise<GridNetwork> | undefined
  /** Once it is open. */
  #own: GridNetwork | undefined
  #movedBytes = 0

  constructor(daemon: DaemonFile, options: Borrower & { readonly token: string }) {
    this.#daemon = daemon
    this.#options = options
  }

  get self(): NodeKey {
    return this.#daemon.self
  }

  async call<O extends Op>(
    node: NodeKey,
    request: RequestOf<O>,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ReplyOf<O>> {
    const { signal } = options
    signal?.throwIfAborted()
    if (this.#own !== undefined) return await this.#own.call(node, request, options)
    let answer: Answered
    try {
      const message = packMessage(encodeRequest(request))
      answer = await this.#ask(node, message, signal)
      this.#count(message.length + answer.bytes.length)
    } catch (cause) {
      signal?.throwIfAborted()
      // It ends, or has ended, whatever its file says yet.
      const isAsked = systemCodeOf(cause) !== 'ECONNREFUSED'
      if (isAsked && !mayRepeat(request)) {
        throw new UnreachableError(node, messageOf(cause), { cause })
      }
      return await (await this.#openOwn()).call(node, request, options)
    }
    if (answer.status !== 200) {
      const { code, title } = problemIn(answer.bytes)
      if (code === 'not-a-member') this.#options.onRemoved()
      throw new UnreachableError(node, title)
    }
    const { header, body } = unpackMessage(answer.bytes)
    const reply = decodeReply(request.op as O, header, body)
    if (reply.op === 'refused') throw new RefusedError(node, reply)
    return reply
  }

  addresses(): string[] {
    return []
  }

  knownAddresses(): Map<NodeKey, string[]> {
    return new Map()
  }

  connected(): NodeKey[] {
    return []
  }

  /** What members know is known to the daemon, which has written it down. */
  async catchUp(): Promise<void> {
    await Promise.resolve()
  }

  refusal(): undefined {
    return undefined
  }

  traffic(): { sentBytes: number; receivedBytes: number } {
    return { sentBytes: 0, receivedBytes: 0 }
  }

  limit(): void {
    // The daemon has the limits.
  }

  serve(): never {
    throw unable()
  }

  diagnose(): never {
    throw unable()
  }

  paths(): never {
    throw unable()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy()
    await (await this.#opening?.catch(() => undefined))?.[Symbol.asyncDispose]()
  }

  #count(bytes: number): void {
    this.#movedBytes += bytes
    if (this.#movedBytes < OWN_HOST_BYTES || this.#opening !== undefined) return
    // What is asked meanwhile goes through the daemon, and all of it if this fails.
    this.#openOwn().catch(() => undefined)
  }

  async #openOwn(): Promise<GridNetwork> {
    this.#opening ??= this.#options.openOwn()
    return (this.#own = await this.#opening)
  }

  async #ask(
    node: NodeKey,
    message: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<Answered> {
    const asked = httpRequest({
      host: '127.0.0.1',
      port: this.#daemon.port,
      path: '/v1/grid/call',
      method: 'POST',
      agent: this.#agent,
      ...(signal !== undefined && { signal }),
      headers: {
        authorization: `Bearer ${this.#options.token}`,
        'content-type': CALL_TYPE,
        'content-length': message.length,
        'hayloft-node': node,
      },
    })
    asked.end(message)
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    const bytes = await buffer(response)
    return { status: response.statusCode ?? 0, bytes }
  }
}

interface Answered {
  readonly status: number
  readonly bytes: Uint8Array
}

/** Commands that look at the network itself have a host of their own. */
function unable(): AssertionError {
  return new AssertionError('a borrowed network only calls')
}

function problemIn(bytes: Uint8Array): { title: string; code?: unknown } {
  const unclear = { title: 'the daemon refuses it' }
  try {
    const said = JSON.parse(Buffer.from(bytes).toString('utf8')) as { title?: unknown }
    return typeof said.title === 'string' ? { ...said, title: said.title } : unclear
  } catch {
    return unclear
  }
}
