import type { GridFile } from '../../home/grid-file.ts'
import type { NodeFile } from '../../home/node-file.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { quotaBytesOf } from '../../storage-node/quota.ts'
import type { Tenant } from '../../storage-node/share-store.ts'

/** Members may store up to the quota of their account; nobody else gets anything. Follows settings as they change. */
export function tenantsOf(
  { members }: GridFile,
  settings: { readonly current: NodeFile },
): (caller: NodeKey) => Tenant | undefined {
  const accounts = new Map(members.map(({ key, account }) => [key, account]))
  const offered = new Map<string, number>()
  for (const { account, capacityBytes } of members) {
    offered.set(account, (offered.get(account) ?? 0) + capacityBytes)
  }
  return (caller) => {
    const account = accounts.get(caller)
    if (account === undefined) return undefined
    const offeredBytes = offered.get(account) ?? 0
    const nodeDefaultBytes = settings.current.accountQuotaBytes
    return { account, quotaBytes: quotaBytesOf({ nodeDefaultBytes, offeredBytes }) }
  }
}
