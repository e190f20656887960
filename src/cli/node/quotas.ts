import type { NodeFile } from '../../home/node-file.ts'
import type { AccountKey } from '../../protocol/membership/account-key.ts'
import type { Membership } from '../../protocol/membership/membership.ts'
import type { Member } from '../../protocol/membership/state.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { Tenant } from '../../storage-node/claims.ts'
import { quotaBytesOf } from '../../storage-node/quota.ts'

/** Members may store up to the quota of their account; nobody else gets anything. Follows members and settings as they change. */
export function tenantsOf(
  membership: Membership,
  settings: { readonly current: NodeFile },
): {
  readonly accountOf: (caller: NodeKey) => Tenant | undefined
  readonly tenantNamed: (account: string) => Tenant | undefined
} {
  const tenantOf = (member: Member | undefined): Tenant | undefined => {
    if (member?.status !== 'in') return undefined
    const { account, quotaBytes: grantedBytes } = member
    const nodeDefaultBytes = settings.current.accountQuotaBytes
    const offeredBytes = offeredBytesOf(member)
    return { account, quotaBytes: quotaBytesOf({ grantedBytes, nodeDefaultBytes, offeredBytes }) }
  }
  return {
    accountOf: (caller) => tenantOf(membership.memberOf(caller)),
    tenantNamed: (account) => tenantOf(membership.member(account as AccountKey)),
  }
}

/** What the storage nodes of someone say that they offer. */
function offeredBytesOf({ devices }: Member): number {
  return devices
    .filter(({ use }) => use === 'storage')
    .reduce((sum, { announcement }) => sum + (announcement?.capacityBytes ?? 0), 0)
}
