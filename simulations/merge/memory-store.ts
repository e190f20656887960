import { sha256, sha256Parts } from '../../src/crypto/hash.ts'
import { toHex } from '../../src/foundation/bytes.ts'
import { assert } from '../../src/foundation/error.ts'
import { encodeFrame, type BlockFrame } from '../../src/grid/blocks/frame.ts'
import type { BlockReference } from '../../src/grid/files/index-node.ts'
import type { TreeStore } from '../../src/folders/tree/store.ts'
import { blockId } from '../../src/protocol/block-id.ts'

/** A tree's nodes in memory, by the hash of their frames; counts what it is asked for. */
export class MemoryTreeStore implements TreeStore {
  readonly nodes = new Map<string, BlockFrame>()
  gets = 0
  puts = 0

  async put(node: BlockFrame): Promise<BlockReference> {
    this.puts += 1
    const { whole } = encodeFrame(node)
    const key = sha256(whole)
    const id = blockId(sha256Parts([key]))
    this.nodes.set(toHex(id), node)
    return await Promise.resolve({ key, id })
  }

  async get({ id }: BlockReference): Promise<BlockFrame> {
    this.gets += 1
    const node = this.nodes.get(toHex(id))
    assert(node !== undefined, 'the node was put')
    return await Promise.resolve(node)
  }

  /** Nodes read and written by `work`. */
  async count(work: () => Promise<unknown>): Promise<{ gets: number; puts: number }> {
    const { gets, puts } = this
    await work()
    return { gets: this.gets - gets, puts: this.puts - puts }
  }
}
