import { accountOfName } from '../protocol/account-name.ts'
import { MAX_HANDED_LEASES, MAX_LEASE_S } from '../protocol/limits.ts'
import type { HandedLease } from '../protocol/messages.ts'
import { accountBehind } from './handed-over.ts'
import { GRACE_S } from './leases.ts'
import type { ShareStore } from './share-store.ts'

/** Leases as they are handed over: who has them, and for how long from now on; without those whose grace is over. */
export function handedLeases(
  store: Pick<ShareStore, 'ledger' | 'nowS'>,
  leases: readonly { readonly account: number; readonly expiresS: number }[],
): HandedLease[] {
  const nowS = store.nowS()
  const longest = new Map<string, number>()
  for (const { account: number, expiresS } of leases) {
    if (expiresS + GRACE_S <= nowS) continue
    const { account } = accountBehind(store.ledger.accountNumbered(number) ?? '')
    longest.set(account, Math.max(longest.get(account) ?? 0, expiresS - nowS))
  }
  return [...longest]
    .flatMap(([name, leaseS]) => {
      const account = accountOfName(name)
      return account === undefined ? [] : [{ account, leaseS: Math.min(leaseS, MAX_LEASE_S) }]
    })
    .sort((a, b) => b.leaseS - a.leaseS)
    .slice(0, MAX_HANDED_LEASES)
}
