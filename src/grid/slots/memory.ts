import type { SlotKey, SlotKeyHex } from '../../protocol/slot-key.ts'
import { slotKeyHex } from '../../protocol/slot-key.ts'
import type { TagHex, VersionVector } from '../../protocol/version-vector.ts'

/**
 * What a device remembers of slots, so that nodes which all show an old state are found out, and so that no write is
 * ever numbered twice. One process at a time may use it. Losing it is safe, going back to an older copy too: a device
 * that finds writes under its tag which it does not remember takes a new tag.
 */
export interface SlotMemory {
  load(slot: SlotKey): Promise<RememberedSlot | undefined>
  /** Resolves when it would survive a power cut. */
  save(slot: SlotKey, remembered: RememberedSlot): Promise<void>
  /** Slots whose newest state is on too few nodes, or on too few of those where readers look first. */
  owed(): Promise<readonly SlotKey[]>
  setOwed(slot: SlotKey, isOwed: boolean): Promise<void>
}

export interface RememberedSlot {
  /** Under which this device writes; none before its first write. */
  readonly tag?: TagHex | undefined
  /** The last number under the tag that may have been given to a write. */
  readonly counter: number
  /** Everything that was ever seen in this slot. */
  readonly clock: VersionVector
  /** The newest states seen, encoded. */
  readonly heads: readonly Uint8Array[]
  /** A state of this device, encoded, of which it is not known what became of it. */
  readonly unsettled?: Uint8Array | undefined
  /** Whether all that the unsettled state leads to was stored, so that it can be sent again. */
  readonly isReady?: boolean | undefined
  /** Of what was seen, what nodes must still have. By default all of it. */
  readonly proof?: SlotProof | undefined
  readonly older?: RememberedOlder | undefined
}

/** What nodes showed when they had gone back to an older state. */
export interface RememberedOlder {
  /** States, encoded; none if they showed nothing. */
  readonly heads: readonly Uint8Array[]
  /** All that was known of the slot then. Once there is more, this is of no use any more. */
  readonly clock: VersionVector
  /** When that was found out first, in milliseconds since 1970. */
  readonly sinceMs: number
}

/**
 * What nodes must show of a slot, or they have lost or hide it. A state that was seen on a node or two, as its writer
 * failed, may vanish with them; and one that is on substitutes shows only to those who ask these.
 */
export interface SlotProof {
  /** On more than k nodes, wherever. */
  readonly kept: VersionVector
  /** On so many of the slot's own nodes that every settled read meets one of them. */
  readonly placed: VersionVector
  /** Which nodes were its own then, as a digest of 8 bytes. */
  readonly own: Uint8Array
}

/** Remembers until the process ends. */
export class VolatileSlotMemory implements SlotMemory {
  readonly #slots = new Map<SlotKeyHex, RememberedSlot>()
  readonly #owed = new Map<SlotKeyHex, SlotKey>()

  async load(slot: SlotKey): Promise<RememberedSlot | undefined> {
    return await Promise.resolve(this.#slots.get(slotKeyHex(slot)))
  }

  async save(slot: SlotKey, remembered: RememberedSlot): Promise<void> {
    this.#slots.set(slotKeyHex(slot), remembered)
    await Promise.resolve()
  }

  async owed(): Promise<readonly SlotKey[]> {
    return await Promise.resolve([...this.#owed.values()])
  }

  async setOwed(slot: SlotKey, isOwed: boolean): Promise<void> {
    if (isOwed) this.#owed.set(slotKeyHex(slot), slot)
    else this.#owed.delete(slotKeyHex(slot))
    await Promise.resolve()
  }
}
