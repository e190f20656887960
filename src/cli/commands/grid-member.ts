import { signingAsGrid } from '../../capabilities/grid-keys.ts'
import { formatInvite, inviteKeyOf, newInviteSecret } from '../../capabilities/join-words.ts'
import type { SlotWriteKey } from '../../capabilities/slot-keys.ts'
import { systemClock, systemRandomness } from '../../foundation/system.ts'
import { describeMember } from '../../library/member-json.ts'
import { signGrant } from '../../protocol/membership/grant.ts'
import { checkMemberName } from '../../protocol/membership/names.ts'
import { signMember } from '../../protocol/membership/sign.ts'
import type { Member } from '../../protocol/membership/state.ts'
import { nextOf, type MemberChange } from '../../protocol/membership/succeed.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import { lifetimeArgument } from '../grid/lifetime.ts'
import { quoted, tellMember, tellSilent } from '../grid/member-report.ts'
import {
  askMembers,
  requireGridKey,
  requireOwn,
  withMembers,
  type OwnMembership,
} from '../grid/own.ts'
import { printWord } from '../grid/print-word.ts'
import { roleArgument } from '../grid/role.ts'
import { memberCalled } from '../grid/who.ts'
import { sizeArgument } from '../sizes.ts'
import { count, type Terminal } from '../terminal.ts'

export interface GridMemberRequest {
  /** Whom it is about. */
  readonly member: string
  readonly name?: string
  /** A size, or `none`. */
  readonly quota?: string
  readonly role?: string
  readonly expires?: string
}

/** Shows one member, or changes what the grid says of them. */
export async function gridMember(
  request: GridMemberRequest,
  context: CommandContext,
): Promise<ExitCode> {
  const change = changeIn(request)
  if (Object.keys(change).length === 0) return await show(request.member, context)
  return await settle(request.member, context, (member, own) => {
    if (member.status === 'removed') throw removedBefore(member)
    refuseLastAdmin(member, change, own)
    return change
  })
}

/** Takes someone back in who was removed, with the devices that they had. */
export async function gridReadmit(
  { name }: { readonly name: string },
  context: CommandContext,
): Promise<ExitCode> {
  return await settle(name, context, (member) => ({
    status: 'in',
    // An end that is over would keep them out all the same.
    expiresS: hasEnded(member) ? 0 : member.expiresS,
  }))
}

async function show(name: string, context: CommandContext): Promise<ExitCode> {
  const { files, terminal } = context
  const own = await requireOwn(files)
  const reached = await askMembers(own, context)
  const member = memberCalled(name, own.membership.members)
  if (terminal.json) {
    const { count: told, silent } = reached
    terminal.value({ ...describeMember(member, own), reached: told, silent })
    return EXIT.ok
  }
  tellMember(member, { ...own, terminal })
  tellSilent(reached, terminal)
  return EXIT.ok
}

/** What was to change about someone. */
interface Settled {
  readonly before: Member
  readonly change: MemberChange
}

/** Finds someone, has `decide` say what is to change, and has all members told. */
async function settle(
  name: string,
  context: CommandContext,
  decide: (member: Member, own: OwnMembership) => MemberChange,
): Promise<ExitCode> {
  const { files, terminal } = context
  const own = await requireOwn(files)
  const { membership, account } = own
  const gridKey = await requireGridKey(files, { ...own.secrets, membership })
  let settled: Settled | undefined
  const reached = await withMembers(own, context, (now) => {
    const before = memberCalled(name, now.members)
    const change = decide(before, { ...own, membership: now })
    settled = { before, change }
    if (!isNews(before, change)) return []
    const said = nextOf(before, change, systemClock.nowMs())
    return [signMember(said, signingAsGrid(gridKey)).bytes]
  })
  if (settled === undefined) return EXIT.ok
  const { before, change } = settled
  const member = membership.member(before.account) ?? before
  const isNewAdmin = change.role === 'admin' && member.account !== account
  const word = isNewAdmin ? wordForAdmin(member, own, gridKey) : undefined
  if (terminal.json) {
    const given = word === undefined ? {} : { word }
    const changed = isNews(before, change)
    terminal.value({ ...describeMember(member, own), changed, told: reached, ...given })
    return EXIT.ok
  }
  tellMember(member, { membership, account, terminal })
  tell({ before, change }, { member, reached, terminal })
  if (word !== undefined) tellWord(word, member, terminal)
  return EXIT.ok
}

