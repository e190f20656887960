import { createServer } from 'node:net'
import { once } from 'node:events'
import type { Connection, MultiaddrConnection, PeerId, Stream, Upgrader } from '@libp2p/interface'
import type { Clock } from '../../foundation/clock.ts'
import { sleep } from '../../foundation/clock.ts'
import { messageOf } from '../../foundation/error.ts'
import { withDeadline } from '../deadline.ts'
import { multiaddr } from '../libp2p.ts'
import { parseAddress, scopeOf, tcpAddress } from './addresses.ts'
import type { Internals } from './internals.ts'
import { MAX_LAN_ADDRESSES, OBSERVE_TIMEOUT_MS, PUNCH_TIMEOUT_MS } from './limits.ts'
import { ask } from './observer.ts'
import { markPassing, markPunched, pathKindOf } from './path.ts'
import { PunchTalk } from './punch-talk.ts'
import type { SocketAddress } from './stun.ts'

export interface PuncherOptions {
  readonly protocol: string
  readonly observeProtocol: string
  readonly internals: Internals
  readonly clock: Clock
  readonly isMember: (connection: Connection) => boolean
  /** Direct connections to members that tell where they see us, the best first. */
  readonly observers: () => readonly Connection[]
}

/**
 * TCP hole punching: both sides send their SYN at the same moment, each to the address that an observer has seen the
 * other's socket at, so that either router takes what arrives for an answer. TCP calls it a simultaneous open. It works
 * where routers give a socket the same address towards everybody.
 *
 * Binds a local port for two sockets, which is verified on Linux only; where the system refuses, punching fails.
 */
export class Puncher {
  readonly #options: PuncherOptions
  /** Peers that this side, or the other, has begun to punch to. */
  readonly #begun = new Set<string>()
  readonly #answered = new Set<string>()

  constructor(options: PuncherOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { internals, protocol, isMember } = this.#options
    await internals.registrar.handle(
      protocol,
      (stream, connection) => {
        if (!isMember(connection) || pathKindOf(connection) !== 'relayed') {
          stream.abort(new Error('not served'))
          return
        }
        void this.#respond(stream, connection)
      },
      { maxInboundStreams: 1, runOnLimitedConnection: true },
    )
  }

