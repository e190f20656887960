import type { BlockId } from '../protocol/block-id.ts'
import type { SlotKey } from '../protocol/slot-key.ts'

/** What an operator may want to know and nobody asked for. Never holds more than ids. */
export type StorageEvent =
  /** A share that was kept is no more: its bytes changed, or are gone. The grid's repair replaces it. */
  | {
      readonly kind: 'share-lost'
      readonly id: BlockId
      readonly index: number
      readonly why: 'missing' | 'rotten'
    }
  /** The same of a slot's record. Whoever has it may bring it back, from another node for example. */
  | { readonly kind: 'record-lost'; readonly slot: SlotKey }
  /** Files that no acknowledged share belongs to: left by a crash in the middle of a write. */
  | { readonly kind: 'strays-removed'; readonly files: number }
  /** Shares and records whose last lease and grace had run out, or been dropped; and records that had expired. */
  | {
      readonly kind: 'collected'
      readonly shares: number
      readonly records: number
      readonly bytes: number
    }
  /** The sums in the books were wrong, and have been corrected. */
  | { readonly kind: 'usage-corrected' }
  /**
   * The machine's calendar went further than this node can tell: it was set, or the node was off for long. Leases do not
   * run out by that.
   */
  | { readonly kind: 'clock-jumped'; readonly jumpMs: number }
  /** The disk failed in a way that the request it happened to cannot tell. */
  | { readonly kind: 'disk-error'; readonly message: string }

export type ReportStorageEvent = (event: StorageEvent) => void
