import type { Membership } from '../../protocol/membership/membership.ts'
import type { DrainReport, LeftReason } from '../../storage-node/drain/report.ts'
import { count, formatBytes, printableName } from '../terminal.ts'
import type { NameOfAccount } from './account-names.ts'

const WHY: Readonly<Record<LeftReason, string>> = {
  unreachable: 'no other node that could take them answers',
  full: 'all others are full',
  quota: 'whoever leases them is beyond the quota of each node that answers',
  later: 'the others take no more from here today',
  alone: 'there is no other node',
}

/** What a node still keeps and why, and what may be done about it. */
export function leftLines(
  { left, reasons, beyondQuota }: DrainReport,
  nameOfAccount: NameOfAccount,
): string[] {
  const names = beyondQuota.map((account) => printableName(nameOfAccount(account)))
  return [
    `Left here: ${formatBytes(left.bytes)}, ${count(left.shares + left.records, 'item')}.`,
    ...Object.entries(reasons).map(
      ([reason, number]) => `  ${count(number, 'item')}: ${WHY[reason as LeftReason]}`,
    ),
    ...(names.length === 0
      ? []
      : [
          `Beyond their quotas: ${names.join(', ')}. An admin gives more by "hayloft grid member NAME --quota SIZE".`,
        ]),
  ]
}

/** Of what nobody takes over and nobody is owed. */
export function formerMembersLine({ formerMembers }: DrainReport): string[] {
  if (formerMembers.shares + formerMembers.records === 0) return []
  return [
    `${formatBytes(formerMembers.bytes)} of former members stay behind: no node takes over what they stored.`,
  ]
}

/**
 * Whether a computer may not leave yet. What only the account has stored that leaves with it, and may store nowhere else,
 * need not stay for its own sake.
 */
export function isHeldUp(
  { left, reasons, beyondQuota }: DrainReport,
  leavingAccount: string | undefined,
): boolean {
  if (left.shares + left.records === 0) return false
  return (
    Object.keys(reasons).some((reason) => reason !== 'quota') ||
    beyondQuota.some((account) => account !== leavingAccount)
  )
}

/** What became of it, for programs. */
export function describeDrain(report: DrainReport, membership: Membership | undefined): object {
  const takers = report.takers.map(({ node, items, bytes }) => {
    return { node, name: membership?.deviceName(node) ?? null, items, bytes }
  })
  return { draining: true, ...report, takers }
}
