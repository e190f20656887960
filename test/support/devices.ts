import {
  slotWriteKey,
  slotWriteKeys,
  type SlotWriteKeys,
} from '../../src/capabilities/slot-keys.ts'
import { sha256 } from '../../src/crypto/hash.ts'
import { toHex, utf8 } from '../../src/foundation/bytes.ts'
import type { SlotClient, SlotState, SlotUpdate, WrittenSlot } from '../../src/grid/slots/client.ts'
import type { SlotContents } from '../../src/grid/slots/contents.ts'
import { VolatileSlotMemory, type SlotMemory } from '../../src/grid/slots/memory.ts'
import type { SmallStore } from '../../src/grid/slots/stored-memory.ts'
import type { WriteOptions } from '../../src/grid/slots/client.ts'

import { Ranking } from '../../src/grid/placement/rank.ts'
import { loadErasureEngine } from '../../src/erasure/engines.ts'
import { openGrid, type Grid } from '../../src/grid/grid.ts'
import { blockIdOf } from '../../src/protocol/manifest.ts'
import type { Op, Reply, ReplyOf, Request, RequestOf } from '../../src/protocol/messages.ts'
import type { Caller } from '../../src/protocol/network.ts'
import type { NodeKey } from '../../src/protocol/node-key.ts'
import type { TestGrid } from './grid.ts'

/** A slot of its own for each name. */
export function testSlot(name = 'a slot'): SlotWriteKeys {
  return slotWriteKeys(slotWriteKey(sha256(utf8(name))))
}

/** What a test writes: words, kept as the name of the device, in order and each once. */
export function saying(...words: readonly string[]): SlotContents {
  const distinct = [...new Set(words)].sort()
  return { kind: 'file', parents: [], device: distinct.join(' ') }
}

/** All words of a slot's states together. */
export function wordsOf({ heads }: Pick<SlotState, 'heads'>): string[] {
  return saying(...heads.flatMap(({ contents }) => (contents.device ?? '').split(' ')))
    .device!.split(' ')
    .filter((word) => word !== '')
}

/** Adds a word to what the slot says, merging its states. */
export function adding(word: string): SlotUpdate {
  return ({ heads }) => ({ contents: saying(...wordsOf({ heads }), word) })
}

/** One member's device: a client with a memory, which a test may copy, lose or give to the next process. */
export class TestDevice implements AsyncDisposable {
  readonly grid: TestGrid
  readonly memory: SlotMemory
  readonly slots: SlotClient

  /** Every block that it has sent shares of, in hex. */
  readonly blocksPut = new Set<string>()
  /** Nodes that lie to this device about slots. */
  readonly liars = new Map<NodeKey, SlotLie>()
  readonly own: Grid

  constructor(
    grid: TestGrid,
    {
      client = 0,
      memory = new VolatileSlotMemory(),
    }: { client?: number; memory?: SlotMemory } = {},
  ) {
    this.grid = grid
    this.memory = memory
    const { endpoint } = grid.world.clients[client]!
    const { clock, view, randomness } = grid.world
    this.own = openGrid({
      caller: lyingCaller(noting(endpoint, this.blocksPut), this.liars),
      view,
      clock,
      randomness: randomness.fork(`device ${devices++}`),
      erasure: loadErasureEngine(),
      convergence: new Uint8Array(32),
    })
    this.slots = this.own.openSlotClient({ memory })
  }

  async read(keys: SlotWriteKeys): Promise<SlotState> {
    return await this.grid.run(() => this.slots.read(keys))
  }

  async write(
    keys: SlotWriteKeys,
    update: SlotUpdate,
    options?: WriteOptions,
  ): Promise<WrittenSlot | undefined> {
    return await this.grid.run(() => this.slots.write(keys, update, options))
  }

  /** Waits for what goes on in the background. */
  async settle(): Promise<void> {
    await this.grid.run(() => this.slots.settle())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.grid.run(async () => {
      await this.slots[Symbol.asyncDispose]()
    })
    this.own[Symbol.dispose]()
  }
}

let devices = 0

/** What a node answers instead of the honest reply. */
export type SlotLie = (request: Request, honest: () => Promise<Reply>) => Promise<Reply>

/** Answers questions about slots as they were when it began, and forgets what it is told. */
export async function rollingBack(
  device: TestDevice,
  at: number,
  keys: SlotWriteKeys,
): Promise<void> {
  const { grid, liars } = device
  const { key } = grid.nodes[at]!
  const request = { op: 'slot-get' as const, slots: [keys.slot] }
  const old = await grid.run(() => grid.world.client.endpoint.call<'slot-get'>(key, request))
  liars.set(key, async (asked, honest) => {
    if (asked.op === 'slot-get') return { ...old, heads: asked.slots.map(() => old.heads[0] ?? []) }
    if (asked.op === 'slot-put') return { op: 'slot-put', outcome: 'stored', heads: [asked.record] }
    return await honest()
  })
}

function noting(caller: Caller, blocksPut: Set<string>): Caller {
  return {
    call: async (node, request, options) => {
      if (request.op === 'put') blocksPut.add(toHex(blockIdOf(request.manifest)))
      return await caller.call(node, request, options)
    },
  }
}

function lyingCaller(caller: Caller, liars: ReadonlyMap<NodeKey, SlotLie>): Caller {
  return {
    call: async <O extends Op>(
      node: NodeKey,
      request: RequestOf<O>,
      options?: { readonly signal?: AbortSignal | undefined },
    ): Promise<ReplyOf<O>> => {
      const honest = async (): Promise<ReplyOf<O>> => await caller.call<O>(node, request, options)
      const lie = liars.get(node)
      return lie === undefined ? await honest() : await lie(request, honest)
    },
  }
}

/** How many nodes hold this very state of a slot. */
export async function copiesOf(grid: TestGrid, written: WrittenSlot): Promise<number> {
  const { record } = written.record
  let copies = 0
  for (const node of grid.nodes) {
    if (!node.isUp) continue
    const request = { op: 'slot-get' as const, slots: [record.slot] }
    const { heads } = await grid.run(() =>
      grid.world.client.endpoint.call<'slot-get'>(node.key, request),
    )
    if (heads[0]?.some((head) => Buffer.compare(head, record.bytes) === 0) === true) copies += 1
  }
  return copies
}

/** Small values in memory, which a test may copy as a backup does. */
export class MemoryStore implements SmallStore {
  readonly values: Map<string, Uint8Array>

  constructor(values = new Map<string, Uint8Array>()) {
    this.values = values
  }

  copy(): MemoryStore {
    return new MemoryStore(new Map(this.values))
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    return await Promise.resolve(this.values.get(name))
  }

  async write(name: string, value: Uint8Array): Promise<void> {
    this.values.set(name, value.slice())
    await Promise.resolve()
  }

  async remove(name: string): Promise<void> {
    this.values.delete(name)
    await Promise.resolve()
  }

  async names(): Promise<readonly string[]> {
    return await Promise.resolve([...this.values.keys()])
  }
}

/** The numbers of the nodes in a slot's order. */
export function orderOf(grid: TestGrid, keys: SlotWriteKeys): number[] {
  const ranked = new Ranking(grid.world.view).order(keys.slot, 10)
  return ranked.map(({ key }) => grid.nodes.findIndex((node) => node.key === key))
}
