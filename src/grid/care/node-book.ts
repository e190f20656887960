import type { Clock } from '../../foundation/clock.ts'
import { mapConcurrently } from '../../foundation/concurrency.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { GridContext } from '../context.ts'
import type { GridView, StorageNodeInfo } from '../view.ts'
import { isThere, type Audited } from './audit.ts'
import { REPAIR_INTERVAL_MS, type NodeChances } from './durability.ts'
import type { CareMemory } from './memory.ts'
import {
  audited,
  availabilityOf,
  chanceOfLeaving,
  isDistrusted,
  isDoubted,
  isGone,
  newHistory,
  probed,
  type NodeHistory,
} from './node-history.ts'

/** What has been measured of the nodes of a grid, and what that says of each. */
export class NodeBook {
  readonly #memory: Pick<CareMemory, 'saveNodes'>
  readonly #clock: Clock
  readonly #histories: Map<NodeKey, NodeHistory>

  private constructor(
    memory: Pick<CareMemory, 'saveNodes'>,
    clock: Clock,
    histories: readonly NodeHistory[],
  ) {
    this.#memory = memory
    this.#clock = clock
    this.#histories = new Map(histories.map((history) => [history.node, history]))
  }

  static async open(memory: CareMemory, clock: Clock): Promise<NodeBook> {
    return new NodeBook(memory, clock, await memory.nodes())
  }

  get histories(): readonly NodeHistory[] {
    return [...this.#histories.values()]
  }

  of(node: NodeKey): NodeHistory | undefined {
    return this.#histories.get(node)
  }

  isGone(node: NodeKey): boolean {
    return isGone(this.of(node))
  }

  isDistrusted(node: NodeKey): boolean {
    return isDistrusted(this.of(node))
  }

  isDoubted(node: NodeKey): boolean {
    return isDoubted(this.of(node))
  }

  get distrusted(): ReadonlySet<NodeKey> {
    return new Set([...this.#histories.keys()].filter((node) => this.isDistrusted(node)))
  }

  /** When nodes were last asked whether they are there, in Unix ms; 0 before the first time. */
  get probedMs(): number {
    return Math.max(0, ...this.histories.map(({ probedMs }) => probedMs))
  }

  /**
   * Asks all nodes whether they are there. If none is, it may as well be our own line, and nothing is concluded.
   * @returns how many are there
   */
  async probe(context: GridContext, signal: AbortSignal): Promise<number> {
    const { nodes } = context.view
    const there = await mapConcurrently(nodes, NODES_AT_ONCE, async ({ key }) => {
      return await isThere(context, key, signal)
    })
    const count = there.filter(Boolean).length
    if (count === 0) return 0
    const nowMs = this.#clock.nowMs()
    nodes.forEach(({ key }, at) => {
      this.#histories.set(key, probed(this.#historyOf(key), { isUp: there[at] === true, nowMs }))
    })
    await this.#save(nodes)
    return count
  }

  async addAudits(view: GridView, outcomes: ReadonlyMap<NodeKey, Audited>): Promise<void> {
    const nowMs = this.#clock.nowMs()
    for (const [node, outcome] of outcomes) {
      this.#histories.set(node, audited(this.#historyOf(node), { ...outcome, nowMs }))
    }
    await this.#save(view.nodes)
  }

  /** How each node of the grid stands, in a form to compare: another standing of one is a reason to look again. */
  standing(view: GridView): string[] {
    return view.nodes.map((node) => {
      const { key } = node
      const isHere = isLeaving(node) ? 'leaving' : 'fine'
      const state = this.isGone(key) ? 'gone' : this.isDistrusted(key) ? 'distrusted' : isHere
      const isDoubtful = state === 'fine' && this.isDoubted(key)
      return `${isDoubtful ? 'doubted' : state} ${key.slice(0, 16)}`
    })
  }

  chances({ nodes }: GridView): NodeChances {
    const zones = new Map(nodes.map(({ key, zone }) => [key, zone]))
    return {
      zoneOf: (node) => zones.get(node) ?? node,
      availabilityOf: (node) => availabilityOf(this.of(node)),
      chanceOfLeaving: (node) => chanceOfLeaving(this.of(node), REPAIR_INTERVAL_MS),
    }
  }

  #historyOf(node: NodeKey): NodeHistory {
    return this.of(node) ?? newHistory(node, this.#clock.nowMs())
  }

  /** Who is no member any more is forgotten after a while: those who come back are known again. */
  async #save(nodes: GridView['nodes']): Promise<void> {
    const members = new Set(nodes.map(({ key }) => key))
    const nowMs = this.#clock.nowMs()
    for (const [node, { decayedMs }] of this.#histories) {
      if (!members.has(node) && nowMs - decayedMs > FORGOTTEN_MS) this.#histories.delete(node)
    }
    await this.#memory.saveNodes(this.histories)
  }
}

/** Nodes that failed to prove what they say to hold, when it was last tried. */
export async function distrustedNodes(
  memory: Pick<CareMemory, 'nodes'>,
): Promise<ReadonlySet<NodeKey>> {
  const distrusted = (await memory.nodes()).filter(isDistrusted)
  return new Set(distrusted.map(({ node }) => node))
}

/** Whether a node hands over what it keeps to others: it offers nothing any more. */
export function isLeaving({ capacityBytes }: StorageNodeInfo): boolean {
  return capacityBytes === 0
}

const NODES_AT_ONCE = 32
const FORGOTTEN_MS = 180 * 24 * 3_600_000
