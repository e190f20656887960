import { equalBytes } from '../../foundation/bytes.ts'
import type { BlockReference } from './index-node.ts'

/**
 * A version of a file whose bytes its reader has at hand. Blocks that it shares with the version that is read, at the same
 * place, need not be fetched.
 */
export interface LocalVersion {
  /** What it is on the grid. */
  readonly reference: BlockReference
  /**
   * Its bytes, exactly as they are on the grid: whoever gives them has made sure of that. Several may be asked for at once.
   * @returns undefined if they are not to be had any more
   */
  read(range: { readonly offset: number; readonly length: number }): Promise<Uint8Array | undefined>
}

/** A data block of a file, and where in the file it begins. */
export interface PlacedBlock {
  readonly child: BlockReference & { readonly sizeBytes: number }
  readonly start: number
}

/** Goes through the blocks of a file in order, and tells which of them another version has at the same place. */
export class SameBlocks {
  readonly #others: AsyncIterator<PlacedBlock>
  #next: PlacedBlock | undefined

  /** @param others - of the other version, in order; they may end early */
  constructor(others: AsyncIterator<PlacedBlock>) {
    this.#others = others
  }

  /** @param block - comes after all that were asked about before */
  async has({ child, start }: PlacedBlock): Promise<boolean> {
    while (this.#next === undefined || this.#next.start < start) {
      const { done, value } = await this.#others.next()
      if (done === true) return false
      this.#next = value
    }
    const other = this.#next
    return (
      other.start === start &&
      other.child.sizeBytes === child.sizeBytes &&
      equalBytes(other.child.id, child.id) &&
      equalBytes(other.child.key, child.key)
    )
  }
}
