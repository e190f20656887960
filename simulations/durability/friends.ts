import { allocateBytes, toHex, viewOf } from '../../src/foundation/bytes.ts'
import type { ErasureCode } from '../../src/erasure/code.ts'
import { defaultCode } from '../../src/grid/placement/defaults.ts'
import { Ranking } from '../../src/grid/placement/rank.ts'
import type { GridView } from '../../src/grid/view.ts'
import { blockId, BLOCK_ID_BYTES } from '../../src/protocol/block-id.ts'
import { nodeKey } from '../../src/protocol/node-key.ts'
import type { SeededRandomness } from '../randomness.ts'

/** A grid whose keys come from a seed. */
export function makeGrid(
  randomness: SeededRandomness,
  options: {
    /** Nodes in each household. */
    readonly households: readonly number[]
    /** Of each node, in the order of the households; 1 TB each if left out. */
    readonly capacitiesBytes?: readonly number[]
  },
): GridView {
  const zones = options.households.flatMap((nodes, zone) =>
    Array.from({ length: nodes }, () => zone),
  )
  return {
    gridId: randomness.bytes(32),
    nodes: zones.map((zone, at) => ({
      key: nodeKey(toHex(randomness.bytes(32))),
      name: `node-${at}`,
      zone: `house-${zone}`,
      capacityBytes: options.capacitiesBytes?.[at] ?? 1e12,
    })),
  }
}

/** Blocks fall into this many groups, see {@link Ranking}. */
export const GROUPS = 1024

/** Some id that belongs to the group: its top 10 bits say so. */
function idOfGroup(group: number): ReturnType<typeof blockId> {
  const bytes = allocateBytes(BLOCK_ID_BYTES)
  viewOf(bytes).setUint16(0, group << 6)
  return blockId(bytes)
}

/**
 * The order of nodes for each group as the real placement computes it: an uploader puts the shares on the first n, and
 * walks on where one is away.
 * @returns by group, indices into the nodes of the grid
 */
export function ordersOf(view: GridView, code: ErasureCode): number[][] {
  const ranking = new Ranking(view)
  const indexOf = new Map(view.nodes.map(({ key }, index) => [key, index]))
  return Array.from({ length: GROUPS }, (_, group) =>
    ranking.order(idOfGroup(group), code.total).map(({ key }) => indexOf.get(key) as number),
  )
}

/** The nodes that hold shares of each group while all is well. */
export function holdersOf(view: GridView, code: ErasureCode): number[][] {
  return ordersOf(view, code).map((order) => order.slice(0, code.total))
}

/** The code that the grid's own default gives so many households. */
export function codeFor(view: GridView): ErasureCode {
  return defaultCode(view.nodes)
}
