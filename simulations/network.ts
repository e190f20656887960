import { toHex } from '../src/foundation/bytes.ts'
import { assert } from '../src/foundation/error.ts'
import type { Network } from '../src/protocol/network.ts'
import { nodeKey, type NodeKey } from '../src/protocol/node-key.ts'
import type { SimulatedClock } from './clock.ts'
import { SimulatedConnection } from './connection.ts'
import { SimulatedEndpoint } from './endpoint.ts'
import { SimulatedLine } from './line.ts'
import { PERFECT_LINK, type LinkConditions } from './link.ts'
import type { SeededRandomness } from './randomness.ts'
import type { Trace } from './trace.ts'
import { TrafficMeter } from './traffic.ts'

/**
 * A network in memory and virtual time that can be slow, lossy and cut. Every message passes through the real codec
 * and framing, cut into chunks at random, so it costs the bytes and meets the checks that it does on the real one.
 */
export class SimulatedNetwork {
  readonly clock: SimulatedClock
  readonly randomness: SeededRandomness
  readonly traffic = new TrafficMeter()
  readonly trace: Trace | undefined
  /** Tells when a link or node was disturbed, for judges who must excuse what follows. */
  onDisturbance: (node: NodeKey) => void = () => {}
  /** Tells that a service rejected, which none may do. */
  onServiceFailure: (node: NodeKey, error: unknown) => void = () => {}
  readonly #endpoints = new Map<NodeKey, SimulatedEndpoint>()
  readonly #connections = new Map<string, SimulatedConnection>()
  readonly #links = new Map<NodeKey, LinkConditions>()
  readonly #lines = new Map<NodeKey, { readonly up: SimulatedLine; readonly down: SimulatedLine }>()
  readonly #cutOff = new Set<NodeKey>()
  readonly #defaults: LinkConditions

  constructor(options: {
    clock: SimulatedClock
    randomness: SeededRandomness
    link?: Partial<LinkConditions>
    trace?: Trace
  }) {
    this.clock = options.clock
    this.randomness = options.randomness
    this.trace = options.trace
    this.#defaults = { ...PERFECT_LINK, ...options.link }
  }

  /** A new place on the network; its key is drawn unless given. */
  join(key: NodeKey = randomNodeKey(this.randomness)): SimulatedEndpoint & Network {
    assert(!this.#endpoints.has(key), 'a key joins once')
    const endpoint = new SimulatedEndpoint(this, key)
    this.#endpoints.set(key, endpoint)
    return endpoint
  }

  endpoint(key: NodeKey): SimulatedEndpoint | undefined {
    return this.#endpoints.get(key)
  }

  /** What every message to and from `node` meets from now on; the worse of two ends' counts. */
  setLink(node: NodeKey, conditions: Partial<LinkConditions>): void {
    this.#links.set(node, { ...this.#defaults, ...conditions })
  }

  /** From now on all that `key` asks and is answered shares a line of so many bytes a millisecond. */
  setLine(key: NodeKey, { upBytesPerMs, downBytesPerMs }: LineRates): void {
    this.#lines.set(key, {
      up: new SimulatedLine(this.clock, upBytesPerMs),
      down: new SimulatedLine(this.clock, downBytesPerMs),
    })
  }

  line(key: NodeKey, direction: 'up' | 'down'): SimulatedLine | undefined {
    return this.#lines.get(key)?.[direction]
  }

  /** The conditions between two nodes. */
  link(a: NodeKey, b: NodeKey): LinkConditions {
    const [one, other] = [
      this.#links.get(a) ?? this.#defaults,
      this.#links.get(b) ?? this.#defaults,
    ]
    return {
      latencyMs: Math.max(one.latencyMs, other.latencyMs),
      bytesPerMs: Math.min(one.bytesPerMs, other.bytesPerMs),
      breakChance: Math.max(one.breakChance, other.breakChance),
      stallChance: Math.max(one.stallChance, other.stallChance),
    }
  }

  /** Silently drops everything between `nodes` and the others: cables cut, firewalls, a lost route. */
  partition(nodes: Iterable<NodeKey>): void {
    for (const node of nodes) {
      this.#cutOff.add(node)
      this.onDisturbance(node)
    }
  }

  /** Ends all partitions. Connections that went silent meanwhile stay so until somebody notices. */
  heal(): void {
    for (const node of this.#cutOff) this.onDisturbance(node)
    this.#cutOff.clear()
  }

  isCut(a: NodeKey, b: NodeKey): boolean {
    return this.#cutOff.has(a) !== this.#cutOff.has(b)
  }

  /** Whether messages get through: no cut between, and no connection that went silent unnoticed. */
  isSound(caller: NodeKey, node: NodeKey): boolean {
    const connection = this.#connections.get(`${caller}>${node}`)
    return !this.isCut(caller, node) && connection?.isSilent !== true
  }

  /** The connection from `caller` to `node`, a new one if the last is gone. */
  connection(caller: NodeKey, node: NodeKey): SimulatedConnection {
    const name = `${caller}>${node}`
    const existing = this.#connections.get(name)
    if (existing?.isOpen === true) return existing
    const connection = new SimulatedConnection(this, caller, node)
    this.#connections.set(name, connection)
    return connection
  }

  /** Breaks every connection of `node`: both ends learn of it. */
  disconnect(node: NodeKey, why: string): void {
    for (const connection of this.#connections.values()) {
      if (connection.caller === node || connection.node === node) connection.break(why)
    }
  }

  /** Counts the calls and bytes of everything that happens during `work`. */
  async measure<T>(work: () => Promise<T>): Promise<{ result: T; traffic: TrafficMeter }> {
    const before = this.traffic.snapshot()
    const result = await work()
    return { result, traffic: this.traffic.since(before) }
  }

  /** Notes one message. */
  note(text: string): void {
    this.trace?.note(this.clock.monotonicMs(), text)
  }
}

export interface LineRates {
  readonly upBytesPerMs: number
  readonly downBytesPerMs: number
}

export function randomNodeKey(randomness: SeededRandomness): NodeKey {
  return nodeKey(toHex(randomness.bytes(32)))
}
