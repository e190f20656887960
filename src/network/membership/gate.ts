import type { Connection, ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface'
import type { Clock } from '../../foundation/clock.ts'
import { assert } from '../../foundation/error.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { parsePeerIdText } from '../identity.ts'
import {
  MAX_STRANGER_BYTES,
  MAX_STRANGER_STREAMS,
  MAX_STRANGER_STREAMS_EVER,
  MAX_STRANGERS,
  MAX_STRANGERS_PER_ADDRESS,
  STRANGER_LIFETIME_MS,
} from './limits.ts'
import { visitorAddress, Visitors } from './visitors.ts'

export interface GateOptions {
  /** Asked again for every connection and stream, so the answer may change. */
  readonly isMember: (key: NodeKey) => boolean
  /** The one protocol that strangers may use; undefined where they may use none. */
  readonly joinProtocol: string | undefined
  readonly clock: Clock
}

/**
 * Decides what peers may do, in both directions. Members may do everything. Strangers may come in, few and not for long,
 * and find that this host speaks the join protocol only; nobody here dials them or opens a stream to them.
 */
export class Gate {
  readonly #options: GateOptions
  readonly #visitors: Visitors
  /** Ends the wait of connections whose peer is not known yet. */
  readonly #entering = new WeakMap<MultiaddrConnection, () => void>()
  readonly #strangers = new Map<MultiaddrConnection, Stranger>()

  constructor(options: GateOptions) {
    this.#options = options
    this.#visitors = new Visitors(options.clock)
  }

  /** For libp2p, which asks before a dial, when a connection comes in, and when Noise has proven who the peer is. */
  gater(): ConnectionGater {
    const isStranger = (peer: PeerId): boolean => !this.#isMember(peer)
    return {
      denyDialPeer: isStranger,
      denyOutboundEncryptedConnection: isStranger,
      denyInboundConnection: (raw) => !this.#enter(raw),
      denyInboundEncryptedConnection: (peer, raw) => !this.#admit(peer, raw),
      // Members relay for members. Whom a member's relay brings is judged like anybody, once Noise knows who it is.
      denyInboundRelayReservation: isStranger,
      denyOutboundRelayedConnection: (source, destination) =>
        isStranger(source) || isStranger(destination),
      denyInboundRelayedConnection: (relay) => isStranger(relay),
      filterMultiaddrForPeer: (peer) => !isStranger(peer),
    }
  }

  /**
   * A service for libp2p, to be the first of all: what opens streams on a new connection then finds it closed already
   * where the peer is a stranger.
   */
  service(): (components: GateComponents) => object {
    // Taken one by one: libp2p's components are a proxy that cannot be spread.
    return ({ events, registrar, peerStore, metrics }) => {
      events.addEventListener('connection:open', ({ detail }) => {
        this.#confine(detail as GuardedConnection, { registrar, peerStore, metrics })
      })
      return {}
    }
  }

  /** Whether the connection is that of a stranger who is here for a moment. */
  isOnProbation(connection: Connection): boolean {
    return this.#strangers.has((connection as GuardedConnection).maConn)
  }

  /** The stranger has become a member, and may stay. */
  release(connection: Connection): void {
    const stranger = this.#strangers.get((connection as GuardedConnection).maConn)
    if (stranger !== undefined) this.#forget(stranger)
  }

  close(): void {
    for (const stranger of this.#strangers.values()) this.#forget(stranger)
  }

  #isMember(peer: PeerId): boolean {
    const key = parsePeerIdText(peer.toString())
    return key !== undefined && this.#options.isMember(key)
  }

  #enter(raw: MultiaddrConnection): boolean {
    const leave = this.#visitors.enter(visitorAddress(raw.remoteAddr.toString()))
    if (leave === undefined) return false
    this.#entering.set(raw, leave)
    raw.addEventListener('close', leave, { once: true })
    return true
  }

  #admit(peer: PeerId, raw: MultiaddrConnection): boolean {
    this.#entering.get(raw)?.()
    const address = visitorAddress(raw.remoteAddr.toString())
    if (this.#isMember(peer)) {
      this.#visitors.memberCame(address)
      return true
    }
    const key = parsePeerIdText(peer.toString())
    if (key === undefined || this.#options.joinProtocol === undefined) return false
    if (!this.#visitors.strangerCame(address)) return false
    const present = [...this.#strangers.values()]
    if (present.filter((each) => each.address === address).length >= MAX_STRANGERS_PER_ADDRESS) {
      return false
    }
    // Whoever has been here longest had time enough to join, and a flood cannot keep others out for long.
    if (present.length >= MAX_STRANGERS) present[0]?.expel('others want to join')
    this.#watch({ key, address, raw })
    return true
  }

  #watch({ key, address, raw }: Pick<Stranger, 'key' | 'address' | 'raw'>): void {
    let received = 0
    const expel = (why: string): void => {
      raw.abort(new Error(why))
    }
    const onMessage = ({ data }: { data: { byteLength: number } }): void => {
      received += data.byteLength
      if (received > MAX_STRANGER_BYTES) expel('a stranger sends too much')
    }
    raw.addEventListener('message', onMessage)
    const cancel = this.#options.clock.after(STRANGER_LIFETIME_MS, () => {
      if (!this.#options.isMember(key)) expel('a stranger stays too long')
    })
    const release = (): void => {
      cancel()
      raw.removeEventListener('message', onMessage)
    }
    const stranger = { key, address, raw, expel, release }
    this.#strangers.set(raw, stranger)
    raw.addEventListener('close', () => {
      this.#forget(stranger)
    })
  }

  #forget(stranger: Stranger): void {
    stranger.release()
    this.#strangers.delete(stranger.raw)
  }

  /**
   * Shows a stranger's connection a registrar in which there is the join protocol alone, and a peer store that keeps
   * nothing, for as long as the peer is a stranger. libp2p has no way to ask for this: it lets a gater refuse whole
   * connections only, and its middleware sees a stream after the protocols were negotiated (and in 3.3 runs the handler
   * of a protocol with middleware once more for each stream before).
   */
  #confine(connection: GuardedConnection, { registrar, peerStore, metrics }: Guarded): void {
    const isMember = (): boolean => this.#isMember(connection.remotePeer)
    if (isMember()) return
    assert('components' in connection && 'maConn' in connection, 'libp2p has changed inside')
    const join = this.#options.joinProtocol
    let streams = 0
    connection.components = {
      metrics,
      peerStore: {
        merge: async (...args) => (isMember() ? await peerStore.merge(...args) : undefined),
      },
      registrar: {
        getProtocols: () => {
          if (isMember()) return registrar.getProtocols()
          streams++
          const tooMany = connection.streams.length > MAX_STRANGER_STREAMS
          if (tooMany || streams > MAX_STRANGER_STREAMS_EVER) {
            connection.abort(new Error('a stranger opens too many streams'))
          }
          return join === undefined ? [] : [join]
        },
        getHandler: (protocol) => {
          if (isMember() || protocol === join) return registrar.getHandler(protocol)
          throw new ClosedToStrangersError()
        },
        getMiddleware: (protocol) => registrar.getMiddleware(protocol),
      },
    }
    const newStream = connection.newStream.bind(connection)
    connection.newStream = async (protocols, options) => {
      if (!isMember()) throw new ClosedToStrangersError()
      return await newStream(protocols, options)
    }
  }
}

interface Stranger {
  readonly key: NodeKey
  readonly address: string
  readonly raw: MultiaddrConnection
  /** Cuts the connection off. */
  readonly expel: (why: string) => void
  /** Stops to count and to wait. */
  readonly release: () => void
}

/** Named as libp2p names it, whose connection monitor takes a peer that lacks a protocol for alive all the same. */
class ClosedToStrangersError extends Error {
  override readonly name = 'UnsupportedProtocolError'

  constructor() {
    super('this host opens no streams to strangers')
  }
}

/** What a connection of libp2p 3.3 uses of its host. */
interface Guarded {
  readonly registrar: {
    getProtocols(): string[]
    getHandler(protocol: string): unknown
    getMiddleware(protocol: string): unknown
  }
  readonly peerStore: { merge(...args: unknown[]): Promise<unknown> }
  readonly metrics?: unknown
}

interface GateComponents extends Guarded {
  readonly events: {
    addEventListener(
      type: 'connection:open',
      listener: (event: { readonly detail: Connection }) => void,
    ): void
  }
}

/** A connection of libp2p 3.3 with what its interface does not show. */
interface GuardedConnection extends Connection {
  readonly maConn: MultiaddrConnection
  components: Guarded
}
