import type { Connection } from '@libp2p/interface'
import type { Clock } from '../foundation/clock.ts'
import { mapConcurrently } from '../foundation/concurrency.ts'
import { assert, messageOf } from '../foundation/error.ts'
import { UnreachableError } from '../protocol/network.ts'
import type { NodeKey } from '../protocol/node-key.ts'
import type { AddressBook } from './address-book.ts'
import { dialAddresses, nodeKeyOfPeer, openConnectionTo, peerOfNode, type Host } from './host.ts'
import { nodeOfAddress } from './identity.ts'
import { DIAL_TIMEOUT_MS, JOIN_CONCURRENCY } from './limits.ts'
import { FIRST_FAILURE_MEMORY_MS, KEPT_CONNECTIONS, MAX_FAILURE_MEMORY_MS } from './limits.ts'
import { withDeadline } from './deadline.ts'
import { pathKindOf } from './paths/path.ts'
import type { Paths } from './paths/paths.ts'

interface Failure {
  readonly error: UnreachableError
  readonly untilMs: number
  readonly memoryMs: number
}

/**
 * Finds and makes connections: what is open, else the addresses at hand, else what the DHT says. One dial a node at a
 * time, which all that want the node share, and a failure is remembered for a moment.
 */
export class Connector {
  readonly #host: Host
  readonly #book: AddressBook
  readonly #paths: Pick<Paths, 'dial'>
  readonly #clock: Clock
  readonly #bootstrap: readonly string[]
  readonly #dialling = new Map<NodeKey, Promise<Connection>>()
  readonly #failures = new Map<NodeKey, Failure>()

  constructor(options: {
    host: Host
    book: AddressBook
    paths: Pick<Paths, 'dial'>
    clock: Clock
    bootstrap: readonly string[]
  }) {
    this.#host = options.host
    this.#book = options.book
    this.#paths = options.paths
    this.#clock = options.clock
    this.#bootstrap = options.bootstrap
  }

