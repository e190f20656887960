import { manyListeners } from '../src/foundation/abort.ts'
import type { Deferred } from '../src/foundation/concurrency.ts'
import { HayloftError } from '../src/foundation/error.ts'
import { MalformedMessageError } from '../src/protocol/cbor.ts'
import {
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  type WireMessage,
} from '../src/protocol/codec.ts'
import { frameBytes, FrameReader, type Frame } from '../src/protocol/framing.ts'
import type { Op, Reply, Request } from '../src/protocol/messages.ts'
import { UnreachableError, type Refusal } from '../src/protocol/network.ts'
import type { NodeKey } from '../src/protocol/node-key.ts'
import {
  CONNECT_TIMEOUT_MS,
  SMALL_MESSAGE_BYTES,
  randomChunks,
  SILENCE_NOTICED_MS,
} from './link.ts'
import type { SimulatedNetwork } from './network.ts'

/** Requests of one connection being served, as many as the real network allows. */
const MAX_SERVED_AT_ONCE = 128

/** The pipelined requests of one caller to one node, for as long as both ends hold the connection for good. */
export class SimulatedConnection {
  readonly caller: NodeKey
  readonly node: NodeKey
  readonly #network: SimulatedNetwork
  readonly #pending = new Map<number, { op: Op; outcome: Deferred<Reply | Refusal> }>()
  readonly #gone = manyListeners(new AbortController())
  readonly #requestReader = new FrameReader()
  readonly #replyReader = new FrameReader()
  readonly #lanes = {
    request: { small: { freeAtMs: 0 }, bulk: { freeAtMs: 0 } },
    reply: { small: { freeAtMs: 0 }, bulk: { freeAtMs: 0 } },
  }
  readonly #waiting: (() => void)[] = []
  #serving = 0
  #nextId = 1
  #state: 'open' | 'silent' | 'broken' = 'open'

  constructor(network: SimulatedNetwork, caller: NodeKey, node: NodeKey) {
    this.#network = network
    this.caller = caller
    this.node = node
  }

  get isOpen(): boolean {
    return this.#state !== 'broken'
  }

  get isSilent(): boolean {
    return this.#state === 'silent'
  }

  /** Sends one request; `outcome` is settled by its reply or by what becomes of the connection. */
  send(request: Request, outcome: Deferred<Reply | Refusal>): void {
    const requestId = this.#nextId++
    this.#pending.set(requestId, { op: request.op, outcome })
    const target = this.#network.endpoint(this.node)
    if (target === undefined || !target.isUp) {
      const { latencyMs } = this.#network.link(this.caller, this.node)
      this.#network.clock.after(2 * latencyMs, () => {
        this.break('nobody listens there')
      })
      return
    }
    if (this.#network.isCut(this.caller, this.node) && this.#pending.size === 1) {
      this.#network.clock.after(CONNECT_TIMEOUT_MS, () => {
        if (this.#state === 'silent') this.break('the connection attempt timed out')
      })
    }
    const bytes = frameBytes(requestId, encodeRequest(request))
    this.#network.traffic.countRequest(this.node, request.op, bytes.length)
    this.#network.note(`${short(this.caller)} > ${short(this.node)} ${request.op} ${bytes.length}`)
    this.#transfer(bytes, 'request', () => {
      target.whenRunning(() => {
        this.#receive(this.#requestReader, bytes, (frame) => {
          this.#admit(() => this.#serve(frame, request.op))
        })
      })
    })
  }

  /** Ends the connection; the caller's requests fail and the node's work for them is told. */
  break(why: string): void {
    if (this.#state === 'broken') return
    this.#state = 'broken'
    this.#network.onDisturbance(this.node)
    this.#network.note(`${short(this.caller)} x ${short(this.node)} ${why}`)
    for (const { outcome } of this.#pending.values()) {
      outcome.reject(new UnreachableError(this.node, why))
    }
    this.#pending.clear()
    this.#gone.abort(new UnreachableError(this.caller, why))
  }

  /** Serves at most so many at once, as a node does that stops reading its stream. */
  #admit(serve: () => Promise<void>): void {
    if (this.#serving >= MAX_SERVED_AT_ONCE) {
      this.#waiting.push(() => {
        this.#admit(serve)
      })
      return
    }
    this.#serving++
    void serve().finally(() => {
      this.#serving--
      this.#waiting.shift()?.()
    })
  }

  async #serve({ requestId, header, body }: Frame, op: Op): Promise<void> {
    const message = await this.#replyTo(header, body)
    if (this.#state === 'broken') return
    const bytes = frameBytes(requestId, message)
    this.#network.endpoint(this.node)?.whenRunning(() => {
      this.#network.traffic.countReply(this.node, op, bytes.length)
      this.#network.note(`${short(this.caller)} < ${short(this.node)} ${op} ${bytes.length}`)
      this.#transfer(bytes, 'reply', () => {
        this.#network.endpoint(this.caller)?.whenRunning(() => {
          this.#receive(this.#replyReader, bytes, (frame) => {
            this.#settle(frame)
          })
        })
      })
    })
  }

  async #replyTo(header: Uint8Array, body: Uint8Array): Promise<WireMessage> {
    let request: Request
    try {
      request = decodeRequest(header, body)
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error
      return encodeReply({ op: 'refused', reason: 'malformed', message: error.message })
    }
    const endpoint = this.#network.endpoint(this.node)
    if (endpoint === undefined) throw new Error('a request arrived where nobody is')
    return encodeReply(await endpoint.answer(this.caller, request, this.#gone.signal))
  }

  #settle({ requestId, header, body }: Frame): void {
    const call = this.#pending.get(requestId)
    if (call === undefined) return
    this.#pending.delete(requestId)
    try {
      call.outcome.resolve(decodeReply(call.op, header, body))
    } catch (error) {
      if (!(error instanceof HayloftError)) throw error
      call.outcome.reject(
        new UnreachableError(this.node, 'it broke the protocol', { cause: error }),
      )
    }
  }

  #receive(reader: FrameReader, bytes: Uint8Array, take: (frame: Frame) => void): void {
    if (this.#state === 'broken') return
    try {
      for (const chunk of randomChunks(this.#network.randomness, bytes)) {
        for (const frame of reader.push(chunk)) take(frame)
      }
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error
      this.break('a frame broke the protocol')
    }
  }

  /** Carries `bytes` to the other end, which then does `deliver`; or loses them. */
  #transfer(bytes: Uint8Array, direction: 'request' | 'reply', deliver: () => void): void {
    const lane = this.#lanes[direction][bytes.length > SMALL_MESSAGE_BYTES ? 'bulk' : 'small']
    const line = this.#network.line(this.caller, direction === 'request' ? 'up' : 'down')
    if (line === undefined) this.#transmit(bytes, lane, deliver)
    else
      line.carry(lane, bytes.length, () => {
        this.#transmit(bytes, lane, deliver)
      })
  }

  #transmit(bytes: Uint8Array, lane: { freeAtMs: number }, deliver: () => void): void {
    const { clock, randomness } = this.#network
    const link = this.#network.link(this.caller, this.node)
    const startMs = Math.max(clock.monotonicMs(), lane.freeAtMs)
    lane.freeAtMs = startMs + bytes.length / link.bytesPerMs
    const delayMs = lane.freeAtMs + link.latencyMs - clock.monotonicMs()
    if (link.breakChance > 0 && randomness.chance(link.breakChance)) {
      this.#network.onDisturbance(this.node)
      clock.after(delayMs, () => {
        this.break('the connection was reset')
      })
      return
    }
    if (link.stallChance > 0 && randomness.chance(link.stallChance)) this.#fallSilent()
    clock.after(delayMs, () => {
      if (this.#network.isCut(this.caller, this.node)) this.#fallSilent()
      if (this.#state === 'open') deliver()
    })
  }

  #fallSilent(): void {
    if (this.#state !== 'open') return
    this.#state = 'silent'
    this.#network.onDisturbance(this.node)
    this.#network.clock.after(SILENCE_NOTICED_MS, () => {
      this.break('it stopped answering')
    })
  }
}

/** Enough of a key to tell a simulation's nodes apart. */
function short(key: NodeKey): string {
  return key.slice(0, 6)
}
