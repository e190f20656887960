import type { Connection } from '@libp2p/interface'
import type { Clock } from '../../foundation/clock.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { withDeadline } from '../deadline.ts'
import { peerOfNode, type Host } from '../host.ts'
import { parsePeerIdText } from '../identity.ts'
import { parseAddress } from './addresses.ts'
import { dialNode, waysTo } from './dial.ts'
import { diagnose, type Diagnosis, type DiagnosisOptions, type PathTaken } from './diagnosis.ts'
import type { Internals } from './internals.ts'
import { DOUBT_TIMEOUT_MS, UPKEEP_INTERVAL_MS } from './limits.ts'
import type { MappingState } from './port-mapping.ts'
import { bestPath, pathKindOf, pathsOf, type PathKind } from './path.ts'
import { Puncher } from './punch.ts'
import type { Reachability } from './reachability.ts'
import { offersRelay, type RelayUser } from './relay.ts'
import { Standing, type StandingOptions } from './standing.ts'
import { Upgrades } from './upgrades.ts'
import { WebRtc } from './webrtc.ts'

/** How a host stands and how it reaches others, for people and for tests. */
export interface PathReport {
  readonly reachability: Reachability
  /** Where members on the internet see this host. */
  readonly seenHosts: readonly string[]
  readonly mapping: MappingState
  readonly serves: { readonly relay: boolean; readonly stunPort: number | undefined }
  /** Members at which this host keeps a place to be reached through. */
  readonly relays: readonly NodeKey[]
  readonly peers: readonly PeerPath[]
}

export interface PeerPath {
  readonly node: NodeKey
  readonly kind: PathKind
  /** Kinds of all open connections, the one in use among them. */
  readonly open: readonly PathKind[]
  readonly address: string
  /** As last measured; undefined if it has not been yet. */
  readonly roundTripMs: number | undefined
}

/** Everything about how this host and others reach each other, whatever routers stand in between. */
export class Paths {
  readonly #host: Host
  readonly #internals: Internals
  readonly #clock: Clock
  readonly #relays: RelayUser
  readonly standing: Standing
  readonly #puncher: Puncher
  readonly #webRtc: WebRtc
  readonly #upgrades: Upgrades
  #cancelUpkeep: (() => void) | undefined
  #closed = false

