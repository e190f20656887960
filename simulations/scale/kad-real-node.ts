import type { PeerId, PeerInfo, PrivateKey } from '@libp2p/interface'
import {
  kadDHT,
  MessageType,
  passthroughMapper,
  type KadDHT,
  type KadDHTComponents,
} from '@libp2p/kad-dht'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { toHex } from '../../src/foundation/bytes.ts'
import { peerIdText } from '../../src/network/identity.ts'
import { nodeKey } from '../../src/protocol/node-key.ts'
import type { KadSettings } from './kad-model.ts'
import type { Lookup } from './kad-walk.ts'

interface Options {
  readonly byPeer: Map<string, KadRealNode>
  readonly at: number
  readonly settings: KadSettings
  readonly privateKey: PrivateKey
}

/** What a real instance has besides what its type says. */
interface Internals {
  readonly network: {
    sendRequest: (to: PeerId, message: { readonly key?: Uint8Array }) => AsyncGenerator<object>
    safeDispatchEvent(name: string, init: { readonly detail: PeerInfo }): void
  }
  readonly peerRouting: {
    getClosestPeersOffline(
      key: Uint8Array,
      options: { readonly exclude: readonly PeerId[] },
    ): Promise<PeerInfo[]>
  }
  readonly routingTable: { readonly size: number; add(peer: PeerId): Promise<void> }
  start(): Promise<void>
  stop(): Promise<void>
}

/** One real @libp2p/kad-dht that calls others in place of dialling them. */
export class KadRealNode {
  readonly peer: PeerId
  readonly #info: PeerInfo
  readonly #byPeer: ReadonlyMap<string, KadRealNode>
  readonly #dht: KadDHT & Internals
  /** Whoever there was a connection with, as a peer store remembers them. */
  readonly #met = new Map<string, PeerInfo>()
  /** Of the lookup under way: after how many hops each node became known. */
  readonly #depths = new Map<string, number>()
  #requests = 0

  private constructor({ byPeer, at, settings, privateKey }: Options) {
    this.peer = peerIdFromString(peerIdText(nodeKey(toHex(privateKey.publicKey.raw))))
    const address = `/ip4/10.${at >> 16}.${(at >> 8) & 255}.${at & 255}/tcp/4001`
    this.#info = { id: this.peer, multiaddrs: [multiaddr(address)] }
    this.#byPeer = byPeer
    const make = kadDHT({
      protocol: '/model/kad/1',
      clientMode: false,
      peerInfoMapper: passthroughMapper,
      allowQueryWithZeroPeers: true,
      kBucketSize: settings.bucketSize,
      prefixLength: settings.prefixBits,
      alpha: settings.concurrency,
      disjointPaths: settings.paths,
      // Nodes look around when they are told to, and not by a clock.
      initialQuerySelfInterval: NEVER_MS,
      querySelfInterval: NEVER_MS,
    })
    this.#dht = make(this.#components(privateKey)) as KadDHT & Internals
    this.#dht.network.sendRequest = (to, message) => this.#ask(to, message.key)
  }

  static async start(options: Options): Promise<KadRealNode> {
    const node = new KadRealNode(options)
    options.byPeer.set(node.peer.toString(), node)
    await node.#dht.start()
    // Queries wait for a first one about the node itself, which would wait for its timer.
    Object.assign((node.#dht as unknown as { queryManager: object }).queryManager, {
      initialQuerySelfHasRun: undefined,
    })
    return node
  }

  get tableSize(): number {
    return this.#dht.routingTable.size
  }

