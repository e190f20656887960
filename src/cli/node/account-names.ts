import type { AccountKey } from '../../protocol/membership/account-key.ts'
import { memberLabel, SHOWN_DIGITS } from '../../library/node-names.ts'
import type { Membership } from '../../protocol/membership/membership.ts'

/** What people call an account: the name of its member, or the start of its key where nobody knows it. */
export type NameOfAccount = (account: string) => string

/** For people: with digits of the key where several members are called alike. */
export function accountLabels(membership: Membership | undefined): NameOfAccount {
  return (account) => {
    const member = membership?.member(account as AccountKey)
    if (membership === undefined || member === undefined) return shortened(account)
    return memberLabel(membership, member)
  }
}

/** For programs, which have the keys beside it. */

export function accountNames(membership: Membership | undefined): NameOfAccount {
  return (account) => membership?.member(account as AccountKey)?.name ?? shortened(account)
}

function shortened(account: string): string {
  return `${account.slice(0, SHOWN_DIGITS)}…`
}
