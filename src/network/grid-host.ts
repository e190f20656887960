import { setMaxListeners } from 'node:events'
import type { Connection, Stream } from '@libp2p/interface'
import { assert, messageOf } from '../foundation/error.ts'
import type { Randomness } from '../foundation/randomness.ts'
import type { Op, ReplyOf, RequestOf } from '../protocol/messages.ts'
import { RefusedError, UnreachableError, type StorageService } from '../protocol/network.ts'
import type { NodeKey } from '../protocol/node-key.ts'
import { AddressBook } from './address-book.ts'
import { Bandwidth, type BandwidthLimits, type Traffic } from './bandwidth.ts'
import { Connector } from './connector.ts'
import { untilAborted, withDeadline } from './deadline.ts'
import {
  gridName,
  handleStore,
  joinProtocol,
  nodeKeyOfPeer,
  openConnectionTo,
  protocolPrefix,
  startHost,
  storeProtocol,
  type Host,
} from './host.ts'
import { nodeKeyOfIdentity } from './identity.ts'
import { Lane, laneOf, type LaneKind } from './lane.ts'
import {
  DIAL_TIMEOUT_MS,
  FIRST_REJOIN_MS,
  MAX_ADDRESSES_PER_NODE,
  MAX_STREAMS_PER_PEER,
  REJOIN_INTERVAL_MS,
} from './limits.ts'
import { followAnnouncements } from './discovery/announcements.ts'
import { LanDiscovery, listensInNetwork } from './discovery/lan.ts'
import { Gate } from './membership/gate.ts'
import type { JoinRefusal } from './membership/messages.ts'
import { MembershipService } from './membership/service.ts'
import { isClosedToUs } from './membership/talk.ts'
import type { GridNetwork, NetworkOptions } from './open.ts'
import type { Diagnosis } from './paths/diagnosis.ts'
import { rankOfPath } from './paths/path.ts'
import { Paths, type PathReport } from './paths/paths.ts'
import { announceFilter, type Standing, type StandingOptions } from './paths/standing.ts'
import { ServedStream } from './served-stream.ts'

/** A libp2p host as the grid's network: lanes to those it calls, served streams of those that call it. */
export class GridHost implements GridNetwork {
  readonly self: NodeKey
  readonly #options: NetworkOptions
  readonly #host: Host
  readonly #book: AddressBook
  readonly #connector: Connector
  readonly #paths: Paths
  readonly #lanes = new Map<string, OpenLane>()
  readonly #opening = new Map<string, Promise<OpenLane>>()
  readonly #served = new Map<NodeKey, ServedStream[]>()
  readonly #bandwidth: Bandwidth
  readonly #gate: Gate
  readonly #membership: MembershipService | undefined
  readonly #lan: LanDiscovery | undefined
  #service: StorageService | undefined
  #closed = false
  #cancelRejoin: (() => void) | undefined
  #stopLearning: (() => void) | undefined

