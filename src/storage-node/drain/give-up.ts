import type { BlockId } from '../../protocol/block-id.ts'
import type { SlotKey } from '../../protocol/slot-key.ts'
import { stillHas, withoutShare } from '../leases.ts'
import type { HeldShare, Lease } from '../rows.ts'
import type { ShareStore } from '../share-store.ts'
import type { SlotLease, SlotRow } from '../slots/slot-rows.ts'
import type { SlotStore } from '../slots/slot-store.ts'

/**
 * Deletes a share that another node keeps now, unless somebody has leased it for longer than was handed over.
 * @param handed the leases of its block as they were then
 * @returns whether it is gone
 */
export async function giveUpShare(
  store: ShareStore,
  id: BlockId,
  { held, handed }: { readonly held: HeldShare; readonly handed: readonly Lease[] },
): Promise<boolean> {
  const isGone = await store.ledger.commit({
    ids: [id],
    apply: (draft) => {
      const row = draft.row(id)
      if (!stillHas(row, held)) return true
      const leases = row.leases.filter(({ index }) => index === held.index)
      const before = handed.filter(({ index }) => index === held.index)
      if (!leases.every((lease) => isCovered(lease, before))) return false
      draft.setRow(id, withoutShare(row, held.index))
      if (held.place === 'row') draft.setContents(id, held.index)
      return true
    },
  })
  if (isGone) await store.contents.removeFile(id, held)
  return isGone
}

/** The same of a slot, unless it has another head than the ones handed over. */
export async function giveUpSlot(
  { ledger }: SlotStore,
  slot: SlotKey,
  handed: SlotRow,
): Promise<boolean> {
  return await ledger.commit({
    slots: [slot],
    apply: (draft) => {
      const row = draft.slot(slot)
      if (row === undefined) return true
      const tags = new Set(handed.heads.map(({ tag }) => tag))
      if (!row.heads.every(({ tag }) => tags.has(tag))) return false
      if (!row.leases.every((lease) => isCovered(lease, handed.leases))) return false
      draft.setSlot(slot, { heads: [], leases: [] })
      return true
    },
  })
}

function isCovered(lease: SlotLease, handed: readonly SlotLease[]): boolean {
  return handed.some(
    ({ account, expiresS }) => account === lease.account && expiresS >= lease.expiresS,
  )
}