  /** A connection: from now on both know of each other. */
  async meet(peer: PeerId): Promise<void> {
    const other = this.#byPeer.get(peer.toString())
    if (other === undefined || this.#met.has(peer.toString())) return
    this.#met.set(peer.toString(), other.#info)
    other.#met.set(this.peer.toString(), this.#info)
    await this.#dht.routingTable.add(peer)
    await other.#dht.routingTable.add(this.peer)
  }

  /** Looks for a peer until it is found; for itself, to the end. */
  async lookUp(target: PeerId): Promise<Omit<Lookup, 'latencyMs'>> {
    if (target.equals(this.peer)) return await this.walk(target.toMultihash().bytes)
    this.#depths.clear()
    this.#requests = 0
    try {
      for await (const event of this.#dht.findPeer(target, { useCache: false })) {
        if (event.name !== 'FINAL_PEER') continue
        return { isFound: true, hops: this.#depthOf(event.from), requests: this.#requests }
      }
    } catch (error) {
      if ((error as Error).name !== 'NotFoundError') throw error
    }
    return { isFound: false, hops: 0, requests: this.#requests }
  }

  /** Looks for the nodes next to a key, to the end. */
  async walk(key: Uint8Array): Promise<Omit<Lookup, 'latencyMs'>> {
    this.#depths.clear()
    this.#requests = 0
    let hops = 0
    for await (const event of this.#dht.getClosestPeers(key)) {
      if (event.name === 'PEER_RESPONSE') hops = Math.max(hops, this.#depthOf(event.from))
    }
    return { isFound: true, hops, requests: this.#requests }
  }

  async stop(): Promise<void> {
    await this.#dht.stop()
  }

  #depthOf(peer: PeerId): number {
    return this.#depths.get(peer.toString()) ?? 1
  }

  /** In place of a stream: the other one's own code answers. */
  async *#ask(to: PeerId, key: Uint8Array | undefined): AsyncGenerator<object> {
    const other = this.#byPeer.get(to.toString())
    if (other === undefined || key === undefined) return
    this.#requests++
    await this.meet(to)
    const closer = await other.#dht.peerRouting.getClosestPeersOffline(key, {
      exclude: [this.peer, to],
    })
    const depth = this.#depthOf(to) + 1
    for (const detail of closer) {
      const name = detail.id.toString()
      const isStart = this.#depths.get(name) === undefined && (await this.#isInTable(detail.id))
      if (!this.#depths.has(name)) this.#depths.set(name, isStart ? 1 : depth)
      this.#dht.network.safeDispatchEvent('peer', { detail })
    }
    const path = { index: 0, queued: 0, running: 0, total: 0 }
    const messageType = MessageType.FIND_NODE
    yield { name: 'PEER_RESPONSE', from: to, messageType, closer, providers: [], path }
  }

  async #isInTable(peer: PeerId): Promise<boolean> {
    const { routingTable } = this.#dht as unknown as {
      routingTable: { find(peer: PeerId): Promise<unknown> }
    }
    return (await routingTable.find(peer)) !== undefined
  }

  #infoOf(peer: PeerId): PeerInfo {
    const info = this.#met.get(peer.toString())
    if (info === undefined) throw Object.assign(new Error('not met yet'), { name: 'NotFoundError' })
    return info
  }

  /** What kad-dht needs of libp2p around it. */
  #components(privateKey: PrivateKey): KadDHTComponents {
    const parts = {
      peerId: this.peer,
      privateKey,
      registrar: { handle: idle, unhandle: idle, register: idle, unregister: () => {} },
      addressManager: { getAddresses: () => this.#info.multiaddrs },
      peerStore: {
        get: async (peer: PeerId) => {
          const { id, multiaddrs } = this.#infoOf(peer)
          return { id, addresses: multiaddrs.map((address) => ({ multiaddr: address })) }
        },
        getInfo: async (peer: PeerId) => this.#infoOf(peer),
        merge: idle,
        all: async () => [],
      },
      connectionManager: { isDialable: async () => true },
      datastore: {},
      events: new EventTarget(),
      logger: { forComponent: () => SILENT },
      // A peer that answers a ping is connected, and so hears of this one as well; not waited for, or two would wait
      // for each other.
      ping: { ping: async (peer: PeerId) => void this.meet(peer) },
    }
    return parts as unknown as KadDHTComponents
  }
}

/** Timers of the library that this replaces; as long as a timer can be. */
const NEVER_MS = 2 ** 31 - 1

const SILENT = Object.assign(() => {}, { error: () => {}, trace: () => {} })

async function idle(): Promise<void> {}
