import { sha256, sha256Parts } from '../../crypto/hash.ts'
import { equalBytes } from '../../foundation/bytes.ts'
import { encodeFrame, type BlockFrame } from '../../grid/blocks/frame.ts'
import type { BlockStore } from '../../grid/blocks/store.ts'
import { BrokenFileError } from '../../grid/errors.ts'
import type { BlockReference } from '../../grid/files/index-node.ts'
import { blockId, blockIdHex, type BlockId, type BlockIdHex } from '../../protocol/block-id.ts'
import { BrokenFolderError } from '../errors.ts'
import { encodeLeaf } from '../tree/node-codec.ts'
import type { TreeStore } from '../tree/store.ts'
import { NotMergedError } from './errors.ts'

/**
 * Stands for the topmost node of a folder without entries. It is the same for all folders and not stored: a record says
 * the same by having no root, so to make a folder is to write one record.
 */
export const EMPTY_ROOT: BlockReference = {
  key: new Uint8Array(32),
  id: blockId(new Uint8Array(32)),
}

/** What {@link EMPTY_ROOT} stands for, for where it must be stored after all. */
export const EMPTY_ROOT_FRAME: BlockFrame = encodeLeaf([], '', 'full')

export function isEmptyRoot({ id }: BlockReference): boolean {
  return equalBytes(id, EMPTY_ROOT.id)
}

/** The nodes of folders' trees among the blocks of a store. */
export function nodesOf(store: Pick<BlockStore, 'get' | 'put'>): TreeStore {
  return {
    put: async (node) => (isEmptyRootFrame(node) ? EMPTY_ROOT : await store.put(node)),
    get: async (reference) => {
      if (isEmptyRoot(reference)) return EMPTY_ROOT_FRAME
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
    if (isEmptyRootFrame(node)) return EMPTY_ROOT
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

function isEmptyRootFrame({ kind, level, content }: BlockFrame): boolean {
  const isTopmost = kind === EMPTY_ROOT_FRAME.kind && level === 0
  return isTopmost && equalBytes(content, EMPTY_ROOT_FRAME.content)
}

/** Keeps the ids of scratch nodes apart from those of blocks. */
const SCRATCH = new Uint8Array(32)
/** Nodes that a merge of two folders of a million entries might make. */
const MAX_SCRATCH_BYTES = 256 * 1024 * 1024
