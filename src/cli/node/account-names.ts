import type { AccountKey } from '../../protocol/membership/account-key.ts'
import type { Membership } from '../../protocol/membership/membership.ts'

/** What people call an account: the name of its member, or the start of its key where nobody knows it. */
export type NameOfAccount = (account: string) => string

export function accountNames(membership: Membership | undefined): NameOfAccount {
  return (account) => membership?.member(account as AccountKey)?.name ?? `${account.slice(0, 12)}…`
}
