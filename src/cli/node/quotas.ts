import type { NodeFile } from '../../home/node-file.ts'
import type { Membership } from '../../protocol/membership/membership.ts'
import type { Member } from '../../protocol/membership/state.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { quotaBytesOf } from '../../storage-node/quota.ts'
import type { Tenant } from '../../storage-node/claims.ts'

/** Members may store up to the quota of their account; nobody else gets anything. Follows members and settings as they change. */
export function tenantsOf(
  membership: Membership,
  settings: { readonly current: NodeFile },
): (caller: NodeKey) => Tenant | undefined {
  return (caller) => {
    const member = membership.memberOf(caller)
    if (member === undefined) return undefined
    const { account, quotaBytes: grantedBytes } = member
    const nodeDefaultBytes = settings.current.accountQuotaBytes
    const offeredBytes = offeredBytesOf(member)
    return { account, quotaBytes: quotaBytesOf({ grantedBytes, nodeDefaultBytes, offeredBytes }) }
  }
}

/** What the storage nodes of someone say that they offer. */
function offeredBytesOf({ devices }: Member): number {
  return devices
    .filter(({ use }) => use === 'storage')
    .reduce((sum, { announcement }) => sum + (announcement?.capacityBytes ?? 0), 0)
}
