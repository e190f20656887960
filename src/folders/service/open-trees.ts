import type { FolderWriteCapability } from '../../capabilities/capability.ts'
import { slotWriteKeys, type SlotWriteKeys } from '../../capabilities/slot-keys.ts'
import type { ErasureCode } from '../../erasure/code.ts'
import { toHex } from '../../foundation/bytes.ts'
import type { BlockFrame } from '../../grid/blocks/frame.ts'
import type { BlockStore } from '../../grid/blocks/store.ts'
import type { BlockReference } from '../../grid/files/index-node.ts'
import type { Grid } from '../../grid/grid.ts'
import { blockIdHex, type BlockIdHex } from '../../protocol/block-id.ts'
import type { Edit } from '../commit/edits.ts'
import type { TreeStore } from '../tree/store.ts'
import { nodesOf } from './nodes.ts'

/**
 * The trees of the folders that this device writes: their keys, and their blocks, of which those used last stay in
 * memory. One that is not in use may be closed to make room, and is opened again when it is needed.
 */
export class OpenTrees implements AsyncDisposable {
  readonly #grid: Pick<Grid, 'openBlockStore'>
  readonly #code: ErasureCode | undefined
  /** In the order of use. */
  readonly #trees = new Map<string, OpenTree>()
  readonly #closing = new Set<Promise<void>>()

  constructor(grid: Pick<Grid, 'openBlockStore'>, code: ErasureCode | undefined) {
    this.#grid = grid
    this.#code = code
  }

  async use<T>(
    { writeKey }: FolderWriteCapability,
    work: (tree: OpenTree) => Promise<T>,
  ): Promise<T> {
    const name = toHex(writeKey)
    const tree = this.#trees.get(name) ?? this.#open(writeKey)
    this.#trees.delete(name)
    this.#trees.set(name, tree)
    tree.users += 1
    try {
      return await work(tree)
    } finally {
      tree.users -= 1
      if (this.#trees.size > TREES_OPEN) this.#closeOne()
    }
  }

  /** Waits for what is on its way. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const tree of this.#trees.values()) this.#close(tree)
    this.#trees.clear()
    await Promise.all(this.#closing)
  }

  #open(writeKey: FolderWriteCapability['writeKey']): OpenTree {
    const keys = slotWriteKeys(writeKey)
    const { convergence } = keys
    return new OpenTree(keys, this.#grid.openBlockStore({ convergence, code: this.#code }))
  }

  #closeOne(): void {
    for (const [name, tree] of this.#trees) {
      if (tree.isBusy) continue
      this.#trees.delete(name)
      this.#close(tree)
      return
    }
  }

  #close({ store }: OpenTree): void {
    const closing = closeStore(store).finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
  }
}

/** Only once its last shares have come to the slowest of the nodes. */
export async function closeStore(store: BlockStore): Promise<void> {
  await store.settle()
  await store[Symbol.asyncDispose]()
}

/** Each may keep some MiB of nodes; who works in more folders than this reads some of them anew. */
const TREES_OPEN = 64

/** The tree of one folder that this device writes. */
export class OpenTree {
  readonly keys: SlotWriteKeys
  readonly store: BlockStore
  readonly nodes: TreeStore
  users = 0
  /** Contents that are on their way. */
  readonly #unstored = new Set<BlockIdHex>()
  /** Contents that could not be stored and were not put again, with why. */
  readonly #lost = new Map<BlockIdHex, unknown>()
  #toldBytes = 0

  constructor(keys: SlotWriteKeys, store: BlockStore) {
    this.keys = keys
    this.store = store
    this.nodes = nodesOf(store)
  }

  get isBusy(): boolean {
    return this.users > 0 || this.#unstored.size > 0 || this.#lost.size > 0
  }

  /** Begins to store a block that a later commit leads to. */
  async putContent(frame: BlockFrame): Promise<BlockReference> {
    const reference = await this.store.put(frame)
    const name = blockIdHex(reference.id)
    this.#lost.delete(name)
    this.#unstored.add(name)
    void this.#learnFate(name)
    return reference
  }

  /** The nodes of one commit, and which of them were put. */
  openCommit(): CommitNodes {
    const written = new Set<BlockIdHex>()
    const put = async (frame: BlockFrame): Promise<BlockReference> => {
      const reference = await this.store.put(frame)
      written.add(blockIdHex(reference.id))
      return reference
    }
    const store = { put, get: this.store.get.bind(this.store) }
    return { store, nodes: nodesOf(store), written }
  }

  /**
   * Resolves once all is stored that a commit leads to and that was not there before: its own nodes, and the contents
   * that its edits put. What else is on its way, or has failed, is no business of it.
   * @throws TooFewNodesError
   */
  async flush({ written }: CommitNodes, edits: readonly Edit[]): Promise<void> {
    await this.store.flush([...written, ...contentsOf(edits)])
  }

  /** Bytes of shares that were sent since this was asked last. */
  takeSentBytes(): number {
    const sentBytes = this.store.sentBytes - this.#toldBytes
    this.#toldBytes += sentBytes
    return sentBytes
  }

  /** That a commit leads to nothing whose storing has failed. @throws TooFewNodesError */
  assertStored(edits: readonly Edit[]): void {
    for (const name of contentsOf(edits)) if (this.#lost.has(name)) throw this.#lost.get(name)
  }

  async #learnFate(name: BlockIdHex): Promise<void> {
    try {
      await this.store.stored(name)
    } catch (error) {
      this.#lost.set(name, error)
    } finally {
      this.#unstored.delete(name)
    }
  }
}

/** What a commit puts goes through these. */
export interface CommitNodes {
  readonly nodes: TreeStore
  readonly store: Pick<BlockStore, 'put'>
  /** What was put so far. */
  readonly written: ReadonlySet<BlockIdHex>
}

/** The files among what edits put. */
function contentsOf(edits: readonly Edit[]): BlockIdHex[] {
  return edits.flatMap((edit) =>
    edit.kind === 'put' && edit.content.kind === 'file'
      ? [blockIdHex(edit.content.reference.id)]
      : [],
  )
}
