import { describeMember, isoTime } from '../../library/member-json.ts'
import type { RefusedAdmission } from '../../protocol/membership/state.ts'
import type { Membership } from '../../protocol/membership/membership.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import { formatTime } from '../folders/times.ts'
import { tellMember, tellSilent } from '../grid/member-report.ts'
import { describeInvite, inviteLine, openInvites } from '../grid/open-invites.ts'
import { askMembers, requireOwn } from '../grid/own.ts'
import { nodeName } from '../../library/node-names.ts'
import { printableName, type Terminal } from '../terminal.ts'

/** Who belongs to the grid, with which devices, what they offer, and what happened that people should know. */
export async function gridMembers(context: CommandContext): Promise<ExitCode> {
  const { files, terminal } = context
  const own = await requireOwn(files)
  const { count: reached, silent } = await askMembers(own, context)
  const { membership, account, file } = own
  const invites = await openInvites(files, membership)
  if (terminal.json) {
    terminal.value({
      grid: file.name,
      members: membership.members.map((member) => describeMember(member, { membership, account })),
      refused: membership.refusedAdmissions.map(describeRefused),
      invites: invites.map(describeInvite),
      reached,
      silent,
    })
    return EXIT.ok
  }
  for (const member of membership.members) tellMember(member, { membership, account, terminal })
  for (const refused of membership.refusedAdmissions) tellRefused(refused, membership, terminal)
  if (invites.length > 0) {
    terminal.line('\nOpen invites that were made on this computer:')
    for (const invite of invites) terminal.line(`    ${inviteLine(invite)}`)
  }
  tellSilent({ count: reached, silent }, terminal)
  return EXIT.ok
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
  const door = nodeName(membership, sponsor)
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
