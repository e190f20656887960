import type { Ledger } from './ledger.ts'
import { GRACE_S } from './leases.ts'
import { slotBytes } from './slots/slot-rows.ts'

/** How long what a node keeps is still leased: what it will free unless somebody renews. */
export interface LeaseOutlook {
  /** Leased for longer than a week. */
  readonly lasting: KeptAmount
  /** Whose last lease ends within a week. */
  readonly expiring: KeptAmount
  /** Whose last lease has run out; kept until the grace of a week is over. */
  readonly inGrace: KeptAmount
  /** Leased by nobody any more; the next collection frees it. */
  readonly unleased: KeptAmount
}

/** Of shares and slots together. */
export interface KeptAmount {
  readonly items: number
  readonly bytes: number
}

const WEEK_S = 7 * 24 * 3600

/** Goes through all rows, which takes a second for some hundred thousand. */
export async function leaseOutlook(ledger: Ledger, nowS: number): Promise<LeaseOutlook> {
  const sums = { lasting: none(), expiring: none(), inGrace: none(), unleased: none() }
  const add = (lastExpiryS: number, bytes: number): void => {
    const sum = sums[stateOf(lastExpiryS, nowS)]
    sum.items++
    sum.bytes += bytes
  }
  for await (const blocks of ledger.scan()) {
    for (const { row } of blocks) {
      for (const { index } of row.shares) {
        const ends = row.leases.filter((lease) => lease.index === index)
        add(Math.max(0, ...ends.map(({ expiresS }) => expiresS)), row.shareBytes)
      }
    }
  }
  for await (const slots of ledger.scanSlots()) {
    for (const { row } of slots) {
      if (row === undefined) continue
      add(Math.max(0, ...row.leases.map(({ expiresS }) => expiresS)), slotBytes(row))
    }
  }
  return sums
}

function none(): { items: number; bytes: number } {
  return { items: 0, bytes: 0 }
}

function stateOf(lastExpiryS: number, nowS: number): keyof LeaseOutlook {
  if (lastExpiryS + GRACE_S <= nowS) return 'unleased'
  if (lastExpiryS <= nowS) return 'inGrace'
  return lastExpiryS <= nowS + WEEK_S ? 'expiring' : 'lasting'
}
