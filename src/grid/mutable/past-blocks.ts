import type { SlotWriteKeys } from '../../capabilities/slot-keys.ts'
import { slotKeyHex } from '../../protocol/slot-key.ts'
import type { BlockStore } from '../blocks/store.ts'
import type { SlotChange } from '../slots/client.ts'
import { recordHistory } from '../slots/history.ts'
import { stateOf, type Following } from './carrying.ts'
import type { FileVersion } from './version.ts'

/**
 * Where the states of small files go for which their records have no room: a store for each file, since that knows what was
 * stored ahead.
 */
export class PastBlocks {
  readonly #open: (convergence: Uint8Array) => BlockStore
  /** Of the files written last, the one written longest ago first. */
  readonly #stores = new Map<string, BlockStore>()
  readonly #settling = new Set<Promise<unknown>>()

  constructor(open: (convergence: Uint8Array) => BlockStore) {
    this.#open = open
  }

  sentBytesOf({ slot }: SlotWriteKeys): number {
    return this.#stores.get(slotKeyHex(slot))?.sentBytes ?? 0
  }

  /** The change that makes a version the present one. */
  async change(
    keys: SlotWriteKeys,
    version: FileVersion,
    { carried, before, parents, ahead }: Following,
  ): Promise<SlotChange> {
    if (before !== undefined) {
      const store = this.#storeOf(keys)
      const stored = await recordHistory(store, [{ contents: before }])
      return { contents: stateOf(version, { carried, parents: stored }), ready: store.flush() }
    }
    // Nothing waits for it: the record has the state as well, until there is a next one, which asks for it again.
    if (ahead !== undefined) await recordHistory(this.#storeOf(keys), [{ contents: ahead }])
    return { contents: stateOf(version, { carried, parents }) }
  }

  /** Resolves when nothing is on its way any more. */
  async settle(): Promise<void> {
    const open = [...this.#stores.values()].map((store) => store.settle())
    await Promise.all([...open, ...this.#settling])
  }

  #storeOf({ slot, convergence }: SlotWriteKeys): BlockStore {
    const name = slotKeyHex(slot)
    const store = this.#stores.get(name) ?? this.#open(convergence)
    this.#stores.delete(name)
    this.#stores.set(name, store)
    for (const [oldest, old] of this.#stores) {
      if (this.#stores.size <= STORES_KEPT) break
      this.#stores.delete(oldest)
      // A write may be at it still, so it is let go of rather than closed.
      const settling = old.settle().finally(() => this.#settling.delete(settling))
      this.#settling.add(settling)
    }
    return store
  }
}

const STORES_KEPT = 64
