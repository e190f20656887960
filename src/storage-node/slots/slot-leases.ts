import { GRACE_S } from '../leases.ts'
import type { HeldRecord, SlotLease, SlotRow } from './slot-rows.ts'

/** Pure steps from one state of a slot's leases to the next; times are those that leases are counted in. */
export function withSlotLease(row: SlotRow, lease: SlotLease): SlotRow {
  const at = row.leases.findIndex(({ account }) => account === lease.account)
  const current = row.leases[at]
  if (current === undefined) return { ...row, leases: [...row.leases, lease] }
  // A lease is never cut short.
  if (current.expiresS >= lease.expiresS) return row
  return { ...row, leases: row.leases.with(at, lease) }
}

export function hasSlotLease(row: SlotRow | undefined, account: number): boolean {
  return row?.leases.some((lease) => lease.account === account) ?? false
}

/** Without the lease of one account. */
export function withoutSlotLease(row: SlotRow, account: number): SlotRow {
  return { ...row, leases: row.leases.filter((lease) => lease.account !== account) }
}

/** Without a record; without any, there is nothing to lease. */
export function withoutHead(row: SlotRow, head: HeldRecord): SlotRow {
  const heads = row.heads.filter((other) => other !== head)
  return { heads, leases: heads.length === 0 ? [] : row.leases }
}

/** Whether time has come for anything about a slot: a lease or record past its grace, or nobody who leases it. */
export function isSlotDue({ heads, leases }: SlotRow, nowS: number): boolean {
  return (
    leases.length === 0 ||
    leases.some(({ expiresS }) => isOver(expiresS, nowS)) ||
    heads.some(({ lapsesS }) => hasLapsed(lapsesS, nowS))
  )
}

/** Without leases and records past their grace; without any record if nobody leases the slot then. */
export function withoutLapsed(row: SlotRow, nowS: number): SlotRow {
  const leases = row.leases.filter(({ expiresS }) => !isOver(expiresS, nowS))
  const heads = row.heads.filter(({ lapsesS }) => !hasLapsed(lapsesS, nowS))
  if (leases.length === 0 || heads.length === 0) return { heads: [], leases: [] }
  return { heads, leases }
}

function isOver(expiresS: number, nowS: number): boolean {
  return expiresS + GRACE_S <= nowS
}

function hasLapsed(lapsesS: number, nowS: number): boolean {
  return lapsesS !== 0 && isOver(lapsesS, nowS)
}
