import { blockId, type BlockIdHex } from '../src/protocol/block-id.ts'
import { fromHex } from '../src/foundation/bytes.ts'
import type { FileReadCapability, LiteralCapability } from '../src/capabilities/capability.ts'
import type { CheckReport } from '../src/grid/check.ts'
import type { PutResult } from '../src/grid/upload-tally.ts'
import type { NodeKey } from '../src/protocol/node-key.ts'
import type { SimulatedNode } from './node.ts'
import type { World } from './world.ts'

/** A file that an upload has acknowledged. */
export interface StoredFile {
  readonly name: string
  readonly bytes: Uint8Array
  readonly capability: FileReadCapability | LiteralCapability
  readonly required: number
  readonly total: number
  readonly blocks: readonly BlockIdHex[]
}

/**
 * Knows the truth about a world and tells whether what a client was told is compatible with it. The truth is taken
 * from the drives, before and after an operation, and only nodes that nothing happened to in between are counted on.
 */
export class Judge {
  readonly #world: World
  readonly #disturbances = new Map<NodeKey, number>()
  /** What was promised: by block, which node acknowledged which share. */
  readonly #promises = new Map<BlockIdHex, { readonly index: number; readonly node: NodeKey }[]>()

  constructor(world: World) {
    this.#world = world
    world.network.onDisturbance = (node) => {
      this.#disturbances.set(node, (this.#disturbances.get(node) ?? 0) + 1)
    }
  }

  /** Notes the promises of an upload that succeeded. @returns the file, as it must be readable from now on */
  accept(name: string, bytes: Uint8Array, result: PutResult): StoredFile {
    for (const { id, shares } of result.placements) {
      this.#promises.set(id, [...(this.#promises.get(id) ?? []), ...shares])
    }
    return {
      name,
      bytes,
      capability: result.capability,
      required: result.code.required,
      total: result.code.total,
      blocks: result.placements.map(({ id }) => id),
    }
  }

  /** Broken promises: shares that a loyal, running node has acknowledged and does not have. */
  async brokenPromises(): Promise<string[]> {
    const broken: string[] = []
    for (const [id, promises] of this.#promises) {
      for (const { index, node: key } of promises) {
        const node = this.#world.node(key)
        if (!node.isLoyal || !node.isUp) continue
        const good = await node.goodShares(blockIdOfHex(id))
        if (!good.includes(index)) {
          broken.push(`${node.info.name} acknowledged share ${index} of ${short(id)} and lost it`)
        }
      }
    }
    return broken
  }

