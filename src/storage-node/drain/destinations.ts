import { toHex } from '../../foundation/bytes.ts'
import { mapConcurrently } from '../../foundation/concurrency.ts'
import { HayloftError } from '../../foundation/error.ts'
import { shareIndices } from '../../protocol/bitmap.ts'
import type { BlockId } from '../../protocol/block-id.ts'
import type { Op, ReplyOf, RequestOf } from '../../protocol/messages.ts'
import { RefusedError, type Caller } from '../../protocol/network.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { SlotKey } from '../../protocol/slot-key.ts'

/** A node that may take a share. */
export interface Destination {
  readonly key: NodeKey
  /** The household that it stands in. */
  readonly zone: string
}

export interface DestinationsOptions {
  readonly caller: Caller
  /** All other nodes, best first, for a block or slot of which n shares or copies are kept. */
  readonly order: (id: BlockId | SlotKey, total: number) => readonly Destination[]
  readonly signal: AbortSignal
}

/** Nodes asked at once what they hold. */
const ASK_CONCURRENCY = 8

/** Knows where things may go: who holds what already, and who does not answer. */
export class Destinations {
  readonly #options: DestinationsOptions
  /** Nodes that could not be reached; for the rest of this run they are left alone. */
  readonly #away = new Set<NodeKey>()

  constructor(options: DestinationsOptions) {
    this.#options = options
  }

  /** Asks every node which shares of these blocks it holds. */
  async holdersOf(ids: readonly BlockId[]): Promise<Holders> {
    const holders = new Holders()
    const [first] = ids
    if (first === undefined) return holders
    const nodes = this.#options.order(first, 1).filter(({ key }) => !this.#away.has(key))
    await mapConcurrently(nodes, ASK_CONCURRENCY, async ({ key }) => {
      const reply = await this.ask<'have'>(key, { op: 'have', ids })
      if (typeof reply === 'string') return
      for (const [at, id] of ids.entries()) {
        const bitmap = reply.holdings[at]
        for (const index of bitmap === undefined ? [] : shareIndices(bitmap)) {
          holders.add(id, { node: key, index })
        }
      }
    })
    return holders
  }

  /** The same of slots. */
  async slotHoldersOf(slots: readonly SlotKey[]): Promise<Holders> {
    const holders = new Holders()
    const [first] = slots
    if (first === undefined) return holders
    const nodes = this.#options.order(first, 1).filter(({ key }) => !this.#away.has(key))
    await mapConcurrently(nodes, ASK_CONCURRENCY, async ({ key }) => {
      const reply = await this.ask<'slot-get'>(key, { op: 'slot-get', slots })
      if (typeof reply === 'string') return
      for (const [at, slot] of slots.entries()) {
        if ((reply.heads[at] ?? []).length > 0) holders.add(slot, { node: key, index: 0 })
      }
    })
    return holders
  }

  /**
   * Nodes in the order in which to offer them a share: first those without one of this block, whose household is not yet
   * at its part of them; then others without; then those that hold one, this very one first.
   */
  choicesFor(
    { id, index, total }: { id: BlockId | SlotKey; index: number; total: number },
    holders: Holders,
  ): { readonly key: NodeKey; readonly isCrowded: boolean }[] {
    const nodes = this.#options.order(id, total).filter(({ key }) => !this.#away.has(key))
    const held = holders.of(id)
    const zones = new Map<string, number>()
    for (const { key, zone } of nodes) {
      if (held.has(key)) zones.set(zone, (zones.get(zone) ?? 0) + 1)
    }
    const perZone = Math.ceil(total / Math.max(1, new Set(nodes.map(({ zone }) => zone)).size))
    const classOf = ({ key, zone }: Destination): number => {
      const indices = held.get(key)
      if (indices !== undefined) return indices.has(index) ? 2 : 3
      return (zones.get(zone) ?? 0) < perZone ? 0 : 1
    }
    // Sorting keeps the order of what is alike.
    return nodes
      .map(({ key, zone }) => ({ key, rank: classOf({ key, zone }) }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ key, rank }) => ({ key, isCrowded: rank === 3 }))
  }

  /** @returns `away` from a node that does not answer, `refused` from one that answers otherwise */
  async ask<O extends Op>(
    node: NodeKey,
    request: RequestOf<O>,
  ): Promise<ReplyOf<O> | 'away' | 'refused'> {
    const { caller, signal } = this.#options
    try {
      return await caller.call<O>(node, request, { signal })
    } catch (error) {
      signal.throwIfAborted()
      // What the world breaks means: not this node. Our own bugs must come out.
      if (!(error instanceof HayloftError)) throw error
      if (error instanceof RefusedError && error.reason !== 'internal') return 'refused'
      this.#away.add(node)
      return 'away'
    }
  }
}

/** Who holds what of some blocks or slots; grows as things are moved. */
export class Holders {
  readonly #byId = new Map<string, Map<NodeKey, Set<number>>>()

  add(id: Uint8Array, { node, index }: { node: NodeKey; index: number }): void {
    const name = toHex(id)
    const nodes = this.#byId.get(name) ?? new Map<NodeKey, Set<number>>()
    nodes.set(node, (nodes.get(node) ?? new Set<number>()).add(index))
    this.#byId.set(name, nodes)
  }

  of(id: Uint8Array): ReadonlyMap<NodeKey, ReadonlySet<number>> {
    return this.#byId.get(toHex(id)) ?? new Map()
  }
}
