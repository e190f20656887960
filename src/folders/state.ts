import type { BlockReference } from '../grid/files/index-node.ts'
import type { VersionVector } from '../protocol/version-vector.ts'
import { EMPTY_PART } from './tree/node-codec.ts'
import { storeDirectory } from './tree/part.ts'
import { ROOT_TOP } from './tree/position.ts'
import type { TreeStore } from './tree/store.ts'

/**
 * A folder at one moment: the commits that it contains, and the tree of what they left. Equal entries with equal dots
 * have equal roots, whatever led to them.
 */
export interface FolderState {
  readonly clock: VersionVector
  /** The topmost node of the root directory. */
  readonly root: BlockReference
}

/** A folder before its first commit. */
export async function emptyState(store: TreeStore): Promise<FolderState> {
  const { reference } = await storeDirectory(store, EMPTY_PART, ROOT_TOP)
  return { clock: new Map(), root: reference }
}
