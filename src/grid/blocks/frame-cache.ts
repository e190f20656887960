import { equalBytes } from '../../foundation/bytes.ts'
import { blockIdHex, type BlockIdHex } from '../../protocol/block-id.ts'
import type { BlockReference } from '../files/index-node.ts'
import { LINK_BYTES, type BlockFrame } from './frame.ts'

/**
 * Opened blocks, the ones used longest ago dropped first, up to a number of bytes. Large ones are not kept: they hold
 * data, read once, and would drive out the nodes of the tree.
 */
export class FrameCache {
  readonly #capacityBytes: number
  #usedBytes = 0
  /** In the order of use; a map keeps the order of insertion. */
  readonly #entries = new Map<BlockIdHex, Entry>()

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes
  }

  /** The block, if it is here and was opened with this very key: who has only the id gets nothing. */
  get({ key, id }: BlockReference): BlockFrame | undefined {
    const name = blockIdHex(id)
    const entry = this.#entries.get(name)
    if (entry === undefined || !equalBytes(entry.key, key)) return undefined
    this.#entries.delete(name)
    this.#entries.set(name, entry)
    return entry.frame
  }

  set({ key, id }: BlockReference, frame: BlockFrame): void {
    const sizeBytes = ENTRY_BYTES + frame.content.length + frame.links.length * LINK_BYTES
    if (sizeBytes > this.#capacityBytes / 64) return
    this.delete(id)
    this.#entries.set(blockIdHex(id), { key, frame, sizeBytes })
    this.#usedBytes += sizeBytes
    for (const name of this.#entries.keys()) {
      if (this.#usedBytes <= this.#capacityBytes) return
      this.#remove(name)
    }
  }

  delete(id: BlockReference['id']): void {
    this.#remove(blockIdHex(id))
  }

  #remove(name: BlockIdHex): void {
    const entry = this.#entries.get(name)
    if (entry === undefined) return
    this.#entries.delete(name)
    this.#usedBytes -= entry.sizeBytes
  }
}

interface Entry {
  readonly key: Uint8Array
  readonly frame: BlockFrame
  readonly sizeBytes: number
}

/** What an entry takes besides its content, about. */
const ENTRY_BYTES = 512