function changeIn({ name, quota, role, expires }: GridMemberRequest): MemberChange {
  return {
    ...(name !== undefined && { name: checkMemberName(name.normalize('NFC'), 'name') }),
    ...(quota !== undefined && { quotaBytes: quotaArgument(quota) }),
    ...(role !== undefined && { role: roleArgument(role) }),
    ...(expires !== undefined && { expiresS: lifetimeArgument(expires, systemClock.nowMs()) }),
  }
}

function quotaArgument(text: string): number | undefined {
  return text.trim().toLowerCase() === 'none' ? undefined : sizeArgument(text, '--quota')
}

/** What two admins said at once is settled by saying it again. */
function isNews(member: Member, change: MemberChange): boolean {
  if (member.overruled !== undefined) return true
  return Object.entries(change).some(
    ([field, value]) => member[field as keyof MemberChange] !== value,
  )
}

function hasEnded({ expiresS }: Member): boolean {
  return expiresS !== 0 && 1000 * expiresS <= systemClock.nowMs()
}

function tell(
  { before, change }: Settled,
  { member, reached, terminal }: { member: Member; reached: number; terminal: Terminal },
): void {
  if (!isNews(before, change)) {
    terminal.note('That is how it was already.')
    return
  }
  terminal.note(
    reached === 0
      ? 'No other member can be reached now: they hear of it from your next command, or from your node.'
      : `Told ${count(reached, 'member')}, who pass it on.`,
  )
  if (change.status === 'in') {
    terminal.note(
      `${member.name} is in again, with the computers above: they start their node, or run any command. A computer that ` +
        'has left the grid joins again with "hayloft grid join" and an invite.',
    )
  }
  if (before.role === 'admin' && change.role === 'member') {
    terminal.note(
      `${member.name} still knows the key of the grid, and could take the role again with it. If you do not trust them ` +
        'with that, make a new grid, and invite the others to it.',
    )
  }
}

/** The key of the grid makes an admin, and a statement that everybody reads cannot hold it. */
function wordForAdmin(member: Member, own: OwnMembership, gridKey: SlotWriteKey): string {
  const secret = newInviteSecret(systemRandomness)
  const { name, quotaBytes } = member
  // It has ended already: it brings a member the key, and lets no stranger in.
  const terms = { name, quotaBytes, role: 'admin', expiresS: 1, uses: 1 } as const
  const grant = signGrant({ inviteKey: inviteKeyOf(secret), ...terms }, signingAsGrid(gridKey))
  const { membership, file } = own
  const door = { gridId: membership.gridId, gridName: file.name, addresses: [] }
  return formatInvite({ ...door, secret, grant, gridKey })
}

function tellWord(word: string, { name }: Member, terminal: Terminal): void {
  terminal.note('')
  printWord(word, terminal)
  terminal.note(
    `Bring this to ${name} by a way that nobody else sees: it holds the key of the grid, which makes an admin and cannot be ` +
      'taken back. On each of their computers, "hayloft grid join -" takes it.',
  )
}

function removedBefore({ name }: Member): CliError {
  return new CliError({
    exit: EXIT.usage,
    code: 'member-removed',
    message: `${name} was removed from the grid. "hayloft grid readmit ${quoted(name)}" takes them back in first.`,
  })
}

/** Without an admin, nobody could be let in or removed any more. */
function refuseLastAdmin(
  { account, role }: Member,
  change: MemberChange,
  { membership }: OwnMembership,
): void {
  if (role !== 'admin' || change.role !== 'member') return
  const isAnother = (each: Member): boolean =>
    each.account !== account && each.status === 'in' && each.role === 'admin'
  if (membership.members.some(isAnother)) return
  throw new CliError({
    exit: EXIT.permission,
    code: 'last-admin',
    message:
      'The grid would have no admin any more, and nobody could be let in or removed. Make someone else one first: ' +
      '"hayloft grid member NAME --role admin".',
  })
}
