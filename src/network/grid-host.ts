import type { Connection, Stream } from '@libp2p/interface'
import { allowManyListeners } from '../foundation/abort.ts'
import { assert } from '../foundation/error.ts'
import type { Randomness } from '../foundation/randomness.ts'
import type { Op, ReplyOf, RequestOf } from '../protocol/messages.ts'
import {
  RefusedError,
  UnreachableError,
  type CallOptions,
  type StorageService,
} from '../protocol/network.ts'
import type { NodeKey } from '../protocol/node-key.ts'
import { AddressBook } from './address-book.ts'
import { Bandwidth, type BandwidthLimits, type Traffic } from './bandwidth.ts'
import { Connector } from './connector.ts'
import { untilAborted } from './deadline.ts'
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
import { Lanes } from './lanes.ts'
import {
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
import { Paths, type PathReport } from './paths/paths.ts'
import { announceFilter, type Standing, type StandingOptions } from './paths/standing.ts'
import { ServedStream } from './served-stream.ts'
import { SignsOfLife } from './signs-of-life.ts'

/** A libp2p host as the grid's network: lanes to those it calls, served streams of those that call it. */
export class GridHost implements GridNetwork {
  readonly self: NodeKey
  readonly #options: NetworkOptions
  readonly #host: Host
  readonly #book: AddressBook
  readonly #connector: Connector
  readonly #paths: Paths
  readonly #lanes: Lanes
  readonly #served = new Map<NodeKey, ServedStream[]>()
  readonly #bandwidth: Bandwidth
  readonly #gate: Gate
  readonly #membership: MembershipService | undefined
  readonly #lan: LanDiscovery | undefined
  #service: StorageService | undefined
  #closed = false
  #cancelRejoin: (() => void) | undefined
  #stopLearning: (() => void) | undefined

  private constructor(
    options: NetworkOptions,
    { host, gate, signs }: { host: Host; gate: Gate; signs: SignsOfLife },
  ) {
    this.self = nodeKeyOfIdentity(options.identity)
    this.#options = options
    this.#host = host
    this.#bandwidth = new Bandwidth(options.clock, signs)
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
      onSuperseded: (node) => void this.#lanes.move(node),
    })
    const paths = this.#paths
    this.#connector = new Connector({ host, book: this.#book, paths, clock, bootstrap })
    this.#lanes = new Lanes({
      host,
      clock,
      connector: this.#connector,
      bandwidth: this.#bandwidth,
      protocol: storeProtocol(options.gridId),
      isMember: (node) => members.isMember(node),
      introduce: (connection, refused) => this.#introduce(connection, refused),
    })
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
    const signs = new SignsOfLife(options.clock)
    const host = await startHost({
      ...options,
      gate,
      signs,
      announce: (own) => announceFilter(own, standing, MAX_ADDRESSES_PER_NODE),
      servesDht: options.listen.length > 0,
    })
    const network = new GridHost(options, { host, gate, signs })
    standing = network.#paths.standing
    await network.#start()
    return network
  }

  async #start(): Promise<void> {
    this.#host.addEventListener('connection:open', ({ detail: { remotePeer } }) => {
      const node = nodeKeyOfPeer(remotePeer)
      if (node === undefined) return
      this.#connector.reached(node)
      void this.#lanes.move(node)
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
    options: CallOptions = {},
  ): Promise<ReplyOf<O>> {
    const { signal } = options
    signal?.throwIfAborted()
    // One signal may well stand for hundreds of calls; Node would warn of a leak at eleven.
    if (signal !== undefined) allowManyListeners(signal)
    if (node === this.self) return await this.#callSelf<O>(request, signal)
    return await this.#lanes.call<O>(node, request, options)
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
    this.#lanes.close(CLOSED)
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

  /** A node has closed its storage protocol to this device. @returns whether it has been told who that is */
  async #introduce(connection: Connection, refused: unknown): Promise<boolean> {
    if (!isClosedToUs(refused) || this.#membership === undefined) return false
    if (await this.#membership.introduce(connection)) return true
    throw new Error('it takes this device for a stranger', { cause: refused })
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

const DEFAULT_STANDING: StandingOptions = { reachable: 'auto', portMapping: true, announce: [] }
const CLOSED = 'this network is closed'
