import type { FileReadCapability, LiteralCapability } from '../../src/capabilities/capability.ts'
import { erasureCode } from '../../src/erasure/code.ts'
import { assert } from '../../src/foundation/error.ts'
import type { CheckableCapability } from '../../src/grid/blocks/walk.ts'
import type { ShareSet } from '../../src/grid/blocks/encode.ts'
import type { CheckOptions, CheckReport } from '../../src/grid/check.ts'
import type { GetOptions } from '../../src/grid/download.ts'
import type { Grid } from '../../src/grid/grid.ts'
import type { RepairOptions, RepairReport } from '../../src/grid/repair.ts'
import type { PutOptions } from '../../src/grid/upload.ts'
import type { PutResult } from '../../src/grid/upload-tally.ts'
import { readAll, sourceOf } from '../../simulations/bytes.ts'
import type { SimulatedNode } from '../../simulations/node.ts'
import type { TrafficMeter } from '../../simulations/traffic.ts'
import { World, type WorldOptions } from '../../simulations/world.ts'

/**
 * A whole grid in one process, with real nodes and a real client in virtual time: nothing waits, and what hangs is
 * reported at once. Its operations run the clock by themselves; anything else that waits goes through {@link run}.
 *
 *     await using grid = await testGrid({ nodes: 10 })
 *     const { capability } = await grid.put(bytes)
 *     grid.nodes[3].freeze()
 *     expect(await grid.get(capability)).toEqual(bytes)
 */
export class TestGrid implements AsyncDisposable {
  readonly world: World

  constructor(world: World) {
    this.world = world
  }

  get nodes(): readonly SimulatedNode[] {
    return this.world.nodes
  }

  get client(): Grid {
    return this.world.client.grid
  }

  async put(bytes: Uint8Array, options?: PutOptions): Promise<PutResult> {
    return await this.run(() => this.client.put(sourceOf(bytes), options))
  }

  /** Stores a file that is too large to be a literal. */
  async store(bytes: Uint8Array, options?: PutOptions): Promise<StoredTestFile> {
    const result = await this.put(bytes, options)
    assert(result.capability.kind === 'file-read', 'the file is no literal')
    return { ...result, capability: result.capability }
  }

  async get(
    capability: FileReadCapability | LiteralCapability,
    options?: GetOptions,
  ): Promise<Uint8Array> {
    return await this.run(() => readAll(this.client, capability, options))
  }

  async check(capability: CheckableCapability, options?: CheckOptions): Promise<CheckReport> {
    return await this.run(() => this.client.check(capability, options))
  }

  async repair(capability: CheckableCapability, options?: RepairOptions): Promise<RepairReport> {
    return await this.run(() => this.client.repair(capability, options))
  }

  /** Lets virtual time pass until `work` is done. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    return await this.world.run(work)
  }

  /** What `work` costs in calls, bytes and virtual time. */
  async measure<T>(work: () => Promise<T>): Promise<Cost<T>> {
    const startMs = this.world.clock.monotonicMs()
    const { result, traffic } = await this.world.network.measure(work)
    return { result, traffic, tookMs: this.world.clock.monotonicMs() - startMs }
  }

  /** The nodes that hold share 0, 1, 2, … of a file's block; the first by default. */
  holders({ placements }: PutResult, block = 0): SimulatedNode[] {
    const { shares } = placements[block] ?? { shares: [] }
    return shares.map(({ node }) => this.world.node(node))
  }

  /** Hands shares to the nodes past every check of a well-behaved client: share i of each block to node i. */
  async plant(blocks: readonly ShareSet[]): Promise<void> {
    const caller = this.world.client.endpoint
    await this.run(async () => {
      for (const { manifest, shards } of blocks) {
        for (const [index, shard] of shards.entries()) {
          const node = this.nodes[index % this.nodes.length] as SimulatedNode
          const request = { op: 'put' as const, manifest, index, leaseS: 1_000, shard }
          const { outcome } = await caller.call<'put'>(node.key, request)
          assert(outcome === 'stored' || outcome === 'have', `a share was planted: ${outcome}`)
        }
      }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client[Symbol.dispose]()
    for (const node of this.nodes) node.crash()
    assert(this.world.bugs.length === 0, this.world.bugs.join('\n'))
    return await Promise.resolve()
  }
}

export interface StoredTestFile extends PutResult {
  readonly capability: FileReadCapability
}

export interface Cost<T> {
  readonly result: T
  readonly traffic: TrafficMeter
  readonly tookMs: number
}

/** Ten nodes in ten zones, one millisecond apart, unless told otherwise. */
export async function testGrid(options: Partial<WorldOptions> = {}): Promise<TestGrid> {
  const link = { latencyMs: 1 }
  return new TestGrid(await World.open({ seed: 'test grid', nodes: 10, link, ...options }))
}

/** Bytes that look random and are the same every time. */
export function someBytes(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed
  for (let at = 0; at < length; at++) {
    // A linear congruential generator (Numerical Recipes); its high bits are good enough to look at.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    bytes[at] = state >>> 24
  }
  return bytes
}

export const threeOfTen = erasureCode(3, 10)
