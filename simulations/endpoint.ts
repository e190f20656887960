import { deferred } from '../src/foundation/concurrency.ts'
import { assert, messageOf } from '../src/foundation/error.ts'
import type { Op, Reply, ReplyOf, Request, RequestOf } from '../src/protocol/messages.ts'
import { RefusedError, UnreachableError } from '../src/protocol/network.ts'
import type { Network, Refusal, StorageService } from '../src/protocol/network.ts'
import type { NodeKey } from '../src/protocol/node-key.ts'
import type { SimulatedNetwork } from './network.ts'

/** One machine's place on the simulated network, and the switches that break it. */
export class SimulatedEndpoint implements Network {
  readonly self: NodeKey
  readonly #network: SimulatedNetwork
  #service: StorageService | undefined
  #state: 'up' | 'down' | 'closed' = 'up'
  /** What waits for a frozen machine to thaw; undefined while it is not frozen. */
  #frozen: (() => void)[] | undefined

  constructor(network: SimulatedNetwork, self: NodeKey) {
    this.#network = network
    this.self = self
  }

  get isUp(): boolean {
    return this.#state === 'up'
  }

  get isFrozen(): boolean {
    return this.#frozen !== undefined
  }

  serve(service: StorageService): void {
    assert(this.#service === undefined, 'one service a network')
    this.#service = service
  }

  async call<O extends Op>(
    node: NodeKey,
    request: RequestOf<O>,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ReplyOf<O>> {
    signal?.throwIfAborted()
    if (this.#state !== 'up') throw new UnreachableError(node, 'this network is closed')
    const outcome = deferred<Reply | Refusal>()
    const onAbort = (): void => {
      outcome.reject(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      this.#network.connection(this.self, node).send(request, outcome)
      const reply = await outcome.promise
      if (reply.op === 'refused') throw new RefusedError(node, reply)
      // The codec has checked that the reply is of the request's kind.
      return reply
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Runs when a request has arrived. Never rejects: a service that does has a bug, which the trace tells. */
  async answer(caller: NodeKey, request: Request, signal: AbortSignal): Promise<Reply | Refusal> {
    if (this.#service === undefined) {
      return { op: 'refused', reason: 'unserved', message: 'This node stores nothing for others.' }
    }
    try {
      return await this.#service.handle(caller, request, signal)
    } catch (error) {
      this.#network.onServiceFailure(this.self, error)
      return { op: 'refused', reason: 'internal', message: messageOf(error) }
    }
  }

  /** Does `action` when this machine runs: at once, or after it has thawed. */
  whenRunning(action: () => void): void {
    if (this.#frozen === undefined) action()
    else this.#frozen.push(action)
  }

  /** Notes what befell the machine. */
  note(text: string): void {
    this.#network.note(`! ${this.self.slice(0, 6)} ${text}`)
  }

  /** Something happened to the machine that excuses what it does next. */
  disturb(): void {
    this.#network.onDisturbance(this.self)
  }

  /** The process is gone, and with it every connection; its machine refuses new ones. */
  crash(): void {
    this.#state = 'down'
    this.#service = undefined
    this.#frozen = undefined
    this.#network.onDisturbance(this.self)
    this.#network.disconnect(this.self, 'the process ended')
  }

  /** A new process takes the place; it serves nothing yet. */
  restart(): void {
    assert(this.#state === 'down', 'only what is down is started')
    this.#state = 'up'
    this.#network.onDisturbance(this.self)
  }

  /** Stops taking anything in, like a stopped process: connections stay, nobody answers. */
  freeze(): void {
    this.#frozen ??= []
    this.#network.onDisturbance(this.self)
  }

  /** Goes on where it stopped, with all that has arrived meanwhile. */
  thaw(): void {
    const waiting = this.#frozen ?? []
    this.#frozen = undefined
    this.#network.onDisturbance(this.self)
    for (const action of waiting) action()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#service = undefined
    this.#network.disconnect(this.self, 'this network is closed')
  }
}
