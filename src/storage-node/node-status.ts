import type { Caretaker } from './caretaker.ts'
import type { LeaseOutlook } from './lease-outlook.ts'
import type { ShareStore } from './share-store.ts'
import { usagesOf } from './stat.ts'
import type { UpkeepHistory } from './upkeep-log.ts'

/** A node as its operator sees it. Sizes in bytes. */
export interface NodeStatus {
  /** What it offers; 0 while it gives away what it keeps. */
  readonly capacityBytes: number
  readonly reserveBytes: number
  readonly usedBytes: number
  readonly shares: number
  /** What may still be stored. */
  readonly freeBytes: number
  /** What its disk has free, for whomever. */
  readonly diskFreeBytes: number
  /** Who stores how much, those who store most first. */
  readonly accounts: readonly AccountUsage[]
  readonly leases: LeaseOutlook
  readonly upkeep: UpkeepHistory
}

export interface AccountUsage {
  readonly account: string
  readonly usedBytes: number
  /** Of what another node has handed over for it, and it has not renewed since. */
  readonly handedBytes: number
}

export async function statusOf(
  { room, ledger }: ShareStore,
  caretaker: Caretaker,
): Promise<NodeStatus> {
  await room.refresh()
  const { usedBytes, shares } = ledger.totals
  return {
    capacityBytes: room.capacityBytes,
    reserveBytes: room.reserveBytes,
    usedBytes,
    shares,
    freeBytes: room.freeBytes(usedBytes),
    diskFreeBytes: room.diskFreeBytes,
    accounts: usagesOf(ledger),
    leases: await caretaker.outlook(),
    upkeep: await caretaker.history(),
  }
}
