import { formatInvite, inviteKeyOf, newInviteSecret } from '../../capabilities/join-words.ts'
import { MAX_JOIN_ADDRESSES } from '../../capabilities/kinds.ts'
import { signingAsGrid } from '../../capabilities/grid-keys.ts'
import { systemClock, systemRandomness } from '../../foundation/system.ts'
import { keepInvite } from '../../home/invites-file.ts'
import { signGrant } from '../../protocol/membership/grant.ts'
import { MAX_INVITE_USES } from '../../protocol/membership/limits.ts'
import { checkMemberName } from '../../protocol/membership/names.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { usageError } from '../failures.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import { formatTime } from '../folders/times.ts'
import { doorAddresses } from '../grid/door-addresses.ts'
import { lifetimeArgument } from '../grid/lifetime.ts'
import { quoted } from '../grid/member-report.ts'
import { requireGridKey, requireOwn } from '../grid/own.ts'
import { isLocalOnly } from '../node/local-only.ts'
import { printWord } from '../grid/print-word.ts'
import { roleArgument } from '../grid/role.ts'
import { SHOWN_DIGITS } from '../../library/node-names.ts'
import { sizeArgument } from '../sizes.ts'
import { formatBytes } from '../terminal.ts'

export interface GridInviteRequest {
  readonly name?: string
  readonly quota?: string
  readonly uses?: string
  readonly expires?: string
  readonly role?: string
}

/** Makes an invite: a word by which its holder comes in, while the inviter may be away. */
export async function gridInvite(
  request: GridInviteRequest,
  { files, terminal }: CommandContext,
): Promise<ExitCode> {
  const nowMs = systemClock.nowMs()
  const name = request.name === undefined ? undefined : checkMemberName(request.name, 'name')
  const quotaBytes =
    request.quota === undefined ? undefined : sizeArgument(request.quota, '--quota')
  const uses = usesArgument(request.uses ?? '1')
  if (name !== undefined && uses > 1) {
    throw usageError(
      'An invite with a name is for one person. Leave out --name, and each says with --as what to be called; or leave out --uses.',
    )
  }
  const expiresS = lifetimeArgument(request.expires ?? '7d', nowMs)
  const role = roleArgument(request.role ?? 'member')
  const own = await requireOwn(files)
  const { file, membership } = own
  const gridKey = await requireGridKey(files, { ...own.secrets, membership })
  const addresses = await doorAddresses(files, own, MAX_JOIN_ADDRESSES)
  const secret = newInviteSecret(systemRandomness)
  const inviteKey = inviteKeyOf(secret)
  const grant = signGrant(
    { inviteKey, name, role, quotaBytes, expiresS, uses },
    signingAsGrid(gridKey),
  )
  const word = formatInvite({
    gridId: membership.gridId,
    gridName: file.name,
    addresses,
    secret,
    grant,
    gridKey: role === 'admin' ? gridKey : undefined,
  })
  await keepInvite(files, grant, membership)
  if (terminal.json) {
    const expires = expiresS === 0 ? null : new Date(1000 * expiresS).toISOString()
    const told = { name: name ?? null, role, quotaBytes: quotaBytes ?? null, uses, expires }
    terminal.value({ invite: word, inviteKey, grid: file.name, ...told, addresses })
    return EXIT.ok
  }
  printWord(word, terminal)
  const whose = name === undefined ? 'your friend' : name
  terminal.note(
    `Send it to ${whose} by a way that you trust. There, "hayloft grid join -" takes it.`,
  )
  if (isLocalOnly(addresses)) {
    terminal.note(
      'It leads to nodes on this computer only, so nobody comes in with it from elsewhere: let one listen for others first, ' +
        '"hayloft node config --listen /ip4/0.0.0.0/tcp/4001", start it again, and make another invite.',
    )
  }
  const until = expiresS === 0 ? 'for ever' : `until ${formatTime(1000 * expiresS)}`
  terminal.note(
    `It lets in ${uses === 1 ? 'one person' : `${uses} people`}, ${until}; whoever uses it first is in. ` +
      `"hayloft grid revoke ${inviteKey.slice(0, SHOWN_DIGITS)}" takes it back.`,
  )
  if (quotaBytes !== undefined) {
    terminal.note(`They may store up to ${formatBytes(quotaBytes)} on each node.`)
  }
  if (role === 'admin') {
    terminal.note(
      'It holds the key of the grid: whoever has it can invite and remove people, you among them, and that cannot be taken back.',
    )
  }
  const taken = membership.members.find((member) => member.name === name)
  if (taken !== undefined) {
    terminal.note(
      taken.status === 'removed'
        ? `The grid has removed a ${taken.name}, whose account no invite lets in: "hayloft grid readmit ${quoted(taken.name)}" does.`
        : `The grid knows a ${taken.name} already. For another computer of theirs they use "hayloft device add" instead.`,
    )
  }
  return EXIT.ok
}

function usesArgument(text: string): number {
  const uses = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (uses >= 1 && uses <= MAX_INVITE_USES) return uses
  throw usageError(`The option --uses takes a number from 1 to ${MAX_INVITE_USES}.`)
}
