import type { Connection, Listener, PeerId, Transport } from '@libp2p/interface'
import {
  circuitRelayServer,
  circuitRelayTransport,
  multiaddr,
  RELAY_V2_HOP_CODEC,
} from '../libp2p.ts'
import { parseAddress } from './addresses.ts'
import type { Internals } from './internals.ts'
import { MAX_HOP_STREAMS, MAX_RELAYED_BYTES, MAX_RELAYED_MS, MAX_RESERVATIONS } from './limits.ts'
import { bestPath, pathKindOf } from './path.ts'

/** What the relay transport of libp2p is besides what its type says. */
interface RelayTransport extends Transport {
  readonly reservationStore: {
    addRelay(peer: PeerId, type: 'discovered'): Promise<unknown>
    hasReservation(peer: PeerId): boolean
    reservationCount(): number
  }
}

/** The use of other members as relays: dialling through them, and keeping places at them to be dialled at. */
export class RelayUser {
  #transport: RelayTransport | undefined
  #places = 0

  /** For libp2p's list of transports. */
  readonly transport = (components: Internals): Transport => {
    const made = circuitRelayTransport()(guarded(components)) as RelayTransport
    const createListener = made.createListener.bind(made)
    made.createListener = (options) => withAddressesOfTcp(createListener(options))
    this.#transport = made
    return made
  }

  /** Relays that this host can be reached through now. */
  get count(): number {
    return this.#transport?.reservationStore.reservationCount() ?? 0
  }

  has(peer: PeerId): boolean {
    return this.#transport?.reservationStore.hasReservation(peer) === true
  }

  /** Wants places at this many relays from now on; {@link fill} looks for them. */
  async listen(internals: Internals, wanted: number): Promise<void> {
    const missing = wanted - this.#places
    if (missing <= 0) return
    this.#places = wanted
    // One listener is one place. The address of a certain relay would not come back after an outage; this one does.
    await internals.transportManager.listen(
      Array.from({ length: missing }, () => multiaddr('/p2p-circuit')),
    )
  }

  /** Asks connected relays for the places that are missing. */
  async fill(
    connections: readonly Connection[],
    offersRelay: (peer: PeerId) => Promise<boolean>,
  ): Promise<void> {
    const store = this.#transport?.reservationStore
    if (store === undefined) return
    for (const connection of connections) {
      if (store.reservationCount() >= this.#places) return
      const { remotePeer } = connection
      if (pathKindOf(connection) !== 'direct' || store.hasReservation(remotePeer)) continue
      if (!(await offersRelay(remotePeer))) continue
      // Refused, or just gone: the next round tries again.
      await store.addRelay(remotePeer, 'discovered').catch(() => undefined)
    }
  }
}

/** Whether a peer has said that it relays. */
export async function offersRelay(internals: Internals, peer: PeerId): Promise<boolean> {
  try {
    return (await internals.peerStore.get(peer)).protocols.includes(RELAY_V2_HOP_CODEC)
  } catch {
    return false
  }
}

/** Relays for members, while it runs. */
export class RelayServer {
  #stop: (() => Promise<void>) | undefined

  get running(): boolean {
    return this.#stop !== undefined
  }

  async start(internals: Internals): Promise<void> {
    if (this.#stop !== undefined) return
    const server = circuitRelayServer({
      maxInboundHopStreams: MAX_HOP_STREAMS,
      maxOutboundStopStreams: MAX_HOP_STREAMS,
      reservations: {
        maxReservations: MAX_RESERVATIONS,
        defaultDataLimit: MAX_RELAYED_BYTES,
        defaultDurationLimit: MAX_RELAYED_MS,
      },
    })(internals) as unknown as { start(): Promise<void>; stop(): Promise<void> }
    this.#stop = async () => {
      await server.stop()
    }
    await server.start()
  }

  async stop(): Promise<void> {
    const stop = this.#stop
    this.#stop = undefined
    await stop?.()
  }
}

/**
 * The components without what goes wrong: the search for relays by random walks through the DHT, which never ends where
 * there are none; errors of failed dials, for which the transport would never try that relay again; places at relays that
 * are not reached by TCP, or whose addresses are not of TCP, over which libp2p stumbles so that the process ends.
 */
function guarded(components: Internals): Internals {
  const { connectionManager, addressManager } = components
  const openConnection: typeof connectionManager.openConnection = async (peer, options) => {
    const known = isPeerId(peer) ? connectionManager.getConnections(peer) : []
    const direct = bestPath(known)
    if (direct !== undefined && pathKindOf(direct) === 'direct') return direct
    let opened: Connection
    try {
      opened = await connectionManager.openConnection(peer, options)
    } catch (cause) {
      throw new Error('the relay cannot be reached', { cause })
    }
    if (pathKindOf(opened) !== 'direct') throw new Error('the relay is not reached directly')
    return opened
  }
  const confirmObservedAddr: typeof addressManager.confirmObservedAddr = (address, options) => {
    if (isOfTcp(address)) addressManager.confirmObservedAddr(address, options)
  }
  const removeObservedAddr: typeof addressManager.removeObservedAddr = (address) => {
    if (isOfTcp(address)) addressManager.removeObservedAddr(address)
  }
  return Object.create(components, {
    randomWalk: { value: { walk: noWalk } },
    connectionManager: {
      value: Object.create(connectionManager, { openConnection: { value: openConnection } }),
    },
    addressManager: {
      value: Object.create(addressManager, {
        confirmObservedAddr: { value: confirmObservedAddr },
        removeObservedAddr: { value: removeObservedAddr },
      }),
    },
  }) as Internals
}

/** A relay names its addresses itself, and may name anything. */
function withAddressesOfTcp(listener: Listener): Listener {
  const getAddrs = listener.getAddrs.bind(listener)
  listener.getAddrs = () => getAddrs().filter(isOfTcp)
  return listener
}

function isOfTcp(address: { toString(): string }): boolean {
  return parseAddress(address.toString()) !== undefined
}

function isPeerId(target: unknown): target is PeerId {
  return typeof target === 'object' && target !== null && 'toMultihash' in target
}

// eslint-disable-next-line typescript/require-await
async function* noWalk(): AsyncGenerator<never> {
  yield* []
}
