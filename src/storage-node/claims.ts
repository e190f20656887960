import type { Draft } from './ledger-draft.ts'
import { confirmed, confirmedSlot } from './handed-over.ts'
import { hasLease, withLease } from './leases.ts'
import type { BlockRow } from './rows.ts'
import { hasSlotLease, withSlotLease } from './slots/slot-leases.ts'
import type { SlotRow } from './slots/slot-rows.ts'

/** Who wants something kept, and may lease it. */
export interface Claim {
  /** Whether so many bytes more are within the quota of whoever leases them. */
  affords(usage: Pick<Draft, 'usedBytesOf'>, bytes: number): boolean
  /** Whether the share is leased by this claim already, so that keeping it costs no quota. */
  holds(draft: Draft, row: BlockRow, index: number): boolean
  /** Leases a share that is in the row. */
  lease(draft: Draft, row: BlockRow, index: number): BlockRow
  holdsSlot(draft: Draft, row: SlotRow | undefined): boolean
  leaseSlot(draft: Draft, row: SlotRow): SlotRow
  /** Whether a slot is leased also where the record that comes along is not needed any more. */
  readonly outlivesRecord: boolean
}

/** An account, and how much it may lease. */
export interface Tenant {
  readonly account: string
  readonly quotaBytes: number
}

/** The claim of one account for itself. @param expiresS when the lease is to end, called when it begins */
export function ownClaim({ account, quotaBytes }: Tenant, expiresS: () => number): Claim {
  return {
    outlivesRecord: false,
    affords: (usage, bytes) => usage.usedBytesOf(account) + bytes <= quotaBytes,
    holds: (draft, row, index) => hasLease(row, draft.numberOf(account), index),
    lease(draft, row, index) {
      const lease = { account: draft.numberOf(account), index, expiresS: expiresS() }
      return confirmed(draft, withLease(row, lease), { account, index })
    },
    holdsSlot: (draft, row) => hasSlotLease(row, draft.numberOf(account)),
    leaseSlot(draft, row) {
      const lease = { account: draft.numberOf(account), expiresS: expiresS() }
      return confirmedSlot(draft, withSlotLease(row, lease), account)
    },
  }
}