  constructor(options: {
    host: Host
    internals: Internals
    relays: RelayUser
    clock: Clock
    /** Begins the names of the grid's own protocols: `/hayloft/<grid>`. */
    protocolPrefix: string
    isMember: (node: NodeKey) => boolean
    standing: StandingOptions
    /** Where a node was last known to listen. */
    addressesOf: (node: NodeKey) => readonly string[]
    /** A better path to the node has replaced one that streams are still on. Told again until they are gone. */
    onSuperseded: (node: NodeKey) => void
  }) {
    const { host, internals, relays, clock, protocolPrefix } = options
    this.#host = host
    this.#internals = internals
    this.#clock = clock
    this.#relays = relays
    const isMember = ({ remotePeer }: Connection): boolean => {
      const node = parsePeerIdText(remotePeer.toString())
      return node !== undefined && options.isMember(node)
    }
    const observeProtocol = `${protocolPrefix}/observe/1`
    this.standing = new Standing({
      internals,
      clock,
      standing: options.standing,
      observeProtocol,
      relays,
      isMember,
      onChange: () => {
        this.#moved()
      },
    })
    const { standing } = this
    this.#webRtc = new WebRtc(internals, {
      clock,
      stunServers: () => standing.observations.stunServers(),
    })
    this.#puncher = new Puncher({
      protocol: `${protocolPrefix}/punch/1`,
      observeProtocol,
      internals,
      clock,
      isMember,
      observers: () => standing.observations.observers(),
    })
    this.#upgrades = new Upgrades({
      internals,
      clock,
      puncher: this.#puncher,
      webRtc: this.#webRtc,
      dialDirect: async ({ remotePeer }) => {
        const node = parsePeerIdText(remotePeer.toString())
        if (node === undefined) return
        const { direct } = waysTo({ node, addresses: options.addressesOf(node), relays: [] })
        // What is private and was in vain a moment ago would be so again.
        await this.#dialDirect(direct.filter((text) => parseAddress(text)?.scope !== 'private'))
      },
      onSuperseded: (peer) => {
        const node = parsePeerIdText(peer.toString())
        if (node !== undefined) options.onSuperseded(node)
      },
    })
  }

  async start(): Promise<void> {
    const { events } = this.#internals
    events.addEventListener('connection:open', ({ detail }) => {
      this.#opened(detail)
    })
    events.addEventListener('peer:identify', ({ detail: { connection, protocols } }) => {
      void this.standing.identified(connection, protocols).catch(() => undefined)
    })
    await this.#puncher.start()
    await this.standing.start()
    this.#scheduleUpkeep()
  }

  async stop(): Promise<void> {
    this.#closed = true
    this.#cancelUpkeep?.()
    this.#upgrades.stop()
    await Promise.all([this.standing.stop(), this.#webRtc.stop()])
  }

  /** Connects to a node by the best way there is at once. @throws whatever libp2p throws */
  async dial(
    node: NodeKey,
    addresses: readonly string[],
    { signal, dialDirect }: Pick<Parameters<typeof dialNode>[1], 'signal' | 'dialDirect'>,
  ): Promise<Connection> {
    const relays = await this.#connectedRelays(node)
    return await dialNode(this.#internals, {
      node,
      addresses,
      relays,
      clock: this.#clock,
      signal,
      dialDirect,
    })
  }

  /** See {@link diagnose}. */
  async diagnose(
    nodes: readonly NodeKey[],
    options: Pick<DiagnosisOptions, 'connect' | 'randomness' | 'signal'>,
  ): Promise<Diagnosis> {
    return await diagnose(nodes, {
      ...options,
      clock: this.#clock,
      standing: this.standing,
      report: () => this.report(),
      isImproving: (node) => this.#upgrades.isImproving(peerOfNode(node)),
      pathTo: async (node) => await this.#pathTo(node),
    })
  }

  async #pathTo(node: NodeKey): Promise<PathTaken> {
    const paths = pathsOf(this.#host.getConnections(peerOfNode(node)))
    const [best] = paths
    const roundTripMs = best === undefined ? undefined : await this.#measure(best)
    if (best === undefined || best.status !== 'open') {
      return { path: 'none', open: [], address: undefined, roundTripMs: undefined }
    }
    return {
      path: pathKindOf(best),
      open: paths.map(pathKindOf),
      address: best.remoteAddr.toString(),
      roundTripMs,
    }
  }

  report(): PathReport {
    const { standing } = this
    const nodes = this.#host
      .getPeers()
      .map((peer) => ({ peer, node: parsePeerIdText(peer.toString()) }))
    return {
      reachability: standing.reachability,
      seenHosts: standing.observations.seenHosts(),
      mapping: standing.mapping,
      serves: standing.serves,
      relays: nodes.flatMap(({ peer, node }) =>
        node !== undefined && this.#relays.has(peer) ? [node] : [],
      ),
      peers: nodes.flatMap(({ peer, node }) => {
        const connections = this.#host.getConnections(peer)
        const best = bestPath(connections)
        if (node === undefined || best === undefined) return []
        return [
          {
            node,
            kind: pathKindOf(best),
            open: connections.filter(({ status }) => status === 'open').map(pathKindOf),
            address: best.remoteAddr.toString(),
            roundTripMs: best.rtt,
          },
        ]
      }),
    }
  }

  #opened(connection: Connection): void {
    if (pathKindOf(connection) === 'relayed') {
      this.#upgrades.opened(connection)
      return
    }
    // A peer that comes anew may have moved, and what is left of before may be dead without knowing it.
    for (const older of this.#host.getConnections(connection.remotePeer)) {
      if (older !== connection) void this.#measure(older)
    }
    // A punched connection looks like one that came to our port until the one who punched it has marked it.
    this.#clock.after(0, () => {
      if (!this.#closed) void this.standing.accepted(connection).catch(() => undefined)
    })
  }

  async #connectedRelays(node: NodeKey): Promise<string[]> {
    const candidates = this.#internals.connectionManager
      .getConnections()
      .filter((connection) => connection.status === 'open' && pathKindOf(connection) === 'direct')
    const relays: string[] = []
    for (const { remotePeer, remoteAddr } of candidates) {
      if (parsePeerIdText(remotePeer.toString()) === node) continue
      if (!(await offersRelay(this.#internals, remotePeer))) continue
      const address = remoteAddr.toString()
      const suffix = `/p2p/${remotePeer.toString()}`
      relays.push(address.endsWith(suffix) ? address : `${address}${suffix}`)
    }
    return [...new Set(relays)]
  }

  async #dialDirect(addresses: readonly string[]): Promise<void> {
    if (addresses.length === 0) return
    const { multiaddr } = await import('../libp2p.ts')
    const targets = addresses.map((address) => multiaddr(address))
    await withDeadline(this.#clock, DOUBT_TIMEOUT_MS, (signal) =>
      this.#host.dial(targets, { signal, force: true }),
    )
  }

  /** This host is somewhere else, or looks so: connections may be dead without having said so. */
  #moved(): void {
    for (const connection of this.#internals.connectionManager.getConnections()) {
      void this.#measure(connection)
    }
    this.#upgrades.startAfresh()
  }

  /** @returns the round trip time; undefined if it does not answer, which ends the connection */
  async #measure(connection: Connection): Promise<number | undefined> {
    const begunMs = this.#clock.monotonicMs()
    let askedMs = begunMs
    try {
      await withDeadline(this.#clock, DOUBT_TIMEOUT_MS, async (signal) => {
        const stream = await connection.newStream(PING_PROTOCOL, {
          signal,
          runOnLimitedConnection: true,
        })
        const answered = new Promise<void>((resolve, reject) => {
          stream.addEventListener('message', () => resolve(), { once: true })
          stream.addEventListener('close', () => reject(new Error('it ended')), { once: true })
        })
        // It may end before anybody waits for it.
        answered.catch(() => undefined)
        askedMs = this.#clock.monotonicMs()
        stream.send(new Uint8Array(PING_BYTES))
        await answered
        stream.abort(new Error('it answered'))
      })
    } catch {
      // A stream that was refused at once is an answer too: the peer has its bounds.
      const isSilent = this.#clock.monotonicMs() - begunMs >= DOUBT_TIMEOUT_MS
      if (isSilent) connection.abort(new Error('the peer does not answer'))
      return undefined
    }
    return this.#clock.monotonicMs() - askedMs
  }

  #scheduleUpkeep(): void {
    if (this.#closed) return
    this.#cancelUpkeep = this.#clock.after(UPKEEP_INTERVAL_MS, () => void this.#upkeep())
  }

  async #upkeep(): Promise<void> {
    this.#upgrades.sweep()
    this.#upgrades.retry()
    // Whatever fails in it is tried again the next time.
    await this.standing.upkeep().catch(() => undefined)
    this.#scheduleUpkeep()
  }
}

/** libp2p's ping: 32 bytes, which come back. */
const PING_PROTOCOL = '/ipfs/ping/1.0.0'
const PING_BYTES = 32
