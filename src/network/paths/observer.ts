import { createSocket } from 'node:dgram'
import { isIPv4 } from 'node:net'
import type { Connection, Stream } from '@libp2p/interface'
import type { Clock } from '../../foundation/clock.ts'
import { withDeadline } from '../deadline.ts'
import { lpStream, multiaddr } from '../libp2p.ts'
import { parseAddress, tcpAddress } from './addresses.ts'
import type { Internals } from './internals.ts'
import {
  DIAL_BACK_TIMEOUT_MS,
  MAX_DIALS_BACK,
  MAX_OBSERVE_STREAMS,
  MAX_SIGNAL_BYTES,
  OBSERVE_TIMEOUT_MS,
} from './limits.ts'
import {
  decodeAnswer,
  decodeQuestion,
  encodeAnswer,
  encodeQuestion,
  type Answer,
  type Question,
} from './observe-codec.ts'
import { markPassing, pathKindOf } from './path.ts'
import type { SocketAddress } from './stun.ts'

/** How a member looks from outside: it asks those that are there. */
export interface ObserverOptions {
  readonly protocol: string
  readonly internals: Internals
  readonly clock: Clock
  readonly isMember: (connection: Connection) => boolean
  /** Where STUN is answered; undefined while it is not. */
  readonly stunPort: () => number | undefined
}

/** Answers members what it sees of them. Acts upon the address of the caller only, so nobody can be aimed at others. */
export class Observer {
  readonly #options: ObserverOptions
  #dialsBack = 0
  #serving = false

  constructor(options: ObserverOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    if (this.#serving) return
    this.#serving = true
    const { internals, protocol, isMember } = this.#options
    await internals.registrar.handle(
      protocol,
      (stream, connection) => {
        if (!isMember(connection) || pathKindOf(connection) !== 'direct') {
          stream.abort(new Error('not served'))
          return
        }
        void this.#serve(stream, connection)
      },
      { maxInboundStreams: MAX_OBSERVE_STREAMS },
    )
  }

  async stop(): Promise<void> {
    if (!this.#serving) return
    this.#serving = false
    await this.#options.internals.registrar.unhandle(this.#options.protocol)
  }

  async #serve(stream: Stream, connection: Connection): Promise<void> {
    try {
      await withDeadline(this.#options.clock, 2 * OBSERVE_TIMEOUT_MS, async (signal) => {
        const messages = lpStream(stream, { maxDataLength: MAX_SIGNAL_BYTES })
        const question = decodeQuestion((await messages.read({ signal })).subarray())
        const answer = await this.#answer(question, connection)
        await messages.write(encodeAnswer(answer), { signal })
        await stream.close({ signal })
      })
    } catch (error) {
      stream.abort(error as Error)
    }
  }

  async #answer(question: Question, connection: Connection): Promise<Answer> {
    const seen = socketAddressOf(connection)
    switch (question.kind) {
      case 'where-am-i':
        return {
          kind: 'where-am-i',
          seen,
          stunPort: this.#options.stunPort(),
          timeMs: this.#options.clock.nowMs(),
        }
      case 'dial-back':
        return { kind: 'dial-back', reached: await this.#dialBack(connection, question.port) }
      case 'send-datagram':
        await sendDatagram(question.token, { host: seen.host, port: question.port })
        return { kind: 'send-datagram' }
    }
  }

  /** Connects anew and proves who answers there: some other program at that port would not do. */
  async #dialBack(connection: Connection, port: number): Promise<boolean> {
    if (this.#dialsBack >= MAX_DIALS_BACK) throw new Error('too many dials back at once')
    const { host } = socketAddressOf(connection)
    const target = multiaddr(`${tcpAddress(host, port)}/p2p/${connection.remotePeer.toString()}`)
    this.#dialsBack++
    try {
      const back = await withDeadline(this.#options.clock, DIAL_BACK_TIMEOUT_MS, async (signal) => {
        const reached = await this.#options.internals.transportManager.dial(target, { signal })
        markPassing(reached)
        return reached
      })
      // The caller may take it for a path until it learns that it ends.
      back.abort(new Error('it was only to see whether you can be reached'))
      return true
    } catch {
      return false
    } finally {
      this.#dialsBack--
    }
  }
}

/** Asks over an open connection. @throws whatever libp2p throws, MalformedMessageError */
export async function ask<K extends Question['kind']>(
  connection: Connection,
  question: Extract<Question, { kind: K }>,
  { protocol, clock }: { readonly protocol: string; readonly clock: Clock },
): Promise<Extract<Answer, { kind: K }>> {
  return await withDeadline(clock, 2 * OBSERVE_TIMEOUT_MS, async (signal) => {
    const stream = await connection.newStream(protocol, { signal })
    try {
      const messages = lpStream(stream, { maxDataLength: MAX_SIGNAL_BYTES })
      await messages.write(encodeQuestion(question), { signal })
      const answer = decodeAnswer((await messages.read({ signal })).subarray())
      if (answer.kind !== question.kind) throw new Error('the observer answered something else')
      await stream.close({ signal })
      return answer as Extract<Answer, { kind: K }>
    } catch (error) {
      stream.abort(error as Error)
      throw error
    }
  })
}

/** @throws Error if the connection is not one of TCP */
export function socketAddressOf(connection: Connection): SocketAddress {
  const address = parseAddress(connection.remoteAddr.toString())
  if (address === undefined) throw new Error('the peer has no TCP address')
  return { host: address.host.replace(/^::ffff:/, ''), port: address.port }
}

/** From a port that the receiver's router has not seen yet. One datagram: it may get lost. */
async function sendDatagram(token: Uint8Array, { host, port }: SocketAddress): Promise<void> {
  const socket = createSocket(isIPv4(host) ? 'udp4' : 'udp6')
  socket.on('error', () => undefined)
  await new Promise<void>((resolve) => {
    socket.send(token, port, host, () => {
      socket.close(() => {
        resolve()
      })
    })
  })
}