  /**
   * @param heard - where it may be beside what is known, to be tried first
   * @throws UnreachableError within DIAL_TIMEOUT_MS
   */
  async connect(node: NodeKey, heard: readonly string[] = []): Promise<Connection> {
    const open = openConnectionTo(this.#host, node)
    if (open !== undefined) return open
    const failure = this.#failures.get(node)
    if (failure !== undefined && this.#clock.monotonicMs() < failure.untilMs) throw failure.error
    const underway = this.#dialling.get(node)
    if (underway !== undefined) return await underway
    const dialling = this.#dial(node, heard).finally(() => this.#dialling.delete(node))
    this.#dialling.set(node, dialling)
    return await dialling
  }

  /** Forgets that dials to the node failed: it has just been heard of. */
  reached(node: NodeKey): void {
    this.#failures.delete(node)
  }

  /** Remembers that the node did not answer although there was a connection. */
  failed(node: NodeKey, error: UnreachableError): void {
    const before = this.#failures.get(node)?.memoryMs
    const memoryMs =
      before === undefined ? FIRST_FAILURE_MEMORY_MS : Math.min(before * 2, MAX_FAILURE_MEMORY_MS)
    this.#failures.set(node, { error, memoryMs, untilMs: this.#clock.monotonicMs() + memoryMs })
  }

  /**
   * Connects to bootstrap addresses and to members whose addresses are known, as far as there are no connections yet.
   * Never rejects: whoever is away is tried again the next time.
   */
  async join(members: readonly NodeKey[]): Promise<void> {
    const missing = members.filter(
      (node) => this.#book.of(node).length > 0 && openConnectionTo(this.#host, node) === undefined,
    )
    const room = Math.max(0, KEPT_CONNECTIONS - this.#host.getConnections().length)
    const attempts: (() => Promise<unknown>)[] = [
      ...this.#bootstrap.map((address) => () => this.#dialBootstrap(address)),
      ...missing.slice(0, room).map((node) => () => this.connect(node)),
    ]
    await mapConcurrently(attempts, JOIN_CONCURRENCY, (attempt) => attempt().catch(() => undefined))
  }

  async #dial(node: NodeKey, heard: readonly string[]): Promise<Connection> {
    try {
      const connection = await withDeadline(this.#clock, DIAL_TIMEOUT_MS, (signal) =>
        this.#search(node, heard, signal),
      )
      this.reached(node)
      return connection
    } catch (cause) {
      const error = new UnreachableError(node, messageOf(cause), { cause })
      this.failed(node, error)
      throw error
    }
  }

  async #search(node: NodeKey, heard: readonly string[], signal: AbortSignal): Promise<Connection> {
    const known = [...new Set([...heard, ...this.#book.of(node)])]
    let why: unknown
    try {
      return await this.#dialAt(node, known, signal)
    } catch (error) {
      why = error
    }
    await this.#enterDht(signal)
    const met = openConnectionTo(this.#host, node)
    if (met !== undefined) return met
    try {
      // Whoever was met on the way may relay to it, which is known sooner than what the DHT says.
      return await this.#dialAt(node, [], signal)
    } catch (error) {
      why = known.length > 0 ? why : error
    }
    const tried = new Set(known.map(withoutPeerId))
    const peer = peerOfNode(node)
    for await (const event of this.#host.services.dht.findPeer(peer, { signal, useCache: false })) {
      // The search itself may have come upon the node and connected to it.
      const open = openConnectionTo(this.#host, node)
      if (open !== undefined) return open
      if (event.name !== 'FINAL_PEER') continue
      const fresh = event.peer.multiaddrs
        .map((address) => withoutPeerId(address.toString()))
        .filter((address) => !tried.has(address))
      if (fresh.length === 0) continue
      for (const address of fresh) tried.add(address)
      this.#book.announced(node, fresh)
      try {
        return await this.#dialAt(node, this.#book.of(node), signal)
      } catch (error) {
        why = error
      }
    }
    throw why
  }

  async #dialAt(
    node: NodeKey,
    addresses: readonly string[],
    signal: AbortSignal,
  ): Promise<Connection> {
    const connection = await this.#paths.dial(node, addresses, {
      signal,
      dialDirect: (direct) => dialAddresses(this.#host, direct, signal),
    })
    assert(nodeKeyOfPeer(connection.remotePeer) === node, 'libp2p checks whom it reached')
    // Others cannot be dialled again at the address that they came from.
    if (connection.direction === 'outbound' && pathKindOf(connection) === 'direct') {
      this.#book.worked(node, connection.remoteAddr.toString())
    }
    return connection
  }

  async #dialBootstrap(address: string): Promise<void> {
    const node = nodeOfAddress(address)
    if (node !== undefined) {
      if (openConnectionTo(this.#host, node) !== undefined) return
      if (this.#book.of(node).length === 0) this.#book.announced(node, [address])
      // Whoever searches for that very node is the one who waits for this.
      if (this.#book.of(node).includes(address) && !this.#dialling.has(node)) {
        await this.connect(node)
        return
      }
    }
    await withDeadline(this.#clock, DIAL_TIMEOUT_MS, (signal) =>
      dialAddresses(this.#host, [address], signal),
    )
  }

  /** Returns once the routing table has a node to ask. */
  async #enterDht(signal: AbortSignal): Promise<void> {
    const { routingTable } = this.#host.services.dht as unknown as { routingTable: RoutingTable }
    if (routingTable.size > 0) return
    const added = new Promise<void>((resolve, reject) => {
      routingTable.addEventListener('peer:add', () => resolve(), { once: true, signal })
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    })
    const attempts = this.#bootstrap.map((address) => this.#dialBootstrap(address))
    // Whichever comes first: a node to ask, or the news that there is none.
    await Promise.race([
      added,
      Promise.any(attempts).then(
        () => added,
        () => (routingTable.size > 0 ? undefined : Promise.reject(new Error(NO_WAY_IN))),
      ),
    ])
  }
}

const NO_WAY_IN = 'its address is not known and no node that could tell it answers'

/** What kad-dht's routing table is besides what its types say. */
interface RoutingTable extends EventTarget {
  readonly size: number
}

function withoutPeerId(address: string): string {
  return address.replace(/\/p2p\/[^/]+$/, '')
}