  /** Who holds what right now. */
  async look(file: StoredFile): Promise<Sight> {
    const shares = new Map<BlockIdHex, Map<NodeKey, readonly number[]>>()
    for (const id of file.blocks) {
      const holders = new Map<NodeKey, readonly number[]>()
      for (const node of this.#world.nodes) {
        holders.set(node.key, await node.goodShares(blockIdOfHex(id)))
      }
      shares.set(id, holders)
    }
    const steady = new Map<NodeKey, number>()
    for (const node of this.#world.nodes) {
      if (this.#canBeReliedOn(node)) steady.set(node.key, this.#disturbances.get(node.key) ?? 0)
    }
    const prompt = new Set([...steady.keys()].filter((key) => this.#isPrompt(key)))
    return { shares, steady, prompt }
  }

  /** Whether a file had to be readable all the time between two looks. */
  mustBeReadable(file: StoredFile, before: Sight, after: Sight): boolean {
    return file.blocks.every((id) => this.#steadyShares(id, before, after).size >= file.required)
  }

  /** The same by nodes that answer soon: a check does not wait for the others, and says who they are. */
  #mustBeSeen(file: StoredFile, before: Sight, after: Sight): boolean {
    const promptOnly = (sight: Sight): Sight => ({
      ...sight,
      steady: new Map([...sight.steady].filter(([key]) => sight.prompt.has(key))),
    })
    return this.mustBeReadable(file, promptOnly(before), promptOnly(after))
  }

  /** What a check said that cannot be true, given what was there before and after it. */
  contradictions(
    file: StoredFile,
    report: CheckReport,
    { before, after, isFull }: { before: Sight; after: Sight; isFull: boolean },
  ): string[] {
    const found: string[] = []
    if (report.recoverable !== true && this.#mustBeSeen(file, before, after)) {
      found.push('check does not find a readable file')
    }
    if (report.recoverable === false && this.mustBeReadable(file, before, after)) {
      found.push('check calls a readable file lost')
    }
    if (!isFull || !report.healthy) return found
    for (const id of file.blocks) {
      const possible = this.#possibleShares(id, before, after)
      if (possible.size < file.total) {
        found.push(`check calls ${short(id)} healthy with ${possible.size} of ${file.total} shares`)
      }
    }
    return found
  }

  #canBeReliedOn(node: SimulatedNode): boolean {
    const { readFailureChance, readMs } = node.drive.conditions
    if (!node.isUp || !node.isHonest || readFailureChance > 0) return false
    // Readers have patience with a slow drive or a slow line, but not with both.
    if (readMs > PROMPT_READ_MS && !this.#isPrompt(node.key, Infinity)) return false
    return this.#world.clients.every(({ endpoint }) =>
      this.#world.network.isSound(endpoint.self, node.key),
    )
  }

  #isPrompt(key: NodeKey, mostReadMs = PROMPT_READ_MS): boolean {
    const { conditions } = this.#world.node(key).drive
    return (
      conditions.readMs <= mostReadMs &&
      this.#world.clients.every(
        ({ endpoint }) =>
          this.#world.network.link(endpoint.self, key).latencyMs <= PROMPT_LATENCY_MS,
      )
    )
  }

  /** Indices on nodes that were well before and after and not disturbed in between. */
  #steadyShares(id: BlockIdHex, before: Sight, after: Sight): Set<number> {
    const indices = new Set<number>()
    for (const [key, disturbances] of before.steady) {
      if (after.steady.get(key) !== disturbances) continue
      const now = after.shares.get(id)?.get(key) ?? []
      const then = before.shares.get(id)?.get(key) ?? []
      // One share a node: a reader may be content with any that it holds.
      const index = then.find((held) => now.includes(held))
      if (index !== undefined) indices.add(index)
    }
    return indices
  }

  /** Indices that any node may have had at some time between. */
  #possibleShares(id: BlockIdHex, before: Sight, after: Sight): Set<number> {
    const indices = new Set<number>()
    for (const { key, handsOutDecoys } of this.#world.nodes) {
      for (const sight of [before, after]) {
        for (const index of sight.shares.get(id)?.get(key) ?? []) indices.add(index)
      }
      if (before.steady.get(key) === after.steady.get(key) && !handsOutDecoys) continue
      // Up at some time, down at both looks: it may have shown whatever it was given.
      for (const promise of this.#promises.get(id) ?? []) {
        if (promise.node === key) indices.add(promise.index)
      }
    }
    return indices
  }
}

/** The truth at one moment. */
export interface Sight {
  readonly shares: ReadonlyMap<BlockIdHex, ReadonlyMap<NodeKey, readonly number[]>>
  /** Nodes in good order, with how often they were disturbed up to now. */
  readonly steady: ReadonlyMap<NodeKey, number>
  /** Those of them that answer fast. */
  readonly prompt: ReadonlySet<NodeKey>
}

/** Slower than these is suspiciously slow. */
const PROMPT_READ_MS = 100
const PROMPT_LATENCY_MS = 200

function blockIdOfHex(id: BlockIdHex): ReturnType<typeof blockId> {
  return blockId(fromHex(id) ?? new Uint8Array())
}

function short(id: BlockIdHex): string {
  return `block ${id.slice(0, 8)}`
}
