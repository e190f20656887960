import type { Device, Member, RefusedAdmission } from '../../protocol/membership/state.ts'
import type { Membership } from '../../protocol/membership/membership.ts'
import type { AccountKey } from '../../protocol/membership/account-key.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import { formatTime } from '../folders/times.ts'
import { requireOwn, withMembers } from '../grid/own.ts'
import { SHOWN_DIGITS } from '../grid/who.ts'
import { formatBytes, printableName, type Terminal } from '../terminal.ts'

/** Who belongs to the grid, with which devices, what they offer, and what happened that people should know. */
export async function gridMembers(context: CommandContext): Promise<ExitCode> {
  const { files, terminal } = context
  const own = await requireOwn(files)
  const reached = await withMembers(own, context, () => [])
  const { membership, account, file } = own
  if (terminal.json) {
    terminal.value({
      grid: file.name,
      members: membership.members.map((member) => describe(member, membership, account)),
      refused: membership.refusedAdmissions.map(describeRefused),
      reached,
    })
    return EXIT.ok
  }
  for (const member of membership.members) tell(member, { membership, account, terminal })
  for (const refused of membership.refusedAdmissions) tellRefused(refused, membership, terminal)
  if (reached === 0)
    terminal.note('No other member can be reached now: this is what was known last.')
  return EXIT.ok
}

function tell(
  member: Member,
  context: { membership: Membership; account: AccountKey; terminal: Terminal },
): void {
  const { terminal, membership, account } = context
  const { name, role, status, quotaBytes, expiresS, overruled } = member
  const sharesName = membership.members.filter((each) => each.name === name).length > 1
  const about = [
    ...(sharesName ? [member.account.slice(0, SHOWN_DIGITS)] : []),
    ...(member.account === account ? ['you'] : []),
    ...(role === 'admin' ? ['admin'] : []),
    ...(status === 'in' ? [] : [status]),
    ...(status === 'in' && member.devices.length === 0 ? ['without any device'] : []),
    ...(quotaBytes === undefined ? [] : [`may store ${formatBytes(quotaBytes)} on each node`]),
    ...(expiresS === 0 || status !== 'in' ? [] : [`until ${formatTime(1000 * expiresS)}`]),
    ...admissionOf(member, membership),
  ]
  terminal.line([printableName(name), ...about].join(', '))
  for (const device of member.devices) terminal.line(`    ${deviceLine(device)}`)
  if (overruled !== undefined) {
    const said = overruled.status === 'removed' ? 'removed them' : 'changed them'
    terminal.line(`    two admins changed this at once: one ${said}, and that does not count`)
  }
}

function admissionOf({ admission, statement }: Member, membership: Membership): string[] {
  if (admission === undefined || statement !== undefined) return []
  const sponsor = membership.memberOf(admission.sponsor)?.name
  const by = sponsor === undefined ? '' : ` by ${printableName(sponsor)}`
  return [`let in${by} on ${formatTime(1000 * admission.admittedS)}`]
}

/** `attic  storage node in "Ada's house", offers 500 GiB`. */
export function deviceLine({ name, use, announcement }: Device): string {
  const shown = printableName(name)
  if (use === 'client') return shown
  if (announcement === undefined) return `${shown}: storage node, never seen yet`
  const { zone, capacityBytes, timeS } = announcement
  const offer = capacityBytes === 0 ? 'offers nothing more' : `offers ${formatBytes(capacityBytes)}`
  return `${shown}: storage node in ${printableName(zone)}, ${offer}, as of ${formatTime(1000 * timeS)}`
}

function tellRefused(
  { admission, reason }: RefusedAdmission,
  membership: Membership,
  terminal: Terminal,
): void {
  const { grant, name, admittedS, sponsor } = admission
  const users = membership.members.filter(
    (member) => member.admission?.grant.inviteKey === grant.inviteKey,
  )
  const whose =
    users.length > 0
      ? `The invite that let in ${users.map((user) => printableName(user.name)).join(', ')}`
      : 'An invite'
  const door = membership.deviceName(sponsor) ?? sponsor.slice(0, SHOWN_DIGITS)
  terminal.line('')
  terminal.line(
    `${whose} was used again on ${formatTime(1000 * admittedS)} at ${printableName(door)}, by someone who calls themselves ` +
      `${printableName(name)}. ${WHY[reason]}, so they were not let in.`,
  )
  if (reason === 'used-up') {
    terminal.note(
      'If that was no mistake of your friend, somebody else has got hold of the invite: who of the two is in?',
    )
  }
}

const WHY = {
  'used-up': 'It had let in as many as it may',
  expired: 'It had expired',
  revoked: 'It had been taken back',
} as const

function describe(member: Member, membership: Membership, account: AccountKey): object {
  const { admission, overruled, devices, expiresS } = member
  return {
    account: member.account,
    name: member.name,
    role: member.role,
    status: member.status,
    you: member.account === account,
    quotaBytes: member.quotaBytes ?? null,
    expires: expiresS === 0 ? null : isoTime(expiresS),
    admitted:
      admission === undefined
        ? null
        : {
            at: isoTime(admission.admittedS),
            by: membership.memberOf(admission.sponsor)?.name ?? null,
            invite: admission.grant.inviteKey,
          },
    devices: devices.map(describeDevice),
    overruled: overruled === undefined ? null : { status: overruled.status, role: overruled.role },
  }
}

export function describeDevice({ key, name, use, announcement }: Device): object {
  return {
    key,
    name,
    use,
    zone: announcement?.zone ?? null,
    capacityBytes: announcement?.capacityBytes ?? null,
    addresses: announcement?.addresses ?? [],
    announced: announcement === undefined ? null : isoTime(announcement.timeS),
  }
}

function describeRefused({ admission, reason }: RefusedAdmission): object {
  return {
    reason,
    name: admission.name,
    account: admission.account,
    invite: admission.grant.inviteKey,
    at: isoTime(admission.admittedS),
    sponsor: admission.sponsor,
  }
}

/** Times are others' numbers: one that no calendar has is not shown. */
function isoTime(timeS: number): string | null {
  const time = new Date(1000 * timeS)
  return Number.isNaN(time.getTime()) ? null : time.toISOString()
}
