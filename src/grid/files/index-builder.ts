import { assert } from '../../foundation/error.ts'
import type { BlockFrame } from '../blocks/frame.ts'
import { INDEX_FAN_OUT, indexFrame, type BlockReference, type FileChild } from './index-node.ts'

/**
 * Builds a file's tree from the bottom while its data blocks come by, in one pass: a full row of children becomes an
 * index block in the row above. A file of one block needs no index.
 */
export class IndexBuilder {
  readonly #store: (frame: BlockFrame) => Promise<BlockReference>
  /** Children that have no parent yet, by level. */
  readonly #rows: FileChild[][] = []

  constructor(store: (frame: BlockFrame) => Promise<BlockReference>) {
    this.#store = store
  }

  /** Adds the next data block. */
  async add(child: FileChild): Promise<void> {
    await this.#addTo(0, child)
  }

  /** Closes the tree. @returns its root */
  async finish(): Promise<BlockReference> {
    for (let level = 0; ; level++) {
      const row = this.#rows[level]
      assert(row !== undefined, 'a file has at least one block')
      const isTop = level === this.#rows.length - 1
      const [only] = row
      if (isTop && row.length === 1 && only !== undefined) return { key: only.key, id: only.id }
      if (row.length > 0) await this.#close(level)
    }
  }

  async #addTo(level: number, child: FileChild): Promise<void> {
    const row = (this.#rows[level] ??= [])
    // Closed only when one more comes, so that a file of exactly one full row does not get a needless row above.
    if (row.length === INDEX_FAN_OUT) await this.#close(level)
    ;(this.#rows[level] ??= []).push(child)
  }

  async #close(level: number): Promise<void> {
    const row = this.#rows[level] ?? []
    this.#rows[level] = []
    const reference = await this.#store(indexFrame(level + 1, row))
    const sizeBytes = row.reduce((sum, child) => sum + child.sizeBytes, 0)
    await this.#addTo(level + 1, { ...reference, sizeBytes })
  }
}
