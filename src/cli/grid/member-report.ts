import type { AccountKey } from '../../protocol/membership/account-key.ts'
import { contradictionIn } from '../../library/member-json.ts'
import { deviceLabel, memberLabel } from '../../library/node-names.ts'
import type { Membership } from '../../protocol/membership/membership.ts'
import type { Device, Member } from '../../protocol/membership/state.ts'
import type { MemberStatement } from '../../protocol/membership/statements.ts'
import { formatTime } from '../folders/times.ts'
import { formatBytes, printableName, type Terminal } from '../terminal.ts'
import type { Reached } from './own.ts'

/** Who asks, and what is known. */
interface Reader {
  readonly membership: Membership
  readonly account: AccountKey
}

/** Says in a line each who someone is and what computers they have. */
export function tellMember(
  member: Member,
  { terminal, membership, account }: Reader & { readonly terminal: Terminal },
): void {
  const { name, role, status, quotaBytes, expiresS } = member
  const about = [
    ...(member.account === account ? ['you'] : []),
    ...(role === 'admin' ? ['admin'] : []),
    ...(status === 'in' ? [] : [status]),
    ...(status === 'in' && member.devices.length === 0 ? ['without any device'] : []),
    ...(quotaBytes === undefined ? [] : [`may store ${formatBytes(quotaBytes)} on each node`]),
    ...(expiresS === 0 || status !== 'in' ? [] : [`until ${formatTime(1000 * expiresS)}`]),
    ...admissionOf(member, membership),
  ]
  terminal.line([printableName(memberLabel(membership, member)), ...about].join(', '))
  for (const device of member.devices) terminal.line(`    ${deviceLine(device, member)}`)
  const contradiction = contradictionOf(member)
  if (contradiction === undefined) return
  const command = status === 'removed' ? 'remove' : 'member'
  terminal.line(
    `    Two admins changed this without knowing of each other. What stands above counts; the other said: ` +
      `${contradiction}. An admin settles it with "hayloft grid ${command} ${quoted(name)}${command === 'member' ? ' …' : ''}".`,
  )
}

/** Says from whom a list may lack the last news. */
export function tellSilent({ count, silent }: Reached, terminal: Terminal): void {
  if (count === 0) {
    terminal.note('No other member can be reached now: this is what was known last.')
  } else if (silent.length > 0) {
    terminal.note(`No answer from ${silent.map(printableName).join(', ')}; the others were asked.`)
  }
}

/** What another admin said of someone at the same time; undefined if nothing. */
function contradictionOf(member: Member): string | undefined {
  const overruled = contradictionIn(member)
  if (overruled === undefined) return undefined
  if (member.status === 'removed') return 'still a member'
  const { name, role, quotaBytes, expiresS } = overruled
  return [
    ...(name === member.name ? [] : [`called ${printableName(name)}`]),
    ...(role === member.role ? [] : [role === 'admin' ? 'an admin' : 'no admin']),
    ...(quotaBytes === member.quotaBytes ? [] : [quotaSaid(quotaBytes)]),
    ...(expiresS === member.expiresS ? [] : [expirySaid(expiresS)]),
  ].join(', ')
}

function quotaSaid(quotaBytes: MemberStatement['quotaBytes']): string {
  return quotaBytes === undefined ? 'no quota' : `may store ${formatBytes(quotaBytes)} on each node`
}

function expirySaid(expiresS: number): string {
  return expiresS === 0 ? 'for ever' : `until ${formatTime(1000 * expiresS)}`
}

/** A name as a shell takes it. */
export function quoted(name: string): string {
  return /^[\p{L}\p{N}._-]+$/u.test(name)
    ? name
    : `'${printableName(name).replaceAll("'", `'\\''`)}'`
}

function admissionOf({ admission, statement }: Member, membership: Membership): string[] {
  if (admission === undefined || statement !== undefined) return []
  const sponsor = membership.memberOf(admission.sponsor)?.name
  const by = sponsor === undefined ? '' : ` by ${printableName(sponsor)}`
  return [`let in${by} on ${formatTime(1000 * admission.admittedS)}`]
}

/** `attic  storage node in "Ada's house", offers 500 GiB`. */
export function deviceLine(device: Device, owner: Pick<Member, 'devices'>): string {
  const { use, announcement } = device
  const shown = printableName(deviceLabel(device, owner))
  if (use === 'client') return shown
  if (announcement === undefined) return `${shown}: storage node, not heard of yet`
  const { zone, capacityBytes, timeS } = announcement
  const offer = capacityBytes === 0 ? 'offers nothing more' : `offers ${formatBytes(capacityBytes)}`
  return `${shown}: storage node in ${printableName(zone)}, ${offer}, as of ${formatTime(1000 * timeS)}`
}