  private constructor(options: NetworkOptions, { host, gate }: { host: Host; gate: Gate }) {
    this.self = nodeKeyOfIdentity(options.identity)
    this.#options = options
    this.#host = host
    this.#bandwidth = new Bandwidth(options.clock)
    this.#gate = gate
    const { membership, listen } = options
    if (membership !== undefined) {
      const isNode = listen.length > 0
      this.#membership = new MembershipService({ ...options, ...membership, host, gate, isNode })
    }
    this.#book = new AddressBook(options.knownAddresses)
    const { clock, bootstrap, members } = options
    this.#paths = new Paths({
      ...host.services.inside,
      host,
      clock,
      protocolPrefix: protocolPrefix(options.gridId),
      isMember: (node) => members.isMember(node),
      standing: { ...DEFAULT_STANDING, ...options.standing },
      addressesOf: (node) => this.#book.of(node),
    })
    const paths = this.#paths
    this.#connector = new Connector({ host, book: this.#book, paths, clock, bootstrap })
    if (listensInNetwork(listen)) {
      this.#lan = new LanDiscovery({
        internals: host.services.inside.internals,
        gridName: gridName(options.gridId),
        isMember: (node) => members.isMember(node),
        onFound: (node, addresses) => void this.#heardOf(node, addresses),
      })
    }
  }

  static async open(options: NetworkOptions): Promise<GridHost> {
    let standing: Standing | undefined
    const gate = new Gate({
      isMember: (key) => options.members.isMember(key),
      joinProtocol: options.membership === undefined ? undefined : joinProtocol(options.gridId),
      clock: options.clock,
    })
    const host = await startHost({
      ...options,
      gate,
      announce: (own) => announceFilter(own, standing, MAX_ADDRESSES_PER_NODE),
      servesDht: options.listen.length > 0,
    })
    const network = new GridHost(options, { host, gate })
    standing = network.#paths.standing
    await network.#start()
    return network
  }

  async #start(): Promise<void> {
    this.#host.addEventListener('connection:open', ({ detail: { remotePeer } }) => {
      const node = nodeKeyOfPeer(remotePeer)
      if (node === undefined) return
      this.#connector.reached(node)
      void this.#moveLanes(node)
    })
    this.#host.addEventListener('peer:identify', ({ detail: { peerId, listenAddrs } }) => {
      const node = nodeKeyOfPeer(peerId)
      if (node !== undefined) this.#book.announced(node, listenAddrs.map(String))
    })
    await handleStore(this.#host, this.#options.gridId, (stream, caller) => {
      this.#serveStream(stream, caller)
    })
    await this.#membership?.start()
    const membership = this.#options.membership?.keeper.membership
    if (membership !== undefined) {
      const learning = { book: this.#book, connector: this.#connector }
      this.#stopLearning = followAnnouncements(membership, learning)
    }
    await this.#paths.start()
    if (this.#options.listen.length > 0) void this.#rejoin()
    void this.#lan?.start()
  }

  /** What was heard is tried first, and forgotten unless it is true. */
  async #heardOf(node: NodeKey, addresses: readonly string[]): Promise<void> {
    if (node === this.self || openConnectionTo(this.#host, node) !== undefined) return
    this.#connector.reached(node)
    await this.#connector.connect(node, addresses).catch(() => undefined)
  }

  serve(service: StorageService): void {
    assert(this.#service === undefined, 'a network serves one service')
    this.#service = service
  }

  async call<O extends Op>(
    node: NodeKey,
    request: RequestOf<O>,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ReplyOf<O>> {
    signal?.throwIfAborted()
    // One signal may well stand for hundreds of calls; Node would warn of a leak at eleven.
    if (signal !== undefined) setMaxListeners(0, signal)
    if (node === this.self) return await this.#callSelf<O>(request, signal)
    const kind = laneOf(request)
    let lane = this.#lanes.get(laneName(node, kind))?.lane
    // Twice at most: a lane that has just been opened may have been replaced by a better one already.
    for (let attempt = 0; attempt < 2 && lane?.open !== true; attempt++) {
      lane = (await untilAborted(this.#openLane(node, kind), signal)).lane
    }
    assert(lane !== undefined, 'a lane was opened')
    return await lane.call<O>(request, signal)
  }

  limit(limits: BandwidthLimits): void {
    this.#bandwidth.limit(limits)
  }

  traffic(): Traffic {
    return this.#bandwidth.traffic()
  }

  addresses(): string[] {
    return this.#host.getMultiaddrs().map(String)
  }

  knownAddresses(): Map<NodeKey, string[]> {
    return this.#book.all()
  }

  async diagnose(
    nodes: readonly NodeKey[],
    options: { readonly randomness: Randomness; readonly signal: AbortSignal },
  ): Promise<Diagnosis> {
    return await this.#paths.diagnose(
      nodes.filter((node) => node !== this.self),
      { ...options, connect: (node) => this.#connector.connect(node) },
    )
  }

  paths(): PathReport {
    return this.#paths.report()
  }

  connected(): NodeKey[] {
    const nodes = this.#host.getPeers().map(nodeKeyOfPeer)
    return nodes.filter((node) => node !== undefined)
  }

  async catchUp(): Promise<void> {
    await this.#connector.join(this.#others())
    await this.#membership?.settled()
  }

  refusal(): JoinRefusal | undefined {
    return this.#membership?.refusal
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cancelRejoin?.()
    this.#stopLearning?.()
    await this.#lan?.stop()
    await this.#membership?.[Symbol.asyncDispose]()
    this.#gate.close()
    for (const { lane } of this.#lanes.values()) lane.close(CLOSED)
    await this.#paths.stop()
    // Left to itself, libp2p waits half a second for peers to close their side too.
    for (const connection of this.#host.getConnections()) connection.abort(new Error(CLOSED))
    await this.#host.stop()
  }

  async #callSelf<O extends Op>(request: RequestOf<O>, signal?: AbortSignal): Promise<ReplyOf<O>> {
    if (this.#closed) throw new UnreachableError(this.self, CLOSED)
    const unserved = {
      op: 'refused',
      reason: 'unserved',
      message: 'This host keeps nothing.',
    } as const
    const answer = this.#service?.handle(this.self, request, signal)
    const reply = answer === undefined ? unserved : await untilAborted(answer, signal)
    if (reply.op === 'refused') throw new RefusedError(this.self, reply)
    return reply
  }

  async #openLane(node: NodeKey, kind: LaneKind): Promise<OpenLane> {
    if (this.#closed) throw new UnreachableError(node, CLOSED)
    if (!this.#options.members.isMember(node)) {
      throw new UnreachableError(node, 'it does not belong to this grid')
    }
    const name = laneName(node, kind)
    const underway = this.#opening.get(name)
    if (underway !== undefined) return await underway
    const opening = this.#newLane(node, name).finally(() => this.#opening.delete(name))
    this.#opening.set(name, opening)
    return await opening
  }

  async #newLane(node: NodeKey, name: string): Promise<OpenLane> {
    const connection = await this.#connector.connect(node)
    let stream: Stream
    try {
      stream = await this.#openStream(connection)
    } catch (cause) {
      // A connection on which nothing can be asked is as good as dead, and the next call should not find it again.
      connection.abort(new Error('the peer does not answer'))
      const error = new UnreachableError(node, messageOf(cause), { cause })
      this.#connector.failed(node, error)
      throw error
    }
    const lane = new Lane(node, stream, this.#bandwidth.of(node))
    if (this.#closed) lane.close(CLOSED)
    const opened = { lane, connection }
    this.#lanes.set(name, opened)
    return opened
  }

  /** There is a new connection to the node. If it is better, calls take it from now on, and none is lost. */
  async #moveLanes(node: NodeKey): Promise<void> {
    for (const kind of ['small', 'bulk'] as const) {
      const name = laneName(node, kind)
      const before = this.#lanes.get(name)
      const best = openConnectionTo(this.#host, node)
      if (before?.lane.open !== true || best === undefined || this.#opening.has(name)) continue
      if (rankOfPath(best) >= rankOfPath(before.connection)) continue
      try {
        await this.#openLane(node, kind)
      } catch {
        // The new one is not what it seemed; the old one goes on.
        this.#lanes.set(name, before)
        continue
      }
      before.lane.retire()
    }
  }

  async #openStream(connection: Connection): Promise<Stream> {
    const open = async (): Promise<Stream> =>
      await withDeadline(this.#options.clock, DIAL_TIMEOUT_MS, (signal) =>
        connection.newStream([storeProtocol(this.#options.gridId)], {
          signal,
          runOnLimitedConnection: true,
        }),
      )
    try {
      return await open()
    } catch (cause) {
      if (!isClosedToUs(cause) || this.#membership === undefined) throw cause
      // It has not heard of us yet.
      if (await this.#membership.introduce(connection)) return await open()
      throw new Error('it takes this device for a stranger', { cause })
    }
  }

  #serveStream(stream: Stream, caller: NodeKey): void {
    if (this.#closed || !this.#options.members.isMember(caller)) {
      stream.abort(new Error('not served'))
      return
    }
    const streams = (this.#served.get(caller) ?? []).filter(({ gone }) => !gone)
    const pace = this.#bandwidth.of(caller)
    streams.push(new ServedStream(stream, { caller, service: () => this.#service, pace }))
    // The oldest goes: it belongs to a connection that is dying, or the caller does not keep the rules.
    while (streams.length > MAX_STREAMS_PER_PEER) streams.shift()?.abort('too many streams')
    this.#served.set(caller, streams)
  }

  #others(): NodeKey[] {
    return this.#options.members.keys().filter((node) => node !== this.self)
  }

  async #rejoin(delayMs = FIRST_REJOIN_MS): Promise<void> {
    await this.#connector.join(this.#others())
    if (this.#closed) return
    const nextMs = Math.min(2 * delayMs, REJOIN_INTERVAL_MS)
    this.#cancelRejoin = this.#options.clock.after(delayMs, () => void this.#rejoin(nextMs))
  }
}

interface OpenLane {
  readonly lane: Lane
  readonly connection: Connection
}

const DEFAULT_STANDING: StandingOptions = { reachable: 'auto', portMapping: true, announce: [] }
const CLOSED = 'this network is closed'

function laneName(node: NodeKey, kind: LaneKind): string {
  return `${kind} ${node}`
}
