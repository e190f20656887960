import { parseJoinWord } from '../../capabilities/join-words.ts'
import { signingAsGrid } from '../../capabilities/grid-keys.ts'
import { equalBytes } from '../../foundation/bytes.ts'
import { systemClock } from '../../foundation/system.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { signMember, signRevocation } from '../../protocol/membership/sign.ts'
import type { InviteKeyHex, Signing } from '../../protocol/membership/statements.ts'
import { nextOf } from '../../protocol/membership/succeed.ts'
import type { Member } from '../../protocol/membership/state.ts'
import { textArgument } from '../arguments.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { usageError } from '../failures.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import { openInvites, usedInvites } from '../grid/open-invites.ts'
import { requireGridKey, requireOwn, withMembers, type OwnMembership } from '../grid/own.ts'
import { inviteCalled } from '../grid/who.ts'
import { count } from '../terminal.ts'

/** Takes an invite back: it lets nobody else in. Those whom it has let in stay, named by the grid's key from now on. */
export async function gridRevoke(
  { invite }: { readonly invite: string },
  context: CommandContext,
): Promise<ExitCode> {
  const { files, terminal } = context
  const text = (await textArgument(invite)).trim()
  const own = await requireOwn(files)
  const gridKey = await requireGridKey(files, { ...own.secrets, membership: own.membership })
  const inviteKey = await inviteKeyIn(text, own, files)
  const signing = signingAsGrid(gridKey)
  let stay: Member[] = []
  const reached = await withMembers(own, context, ({ members }) => {
    stay = members.filter(({ admission }) => admission?.grant.inviteKey === inviteKey)
    const unnamed = stay.filter(({ statement }) => statement === undefined)
    return [
      ...unnamed.map((member) => nameOf(member, signing)),
      signRevocation(inviteKey, signing).bytes,
    ]
  })
  const names = stay.map(({ name }) => name)
  if (terminal.json) terminal.value({ inviteKey, stay: names, told: reached })
  else {
    terminal.line(
      reached === 0
        ? 'Took the invite back. No other member can be reached now: until they hear of it, they take it.'
        : `Took the invite back, and told ${count(reached, 'member')}, who pass it on.`,
    )
    if (names.length > 0) terminal.line(`It had let in ${names.join(', ')}, who stay.`)
  }
  return EXIT.ok
}

/** @param text - the invite itself, whom it is for, or the first digits of its key */
async function inviteKeyIn(
  text: string,
  { membership, file }: OwnMembership,
  files: HomeFiles,
): Promise<InviteKeyHex> {
  if (!JOIN_WORD.test(text)) {
    const open = await openInvites(files, membership)
    return inviteCalled(text, { open, used: usedInvites(membership) })
  }
  const word = parseJoinWord(text)
  if (word.kind === 'invite' && equalBytes(word.gridId, membership.gridId)) {
    return word.grant.inviteKey
  }
  throw usageError(`This is not an invite to the grid ${file.name}.`)
}

/** How words begin with which one joins; what begins otherwise is a name. */
const JOIN_WORD = /^hay(?:invite|device)1/i

function nameOf(member: Member, signing: Signing): Uint8Array {
  return signMember(nextOf(member, {}, systemClock.nowMs()), signing).bytes
}
