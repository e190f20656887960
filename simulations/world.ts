import type { ErasureEngine } from '../src/erasure/engine.ts'
import { loadErasureEngine } from '../src/erasure/engines.ts'
import { assert } from '../src/foundation/error.ts'
import { openGrid, type Grid } from '../src/grid/grid.ts'
import type { GridView } from '../src/grid/view.ts'
import type { NodeKey } from '../src/protocol/node-key.ts'
import { SimulatedClock } from './clock.ts'
import { SimulatedDrive, type DriveConditions } from './disk.ts'
import type { SimulatedEndpoint } from './endpoint.ts'
import { SeenShares } from './liars.ts'
import { KnownBlocksInMemory } from './known-blocks.ts'
import type { LinkConditions } from './link.ts'
import { randomNodeKey, SimulatedNetwork } from './network.ts'
import { SimulatedNode } from './node.ts'
import { SeededRandomness } from './randomness.ts'
import type { Trace } from './trace.ts'

export interface WorldOptions {
  readonly seed: number | string
  readonly nodes: number
  /** Households that the nodes are dealt to in turn; one a node by default. */
  readonly zones?: number
  readonly clients?: number
  /** Of each node, in bytes; one GiB by default. */
  readonly capacityBytes?: number
  readonly link?: Partial<LinkConditions>
  readonly drive?: Partial<DriveConditions>
  /** Whether nodes sweep, collect and scrub in the background; not by default. */
  readonly maintains?: boolean
  readonly erasure?: ErasureEngine
  readonly trace?: Trace
}

/**
 * A whole grid in one process and in virtual time: real storage nodes and real clients, over a network and drives that
 * are simulated. The same seed and the same calls give the same run, to the byte.
 */
export class World {
  readonly clock = new SimulatedClock()
  readonly randomness: SeededRandomness
  readonly network: SimulatedNetwork
  readonly nodes: readonly SimulatedNode[]
  readonly clients: readonly Client[]
  readonly view: GridView
  /** What nodes did that no node may do, whatever the world does to it. */
  readonly bugs: string[] = []
  readonly #convergence: Uint8Array
  readonly #erasure: ErasureEngine

  private constructor(options: WorldOptions) {
    const { zones = options.nodes, capacityBytes = 2 ** 30, trace } = options
    this.randomness = new SeededRandomness(options.seed)
    this.#convergence = this.randomness.fork('convergence').bytes(32)
    this.#erasure = options.erasure ?? loadErasureEngine()
    this.network = new SimulatedNetwork({
      clock: this.clock,
      randomness: this.randomness.fork('network'),
      ...(options.link && { link: options.link }),
      ...(trace && { trace }),
    })
    this.network.onServiceFailure = (node, error) => {
      this.bugs.push(`node ${node.slice(0, 6)} rejected a request: ${String(error)}`)
    }
    const keys = this.randomness.fork('keys')
    const seen = new SeenShares()
    this.nodes = Array.from({ length: options.nodes }, (_, at) => {
      const randomness = this.randomness.fork(`node ${at}`)
      const drive = new SimulatedDrive({
        clock: this.clock,
        randomness: randomness.fork('drive'),
        ...(options.drive && { conditions: options.drive }),
      })
      const endpoint = this.network.join(randomNodeKey(keys))
      const name = `node-${String(at + 1).padStart(2, '0')}`
      const zone = `zone-${(at % zones) + 1}`
      return new SimulatedNode({
        info: { key: endpoint.self, name, zone, capacityBytes },
        drive,
        endpoint,
        clock: this.clock,
        randomness,
        seen,
        maintains: options.maintains ?? false,
        onBug: (what) => this.bugs.push(what),
      })
    })
    this.view = { gridId: keys.bytes(32), nodes: this.nodes.map(({ info }) => info) }
    this.clients = Array.from({ length: options.clients ?? 1 }, (_, at) => this.#openClient(at))
  }

  /** Builds a world and starts its nodes. */
  static async open(options: WorldOptions): Promise<World> {
    const world = new World(options)
    await world.run(async () => {
      for (const node of world.nodes) await node.start()
    })
    return world
  }

  /** The first client; most worlds have no other. */
  get client(): Client {
    return this.clients[0] as Client
  }

  node(key: NodeKey): SimulatedNode {
    const found = this.nodes.find((node) => node.key === key)
    assert(found !== undefined, 'the node is of this world')
    return found
  }

  /** Does `work` and lets virtual time pass until it is done. @throws StuckError if it hangs */
  async run<T>(work: () => Promise<T>, limitMs?: number): Promise<T> {
    return await this.clock.run(work, limitMs === undefined ? {} : { limitMs })
  }

  #openClient(at: number): Client {
    const randomness = this.randomness.fork(`client ${at}`)
    const endpoint = this.network.join(randomNodeKey(randomness))
    const grid = openGrid({
      caller: endpoint,
      view: this.view,
      clock: this.clock,
      randomness,
      erasure: this.#erasure,
      convergence: this.#convergence,
      knownBlocks: new KnownBlocksInMemory(),
    })
    return { grid, endpoint }
  }
}

/** A member's device that stores nothing for others. All clients of a world share one convergence secret. */
export interface Client {
  readonly grid: Grid
  readonly endpoint: SimulatedEndpoint
}
