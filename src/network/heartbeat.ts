import type { Connection, PeerId } from '@libp2p/interface'
import type { Ping, PingComponents, PingInit } from '@libp2p/ping'
import type { Clock } from '../foundation/clock.ts'
import { messageOf } from '../foundation/error.ts'
import { untilAborted, withDeadline } from './deadline.ts'
import { ping } from './libp2p.ts'
import { parsePeerIdText } from './identity.ts'
import type { SignsOfLife } from './signs-of-life.ts'
import type { Internals } from './paths/internals.ts'

/**
 * Finds connections whose other end is gone without a word (a computer that lost its power or its line) and ends them. libp2p
 * can do so with a stream a time, which costs what a small upload does: with nine friends that was most of what an idle node
 * did. Yamux has a message for it.
 */
export class Heartbeat {
  readonly #connections: () => readonly Connection[]
  readonly #clock: Clock
  readonly #signs: SignsOfLife
  #cancel: (() => void) | undefined

  constructor(
    connections: () => readonly Connection[],
    { clock, signs }: { readonly clock: Clock; readonly signs: SignsOfLife },
  ) {
    this.#connections = connections
    this.#clock = clock
    this.#signs = signs
  }

  /** Called by libp2p, as is {@link stop}. */
  start(): void {
    this.#cancel = this.#clock.after(BEAT_INTERVAL_MS, () => {
      for (const connection of this.#connections()) void this.#check(connection)
      this.start()
    })
  }

  stop(): void {
    this.#cancel?.()
  }

  async #check(connection: Connection): Promise<void> {
    const startMs = this.#clock.monotonicMs()
    try {
      connection.rtt = await withDeadline(this.#clock, ANSWER_TIMEOUT_MS, async (signal) =>
        roundTripMs(connection, this.#clock, signal),
      )
    } catch (error) {
      const node = parsePeerIdText(connection.remotePeer.toString())
      if (node !== undefined && this.#signs.isAlive(node, startMs)) return
      connection.abort(new Error(`it does not answer: ${messageOf(error)}`))
    }
  }
}

export function heartbeat(options: {
  readonly clock: Clock
  readonly signs: SignsOfLife
}): (components: object) => Heartbeat {
  return (components) => {
    const { connectionManager } = components as Internals
    return new Heartbeat(() => connectionManager.getConnections(), options)
  }
}

/**
 * libp2p's ping, which answers all and asks by Yamux: what looks after the DHT's table pings whomever it meets, and a command
 * meets all nodes.
 */
export function leanPing(init: PingInit, clock: Clock): (components: object) => Ping {
  const make = ping(init)
  return (components) => {
    const service = make(components as PingComponents)
    const { connectionManager } = components as Internals
    const askByStream = service.ping.bind(service)
    service.ping = async (peer, options = {}) => {
      const [connection] = connectionManager.getConnections(peer as PeerId)
      if (connection === undefined) return await askByStream(peer, options)
      return await roundTripMs(connection, clock, options.signal)
    }
    return service
  }
}

/** Asks whoever is there for a sign of life. @returns how long it took, in milliseconds */
async function roundTripMs(
  connection: Connection,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { muxer } = connection as Muxed
  if (muxer?.ping !== undefined) {
    // Without the signal: to Yamux an answer that comes after it gave up breaks the protocol, and ends the connection.
    const answered = muxer.ping()
    answered.catch(() => undefined)
    return await untilAborted(answered, signal)
  }
  // What has another muxer, as WebRTC does, agrees on a protocol, whichever it may be.
  const startMs = clock.monotonicMs()
  const stream = await connection.newStream(PING, {
    ...(signal && { signal }),
    runOnLimitedConnection: true,
  })
  void stream.close().catch(() => undefined)
  return clock.monotonicMs() - startMs
}

/** A connection that libp2p made, besides what its interface says. */
type Muxed = Connection & {
  readonly muxer?: { ping?: () => Promise<number> }
}

const PING = '/ipfs/ping/1.0.0'
/** A silent peer is found out within a minute; on a busy machine a live one is not mistaken for it. */
export const BEAT_INTERVAL_MS = 20_000
export const ANSWER_TIMEOUT_MS = 15_000
