import { taggedHash } from '../../crypto/hash.ts'
import { TAGS } from '../../crypto/tags.ts'
import { viewOf } from '../../foundation/bytes.ts'
import type { BlockId } from '../../protocol/block-id.ts'
import { nodeKeyBytes } from '../../protocol/node-key.ts'
import type { SlotKey } from '../../protocol/slot-key.ts'
import { zonesOf, type GridView, type StorageNodeInfo } from '../view.ts'

/**
 * All nodes in the order in which they are asked to keep shares of a block or copies of a slot, by weighted rendezvous hashing: every
 * client computes the same order from the id alone, a node gets its part by its capacity, and a node that joins or
 * leaves moves only its own shares. Order depends on the block's *group* (top 10 bits of the id), so that at most
 * 1,024 sets of nodes hold some block together, and few joint losses lose data.
 */
export class Ranking {
  readonly #view: GridView
  readonly #byGroup = new Map<number, readonly StorageNodeInfo[]>()
  #nodes: readonly StorageNodeInfo[]

  constructor(view: GridView) {
    this.#view = view
    this.#nodes = view.nodes
  }

  /** Best first. */
  rank(id: BlockId | SlotKey): readonly StorageNodeInfo[] {
    const group = groupOf(id)
    const { nodes } = this.#view
    if (nodes !== this.#nodes) {
      this.#nodes = nodes
      this.#byGroup.clear()
    }
    let ranked = this.#byGroup.get(group)
    if (ranked === undefined) {
      ranked = rankNodes(this.#view, group)
      this.#byGroup.set(group, ranked)
    }
    return ranked
  }

  /**
   * The rank as an uploader walks it to place n shares: at most ⌈n / zones⌉ nodes of one zone first, then, to make
   * up for a shortfall, the rest. One share goes to each, so the first n are the block's own nodes.
   */
  order(id: BlockId | SlotKey, total: number): readonly StorageNodeInfo[] {
    return spreadOverZones(this.rank(id), total)
  }
}

const GROUP_BITS = 10

/** Top 10 bits of an id, or of a slot's key. */
export function groupOf(id: BlockId | SlotKey): number {
  return viewOf(id).getUint16(0) >> (16 - GROUP_BITS)
}

export function rankNodes(view: GridView, group: number): StorageNodeInfo[] {
  const groupBytes = new Uint8Array(2)
  viewOf(groupBytes).setUint16(0, group)
  return view.nodes
    .map((node) => {
      const hash = taggedHash(TAGS.rank, view.gridId, groupBytes, nodeKeyBytes(node.key))
      return { node, score: score(hash, node.capacityBytes) }
    })
    .sort((a, b) => b.score - a.score || (a.node.key < b.node.key ? -1 : 1))
    .map(({ node }) => node)
}

/** −capacity / ln u for u uniform in (0, 1): the greatest of such scores falls to each node by its capacity's part. */
function score(hash: Uint8Array, capacityBytes: number): number {
  const fraction = (Number(viewOf(hash).getBigUint64(0) >> 11n) + 0.5) / 2 ** 53
  return -capacityBytes / Math.log(fraction)
}

function spreadOverZones(ranked: readonly StorageNodeInfo[], total: number): StorageNodeInfo[] {
  const perZone = Math.ceil(total / Math.max(1, zonesOf(ranked)))
  const taken = new Map<string, number>()
  const first: StorageNodeInfo[] = []
  const rest: StorageNodeInfo[] = []
  for (const node of ranked) {
    const inZone = taken.get(node.zone) ?? 0
    taken.set(node.zone, inZone + 1)
    if (inZone < perZone) first.push(node)
    else rest.push(node)
  }
  return [...first, ...rest]
}
