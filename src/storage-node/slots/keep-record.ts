import { equalBytes } from '../../foundation/bytes.ts'
import type { SlotPutOutcome } from '../../protocol/messages.ts'
import type { SlotKey } from '../../protocol/slot-key.ts'
import { headsDigest, type SlotRecord } from '../../protocol/slot-record.ts'
import type { Draft } from '../ledger-draft.ts'
import type { Room } from '../room.ts'
import type { Claim, Tenant } from '../claims.ts'
import { confirmedSlot } from '../handed-over.ts'
import { admit, isExpired, liveHeads } from './register.ts'
import { hasSlotLease, withSlotLease } from './slot-leases.ts'
import { slotBytes, type HeldRecord, type SlotRow } from './slot-rows.ts'

/** A record to keep: decoded, hence signed by the key of its slot. */
export interface OfferedRecord {
  readonly record: SlotRecord
  /** Digests of the heads that the slot must have. */
  readonly ifHeads?: readonly Uint8Array[]
}

/** What may become of a record that is good. */
export type SlotOutcome = Exclude<SlotPutOutcome, 'bad'>

export interface Kept {
  readonly outcome: SlotOutcome
  /** As the slot is then. */
  readonly row: SlotRow | undefined
}

/** Lets a record be a head of its slot, and leases the slot to the tenant, if nothing is against it. */
export function keepRecord(
  draft: Draft,
  {
    record: { slot, bytes },
    ifHeads,
    claim,
    head,
    calendarS,
    room,
  }: OfferedRecord & {
    readonly claim: Claim
    readonly head: HeldRecord
    readonly calendarS: number
    readonly room: Room
  },
): Kept {
  const row = draft.slot(slot)
  if (isExpired(head, calendarS)) return { outcome: 'expired', row }
  const admitted = admit(row?.heads ?? [], head, calendarS)
  const isHeld = admitted === 'have'
  // Not for one that is held: its writer may not have heard that it was kept.
  if (!isHeld && ifHeads !== undefined && !areHeads(ifHeads, liveHeads(row, calendarS))) {
    return { outcome: 'heads-differ', row }
  }
  if (!isHeld && typeof admitted === 'string') {
    if (row === undefined || !claim.outlivesRecord) return { outcome: admitted, row }
    const leased = claim.leaseSlot(draft, row)
    if (leased !== row) draft.setSlot(slot, leased)
    return { outcome: admitted, row: leased }
  }
  const heads = isHeld ? (row?.heads ?? []) : admitted.heads
  const next = claim.leaseSlot(draft, { heads, leases: row?.leases ?? [] })
  const heldBytes = row === undefined ? 0 : slotBytes(row)
  const leasedBytes = claim.holdsSlot(draft, row) ? heldBytes : 0
  // What takes no more room than before is never refused: merging must stay possible.
  const moreBytes = slotBytes(next) - leasedBytes
  if (moreBytes > 0 && !claim.affords(draft, moreBytes)) return { outcome: 'quota', row }
  const neededBytes = slotBytes(next) - heldBytes
  if (neededBytes > 0 && !room.fits(draft.usedBytes, neededBytes)) return { outcome: 'full', row }
  draft.setSlot(slot, next)
  if (isHeld) return { outcome: 'have', row: next }
  room.spend(bytes.length)
  draft.setRecord(slot, head.digest, bytes)
  return { outcome: 'stored', row: next }
}

/** Leases a slot to a tenant, within its quota. @returns whether the tenant leases it now */
export function leaseSlot(
  draft: Draft,
  { tenant, slot, expiresS }: { tenant: Tenant; slot: SlotKey; expiresS: number },
): boolean {
  const row = draft.slot(slot)
  if (row === undefined) return false
  const account = draft.numberOf(tenant.account)
  const affordableBytes = tenant.quotaBytes - draft.usedBytesOf(tenant.account)
  if (!hasSlotLease(row, account) && slotBytes(row) > affordableBytes) return false
  const leased = confirmedSlot(draft, withSlotLease(row, { account, expiresS }), tenant.account)
  if (leased !== row) draft.setSlot(slot, leased)
  return true
}

function areHeads(digests: readonly Uint8Array[], heads: readonly HeldRecord[]): boolean {
  return equalBytes(headsDigest(digests), headsDigest(heads.map(({ digest }) => digest)))
}
