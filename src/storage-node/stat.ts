import { accountOfName } from '../protocol/account-name.ts'
import { MAX_ACCOUNTS } from '../protocol/limits.ts'
import type { AccountUsage, StatReply } from '../protocol/messages.ts'
import type { Tenant } from './claims.ts'
import { accountBehind, standInOf } from './handed-over.ts'
import type { Ledger } from './ledger.ts'
import type { ShareStore } from './share-store.ts'

/** How full a node is; with `tenantNamed`, and by whom. */
export async function statOf(
  { ledger, room }: ShareStore,
  { account, quotaBytes }: Tenant,
  tenantNamed?: (account: string) => Tenant | undefined,
): Promise<StatReply> {
  await room.refresh()
  const { usedBytes, shares } = ledger.totals
  return {
    op: 'stat',
    usedBytes,
    shares,
    freeBytes: room.freeBytes(usedBytes),
    capacityBytes: room.capacityBytes,
    account: { usedBytes: ledger.usedBytesOf(account), quotaBytes },
    ...(tenantNamed !== undefined && { accounts: wireUsages(ledger, tenantNamed) }),
  }
}

/** Who stores how much, those who store most first. */
export function usagesOf(ledger: Pick<Ledger, 'accounts' | 'usedBytesOf'>): {
  readonly account: string
  readonly usedBytes: number
  readonly handedBytes: number
}[] {
  const names = new Set(ledger.accounts().map(({ account }) => accountBehind(account).account))
  return [...names]
    .map((account) => ({
      account,
      usedBytes: ledger.usedBytesOf(account),
      handedBytes: ledger.usedBytesOf(standInOf(account)),
    }))
    .sort((a, b) => b.usedBytes + b.handedBytes - a.usedBytes - a.handedBytes)
}

function wireUsages(
  ledger: Ledger,
  tenantNamed: (account: string) => Tenant | undefined,
): AccountUsage[] {
  return usagesOf(ledger)
    .flatMap(({ account: name, ...usage }) => {
      const account = accountOfName(name)
      const quotaBytes = tenantNamed(name)?.quotaBytes
      return account === undefined
        ? []
        : [{ account, ...usage, ...(quotaBytes !== undefined && { quotaBytes }) }]
    })
    .slice(0, MAX_ACCOUNTS)
}
