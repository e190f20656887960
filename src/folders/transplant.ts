import type { BlockReference } from '../grid/files/index-node.ts'
import type { Dot } from '../protocol/version-vector.ts'
import { singleDot } from './dots.ts'
import type { Directory } from './entry.ts'
import type { FolderState } from './state.ts'
import type { Node } from './tree/node-codec.ts'
import { composePart, openDirectory, openRoot, storeDirectory } from './tree/part.ts'
import { ROOT_TOP, TOP, type Position } from './tree/position.ts'
import { stampDirectory } from './tree/rewrite.ts'
import { workingStore, type TreeStore } from './tree/store.ts'

/**
 * The first state of a folder of its own that holds what a directory does: what promotes it. Everything in it gets the
 * one dot; of what one commit put there, nothing is written but the topmost node.
 */
export async function promoteDirectory(
  store: TreeStore,
  directory: Directory,
  dot: Dot,
): Promise<FolderState> {
  const stamped = await stampDirectory(workingStore(store), directory, dot)
  const { reference } = await storeTop(store, await openDirectory(store, stamped), ROOT_TOP)
  return { clock: singleDot(dot), root: reference }
}

/** A whole earlier state as a directory that can be put somewhere. Writes its topmost node at most. */
export async function directoryOfRoot(store: TreeStore, root: BlockReference): Promise<Directory> {
  return await storeTop(store, await openRoot(store, root), TOP)
}

/** The same entries, in the form that their topmost node has at another place. */
async function storeTop(store: TreeStore, node: Node, position: Position): Promise<Directory> {
  const part = node.kind === 'inner' ? await composePart(store, node.halves, position) : node
  return await storeDirectory(store, part, position)
}
