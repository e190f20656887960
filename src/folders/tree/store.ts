import { Semaphore } from '../../foundation/concurrency.ts'
import type { BlockFrame } from '../../grid/blocks/frame.ts'
import type { BlockReference } from '../../grid/files/index-node.ts'
import type { Node, StoredPart } from './node-codec.ts'

/** All that a folder's tree needs of the grid. Equal nodes must get equal references. */
export interface TreeStore {
  put(node: BlockFrame): Promise<BlockReference>
  get(reference: BlockReference): Promise<BlockFrame>
}

/** Reads, or writes, of one operation that are under way at once: at most 3 MiB of nodes. */
export const NODES_AT_ONCE = 32

/**
 * The same store for one operation that walks a tree in all directions at once. It bounds what is under way, and a part
 * that was opened stays decoded for as long as the part is held, that is, until the work is done.
 */
export function workingStore(store: TreeStore): TreeStore {
  const gets = new Semaphore(NODES_AT_ONCE)
  const puts = new Semaphore(NODES_AT_ONCE)
  const working: TreeStore = {
    put: async (node) => await within(puts, async () => await store.put(node)),
    get: async (reference) => await within(gets, async () => await store.get(reference)),
  }
  MEMORIES.set(working, new WeakMap())
  return working
}

/** What an operation on this store has opened; undefined if it remembers nothing. */
export function memoryOf(store: TreeStore): WeakMap<StoredPart, Promise<Node>> | undefined {
  return MEMORIES.get(store)
}

const MEMORIES = new WeakMap<TreeStore, WeakMap<StoredPart, Promise<Node>>>()

async function within<T>(semaphore: Semaphore, work: () => Promise<T>): Promise<T> {
  const release = await semaphore.acquire()
  try {
    return await work()
  } finally {
    release()
  }
}
