import type { Claim, Tenant } from './claims.ts'
import type { Draft } from './ledger-draft.ts'
import { hasLease, withLease, withoutAccount } from './leases.ts'
import type { BlockRow } from './rows.ts'
import { hasSlotLease, withSlotLease } from './slots/slot-leases.ts'
import { slotBytes, type SlotRow } from './slots/slot-rows.ts'

/**
 * A lease that another node has handed over rests on that node's word alone: its account did not ask for it here. So it is
 * kept in the books of a *stand-in* of the account. It counts against the account's quota where more is handed over, but
 * never where the account stores something itself: nobody can use up somebody else's quota. The account's first own
 * lease on the same share takes its place, and its DROP ends it.
 */
const PREFIX = 'handed over: '

export function standInOf(account: string): string {
  return PREFIX + account
}

/** The account that a name in the books stands for, and whether it is its stand-in. */
export function accountBehind(name: string): { account: string; isStandIn: boolean } {
  const isStandIn = name.startsWith(PREFIX)
  return { account: isStandIn ? name.slice(PREFIX.length) : name, isStandIn }
}

/** Without what was handed over for the account, which leases the share itself now. */
export function confirmed(
  draft: Pick<Draft, 'knownNumberOf'>,
  row: BlockRow,
  { account, index }: { account: string; index: number },
): BlockRow {
  const standIn = draft.knownNumberOf(standInOf(account))
  if (standIn === undefined || !hasLease(row, standIn, index)) return row
  const isOf = (lease: { account: number; index: number }): boolean =>
    lease.account === standIn && lease.index === index
  return { ...row, leases: row.leases.filter((lease) => !isOf(lease)) }
}

/** Without all that was handed over for the account, which lets go of the block. */
export function withoutStandIn(
  draft: Pick<Draft, 'knownNumberOf'>,
  row: BlockRow,
  account: string,
): BlockRow {
  const standIn = draft.knownNumberOf(standInOf(account))
  return standIn === undefined ? row : withoutAccount(row, standIn)
}

/** The same for a slot, whichever of the two. */
export function confirmedSlot(
  draft: Pick<Draft, 'knownNumberOf'>,
  row: SlotRow,
  account: string,
): SlotRow {
  const standIn = draft.knownNumberOf(standInOf(account))
  if (standIn === undefined || !hasSlotLease(row, standIn)) return row
  return { ...row, leases: row.leases.filter((lease) => lease.account !== standIn) }
}

/** A lease that is handed over. */
export interface TakenLease {
  /** Undefined for one who is no member. */
  readonly tenant: Tenant | undefined
  readonly expiresS: number
}

/** The claim of a node on behalf of the accounts whose leases it hands over. Made for one share or record. */
export class HandedClaim implements Claim {
  readonly outlivesRecord = true
  readonly #leases: readonly TakenLease[]
  /** Positions of leases that were not taken over when it was last used. */
  readonly refused = new Set<number>()

  constructor(leases: readonly TakenLease[]) {
    this.#leases = leases
  }

  affords(usage: Pick<Draft, 'usedBytesOf'>, bytes: number): boolean {
    return this.#leases.some(({ tenant }) => tenant !== undefined && isWithin(usage, tenant, bytes))
  }

  holds(draft: Draft, row: BlockRow, index: number): boolean {
    return this.#isHeld(draft, (number) => hasLease(row, number, index))
  }

  lease(draft: Draft, row: BlockRow, index: number): BlockRow {
    return this.#leaseAll(row, (before, tenant, expiresS) => {
      const { account } = tenant
      const { own, standIn } = numbersOf(draft, tenant)
      const ends = before.leases.find((each) => each.account === own && each.index === index)
      if (ends !== undefined && ends.expiresS >= expiresS) return before
      const isHeld = standIn !== undefined && hasLease(before, standIn, index)
      if (!isHeld && !isWithin(draft, tenant, row.shareBytes)) return undefined
      return withLease(before, { account: draft.numberOf(standInOf(account)), index, expiresS })
    })
  }

  holdsSlot(draft: Draft, row: SlotRow | undefined): boolean {
    return this.#isHeld(draft, (number) => hasSlotLease(row, number))
  }

  leaseSlot(draft: Draft, row: SlotRow): SlotRow {
    return this.#leaseAll(row, (before, tenant, expiresS) => {
      const { own, standIn } = numbersOf(draft, tenant)
      const ends = before.leases.find(({ account }) => account === own)
      if (ends !== undefined && ends.expiresS >= expiresS) return before
      const isHeld = standIn !== undefined && hasSlotLease(before, standIn)
      if (!isHeld && !isWithin(draft, tenant, slotBytes(row))) return undefined
      const account = draft.numberOf(standInOf(tenant.account))
      return withSlotLease(before, { account, expiresS })
    })
  }

  #isHeld(draft: Draft, isBy: (number: number) => boolean): boolean {
    return this.#leases.some(({ tenant }) => {
      if (tenant === undefined) return false
      const { own, standIn } = numbersOf(draft, tenant)
      return (own !== undefined && isBy(own)) || (standIn !== undefined && isBy(standIn))
    })
  }

  #leaseAll<Row>(
    row: Row,
    step: (row: Row, tenant: Tenant, expiresS: number) => Row | undefined,
  ): Row {
    this.refused.clear()
    let leased = row
    for (const [at, { tenant, expiresS }] of this.#leases.entries()) {
      const next = tenant === undefined ? undefined : step(leased, tenant, expiresS)
      if (next === undefined) this.refused.add(at)
      else leased = next
    }
    return leased
  }
}

/** Numbers of the account itself and of its stand-in, where the books know them. */
function numbersOf(
  draft: Draft,
  { account }: Tenant,
): { own: number | undefined; standIn: number | undefined } {
  return { own: draft.knownNumberOf(account), standIn: draft.knownNumberOf(standInOf(account)) }
}

function isWithin(
  usage: Pick<Draft, 'usedBytesOf'>,
  { account, quotaBytes }: Tenant,
  bytes: number,
): boolean {
  const usedBytes = usage.usedBytesOf(account) + usage.usedBytesOf(standInOf(account))
  return usedBytes + bytes <= quotaBytes
}
