import { toHex } from '../src/foundation/bytes.ts'
import type { BlockName, KnownBlocks } from '../src/grid/blocks/known-blocks.ts'
import type { BlockId } from '../src/protocol/block-id.ts'

/** What a client's home remembers, in memory. */
export class KnownBlocksInMemory implements KnownBlocks {
  readonly #ids = new Map<string, BlockId>()

  idOf(name: BlockName): BlockId | undefined {
    return this.#ids.get(toHex(name))
  }

  remember(name: BlockName, id: BlockId): void {
    this.#ids.set(toHex(name), id)
  }
}
