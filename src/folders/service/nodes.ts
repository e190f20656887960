import { sha256, sha256Parts } from '../../crypto/hash.ts'
import { encodeFrame, type BlockFrame } from '../../grid/blocks/frame.ts'
import type { BlockStore } from '../../grid/blocks/store.ts'
import { BrokenFileError } from '../../grid/errors.ts'
import type { BlockReference } from '../../grid/files/index-node.ts'
import { blockId, blockIdHex, type BlockId, type BlockIdHex } from '../../protocol/block-id.ts'
import { BrokenFolderError } from '../errors.ts'
import type { TreeStore } from '../tree/store.ts'
import { NotMergedError } from './errors.ts'

/** The nodes of folders' trees among the blocks of a store. */
export function nodesOf(store: Pick<BlockStore, 'get' | 'put'>): TreeStore {
  return {
    put: async (node) => await store.put(node),
    get: async (reference) => {
      try {
        return await store.get(reference)
      } catch (error) {
        if (!(error instanceof BrokenFileError)) throw error
        throw new BrokenFolderError('one of its nodes cannot be opened', { cause: error })
      }
    },
  }
}

/**
 * Nodes that exist for one view only: what states written at once are together, for who looks at them. Their
 * references mean nothing elsewhere, as only who may write has the secret that names them for good.
 */
export class ScratchNodes implements TreeStore {
  readonly #below: TreeStore
  readonly #nodes = new Map<BlockIdHex, BlockFrame>()
  #usedBytes = 0

  constructor(below: TreeStore) {
    this.#below = below
  }

  async put(node: BlockFrame): Promise<BlockReference> {
    const { whole } = encodeFrame(node)
    const key = sha256(whole)
    const id = blockId(sha256Parts([SCRATCH, key]))
    const name = blockIdHex(id)
    if (!this.#nodes.has(name)) this.#usedBytes += whole.length
    if (this.#usedBytes > MAX_SCRATCH_BYTES) throw new NotMergedError()
    this.#nodes.set(name, node)
    return await Promise.resolve({ key, id })
  }

  async get(reference: BlockReference): Promise<BlockFrame> {
    return this.#nodes.get(blockIdHex(reference.id)) ?? (await this.#below.get(reference))
  }

  has(id: BlockId): boolean {
    return this.#nodes.has(blockIdHex(id))
  }
}

/** Keeps the ids of scratch nodes apart from those of blocks. */
const SCRATCH = new Uint8Array(32)
/** Nodes that a merge of two folders of a million entries might make. */
const MAX_SCRATCH_BYTES = 256 * 1024 * 1024