  /**
   * @param relayed - a connection through a relay to whom a better one is wanted
   * @throws whatever goes wrong: no observer, no answer, routers that do not let it through
   */
  async punch(relayed: Connection): Promise<Connection> {
    if (this.#answered.has(relayed.remotePeer.toString())) throw new Error(ALREADY)
    return await alone(this.#begun, relayed.remotePeer, async () => {
      const { clock, internals } = this.#options
      await using hole = await this.#openHole()
      return await withDeadline(clock, OBSERVE_TIMEOUT_MS + PUNCH_TIMEOUT_MS, async (signal) => {
        const stream = await relayed.newStream(this.#options.protocol, {
          signal,
          runOnLimitedConnection: true,
        })
        const talk = new PunchTalk(stream, signal)
        try {
          await talk.say({ kind: 'addresses', seen: hole.seen, lan: lanAddresses(internals) })
          const theirs = await talk.hear('addresses')
          if (theirs.seen.host === hole.seen.host && theirs.lan.length > 0) {
            return await this.#dialLan(relayed.remotePeer, theirs.lan, signal)
          }
          const startedMs = clock.monotonicMs()
          await talk.say({ kind: 'ready' })
          await talk.hear('ready')
          const roundTripMs = clock.monotonicMs() - startedMs
          await talk.say({ kind: 'go' })
          // "go" takes half a round trip to get there.
          await sleep(clock, roundTripMs / 2, signal)
          return await this.#connect(relayed.remotePeer, theirs.seen, { hole, initiator: true })
        } finally {
          stream.abort(new Error('done'))
        }
      })
    })
  }

  async #respond(stream: Stream, relayed: Connection): Promise<void> {
    const { clock, internals } = this.#options
    try {
      // Both have begun at once: one must give way, and both must know which.
      const own = internals.peerId.toString()
      const other = relayed.remotePeer.toString()
      if (this.#begun.has(other) && own < other) throw new Error(ALREADY)
      await alone(this.#answered, relayed.remotePeer, async () =>
        withDeadline(clock, 2 * OBSERVE_TIMEOUT_MS + PUNCH_TIMEOUT_MS, async (signal) => {
          const talk = new PunchTalk(stream, signal)
          const theirs = await talk.hear('addresses')
          await using hole = await this.#openHole()
          await talk.say({ kind: 'addresses', seen: hole.seen, lan: lanAddresses(internals) })
          await talk.hear('ready')
          await talk.say({ kind: 'ready' })
          await talk.hear('go')
          return await this.#connect(relayed.remotePeer, theirs.seen, { hole, initiator: false })
        }),
      )
    } catch {
      // The other side sees that it failed, and it is the one that tries again.
    } finally {
      stream.abort(new Error('done'))
    }
  }

  /** A local port whose address on the internet is known, kept open by the connection that it was learnt through. */
  async #openHole(): Promise<Hole> {
    const { observers, observeProtocol, clock } = this.#options
    let why: unknown = new Error('no member that is reachable can tell where it sees us')
    for (const observer of observers().slice(0, MAX_OBSERVERS_ASKED)) {
      try {
        const localPort = await freePort()
        const connection = await this.#dialFrom(localPort, observer)
        try {
          const question = { kind: 'where-am-i' } as const
          const { seen } = await ask<'where-am-i'>(connection, question, {
            protocol: observeProtocol,
            clock,
          })
          return {
            localPort,
            seen,
            [Symbol.asyncDispose]: async () => {
              connection.abort(new Error('done'))
              await Promise.resolve()
            },
          }
        } catch (error) {
          connection.abort(error as Error)
          throw error
        }
      } catch (error) {
        why = error
      }
    }
    throw why
  }

  /** A connection of its own to an observer, from a certain port, in the way a punched one is going to be made. */
  async #dialFrom(localPort: number, { remoteAddr, remotePeer }: Connection): Promise<Connection> {
    const address = parseAddress(remoteAddr.toString())
    if (address === undefined) throw new Error('the observer has no TCP address')
    const target = multiaddr(
      `${tcpAddress(address.host, address.port)}/p2p/${remotePeer.toString()}`,
    )
    const connection = await withDeadline(this.#options.clock, OBSERVE_TIMEOUT_MS, (signal) =>
      this.#options.internals.transportManager.dial(target, { signal, localPort } as DialOptions),
    )
    markPassing(connection)
    return connection
  }

  async #dialLan(peer: PeerId, lan: readonly string[], signal: AbortSignal): Promise<Connection> {
    let why: unknown
    for (const address of lan) {
      try {
        const target = multiaddr(`${address}/p2p/${peer.toString()}`)
        return await this.#options.internals.transportManager.dial(target, { signal })
      } catch (error) {
        why = error
      }
    }
    throw why
  }

  /** Connects again and again until the other's SYN has opened its router, or the time is up. */
  async #connect(
    peer: PeerId,
    seen: SocketAddress,
    { hole, initiator }: { readonly hole: Hole; readonly initiator: boolean },
  ): Promise<Connection> {
    if (scopeOf(seen.host) !== 'public')
      throw new Error('the peer names an address that is not the internet’s')
    const { clock, internals } = this.#options
    const target = multiaddr(`${tcpAddress(seen.host, seen.port)}/p2p/${peer.toString()}`)
    const transport = internals.transportManager.dialTransportForMultiaddr(target)
    if (transport === undefined) throw new Error('TCP is not there')
    const upgrader = upgraderFor(internals.upgrader, initiator)
    return await withDeadline(clock, PUNCH_TIMEOUT_MS, async (signal) => {
      for (;;) {
        try {
          const options = { localPort: hole.localPort, initiator, upgrader, signal }
          const connection = await transport.dial(target, options as DialOptions & typeof options)
          return connection
        } catch (error) {
          if (signal.aborted || !WORTH_REPEATING.test(messageOf(error))) throw error
          await sleep(clock, REPEAT_DELAY_MS, signal)
        }
      }
    })
  }
}

interface Hole extends AsyncDisposable {
  readonly localPort: number
  readonly seen: SocketAddress
}

/** What the transport for TCP takes besides what its interface says. */
type DialOptions = { readonly signal: AbortSignal; readonly localPort: number }

/** One attempt a peer at a time. */
async function alone<T>(underway: Set<string>, peer: PeerId, work: () => Promise<T>): Promise<T> {
  const name = peer.toString()
  if (underway.has(name)) throw new Error(ALREADY)
  underway.add(name)
  try {
    return await work()
  } finally {
    underway.delete(name)
  }
}

const ALREADY = 'a punch to this peer is under way already'
const MAX_OBSERVERS_ASKED = 3
/** Short beside the seconds that a router remembers a SYN, long enough not to burn a core. */
const REPEAT_DELAY_MS = 40
const WORTH_REPEATING = /ECONNREFUSED|ECONNRESET|EADDRNOTAVAIL|EADDRINUSE|EHOSTUNREACH|EPIPE/

/**
 * Both sides connected, so that neither was called. One plays the part of whoever was, for Noise, for the choice of
 * protocols, and for Yamux, which takes it from the direction of what lies below.
 */
function upgraderFor(upgrader: Upgrader, initiator: boolean): Upgrader {
  return {
    upgradeOutbound: async (below: MultiaddrConnection, options: object) => {
      if (!initiator)
        (below as { direction: MultiaddrConnection['direction'] }).direction = 'inbound'
      const connection = await upgrader.upgradeOutbound(below, {
        ...options,
        initiator,
      } as Parameters<Upgrader['upgradeOutbound']>[1])
      markPunched(connection)
      return connection
    },
  } as Upgrader
}

function lanAddresses({ addressManager }: Internals): string[] {
  const own = addressManager
    .getAddresses()
    .map((address) => address.toString().replace(/\/p2p\/[^/]+$/, ''))
  return own
    .map(parseAddress)
    .filter((address) => address?.kind === 'direct' && address.scope === 'private')
    .flatMap((address) => address?.text ?? [])
    .slice(0, MAX_LAN_ADDRESSES)
}

/** Free a moment ago; another program may in theory be quicker. */
async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0)
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
