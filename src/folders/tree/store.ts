import type { BlockFrame } from '../../grid/blocks/frame.ts'
import type { BlockReference } from '../../grid/files/index-node.ts'

/** All that a folder's tree needs of the grid. Equal nodes must get equal references. */
export interface TreeStore {
  put(node: BlockFrame): Promise<BlockReference>
  get(reference: BlockReference): Promise<BlockFrame>
}

/** Reads or writes of one operation under way at once, at each level of a tree. */
export const NODES_AT_ONCE = 8
