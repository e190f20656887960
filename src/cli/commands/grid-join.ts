import { memberAccountOf } from '../../capabilities/grid-keys.ts'
import { parseJoinWord } from '../../capabilities/join-words.ts'
import { systemClock, systemRandomness } from '../../foundation/system.ts'
import { writeGridKey } from '../../home/grid-key-file.ts'
import { writeGridFile } from '../../home/grid-file.ts'
import { readMembership } from '../../home/membership-file.ts'
import { readNodeFile, writeNodeFile } from '../../home/node-file.ts'
import type { OwnGrid } from '../../home/own-grid.ts'
import { keepMembership } from '../../library/live-membership.ts'
import { nodeKeyOfIdentity } from '../../network/identity.ts'
import { joinGrid } from '../../network/membership/join.ts'
import type { Membership } from '../../protocol/membership/membership.ts'
import { textArgument } from '../arguments.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import { memberAddress } from '../grid/come-back.ts'
import { describeJoined, tellJoined } from '../grid/join-report.ts'
import {
  claimsOf,
  deviceLabel,
  ensureNodeIdentity,
  gridIdText,
  joinRequestOf,
  ownGridFor,
  refuseExpired,
  secretsFor,
  type HomeDevices,
  type JoinWord,
} from '../grid/join-steps.ts'
import { quoted } from '../grid/member-report.ts'
import { nodeFor, personName, type NodeRequest } from '../grid/new-member.ts'
import { ensureRootFolder } from '../root-folder.ts'
import type { Terminal } from '../terminal.ts'

export interface GridJoinRequest extends NodeRequest {
  /** An invite or a device word, or where it is: `@FILE`, or `-` for standard input. */
  readonly word: string
  readonly as?: string
  /** Further addresses of members. */
  readonly at?: readonly string[]
  readonly passphrase?: true
}

/**
 * Makes this home a member of the grid that the word leads to. Each step is on disk before the next one, and the grid's
 * file is the last of all, so that one that was interrupted is finished by running it again.
 */
export async function gridJoin(
  request: GridJoinRequest,
  context: CommandContext,
): Promise<ExitCode> {
  const { files, terminal } = context
  const word = await wordOf(request.word, terminal)
  const addresses = [...(request.at ?? []).map(memberAddress), ...word.addresses]
  const own = await ownGridFor(word, files)
  const name = nameFor(word, request.as, terminal)
  if (own === undefined) refuseExpired(word)
  const node = await nodeFor(request, { files, zone: name })
  const passphrase = request.passphrase === true
  const { secrets, isNewAccount } = await secretsFor(
    word.kind === 'device' ? word.account : undefined,
    files,
    { passphrase },
  )
  const hasNode = node !== undefined || (await readNodeFile(files.node)) !== undefined
  const nodeIdentity = hasNode ? await ensureNodeIdentity(files) : undefined
  if (node !== undefined) await writeNodeFile(files.node, node)
  await keepGridKey(word, secrets, files)
  const gridId = { gridId: word.gridId, clock: systemClock }
  const membership = own?.membership ?? (await readMembership(files.membership, gridId))
  const devices = { secrets, nodeIdentity, deviceName: deviceLabel() }
  const through = await becomeMember({ word, name, addresses, own, membership, devices }, context)
  const root = await ensureRootFolder(secrets, context)
  const result = { word, membership, secrets, nodeIdentity, through, isNewAccount, root }
  if (terminal.json) terminal.value(describeJoined(result, context))
  else tellJoined(result, { ...context, listen: (await readNodeFile(files.node))?.listen ?? [] })
  return EXIT.ok
}

interface Joining {
  readonly word: JoinWord
  readonly name: string
  readonly addresses: readonly string[]
  /** The grid of the home, if it belongs to it already. */
  readonly own: OwnGrid | undefined
  readonly membership: Membership
  readonly devices: HomeDevices
}

/** @returns the address of the member that let us in; undefined if nobody had to be asked */
async function becomeMember(
  { word, name, addresses, own, membership, devices }: Joining,
  { files, signal }: CommandContext,
): Promise<string | undefined> {
  const keeper = keepMembership(files, membership)
  const { secrets, nodeIdentity } = devices
  const { identity, account } = secrets
  const identities = nodeIdentity === undefined ? [identity] : [identity, nodeIdentity]
  const isIn = identities.every((each) => membership.isMember(nodeKeyOfIdentity(each)))
  if (own !== undefined && isIn) return undefined
  const claims = claimsOf(membership, devices)
  if (own !== undefined && membership.member(memberAccountOf(account))?.status === 'in') {
    // A device of a member is a member's by the account's word alone. Others hear of it with the next connection.
    await keeper.learn(claims)
    return undefined
  }
  const { address } = await joinGrid({
    identity,
    keeper,
    addresses,
    request: joinRequestOf(word, claims, { secrets, name }),
    clock: systemClock,
    signal,
  })
  await keeper.saved()
  const bootstrap = [...new Set([address, ...addresses])].slice(0, MAX_BOOTSTRAP)
  await writeGridFile(files.grid, { gridId: gridIdText(word), name: word.gridName, bootstrap })
  return address
}

/** An invite for admins holds the key of the grid, which makes one. */
async function keepGridKey(
  word: JoinWord,
  { account }: HomeDevices['secrets'],
  files: CommandContext['files'],
): Promise<void> {
  if (word.kind !== 'invite' || word.gridKey === undefined) return
  await writeGridKey(files, word.gridKey, { account, randomness: systemRandomness })
}

/** Members to ask first the next time: the one that let us in, and those of the word. */
const MAX_BOOTSTRAP = 8

async function wordOf(argument: string, terminal: Terminal): Promise<JoinWord> {
  const isBare = argument !== '-' && !argument.startsWith('@')
  if (isBare && /^haydevice1/i.test(argument)) throw deviceWordExposed()
  const word = parseJoinWord(await textArgument(argument))
  if (isBare) {
    terminal.note(
      'Note: what stands on a command line can be read by others on this computer while the command runs, and the ' +
        'shell keeps it. This invite is used up now; the next time, give it as @FILE or - (standard input).',
    )
  }
  return word
}

/**
 * What this member calls themselves. Others see what the inviter said, if they said anything; of an invite that was used too
 * often they see this.
 */
function nameFor(word: JoinWord, given: string | undefined, terminal: Terminal): string {
  const granted = word.kind === 'invite' ? word.grant.name : undefined
  if (given === undefined && granted !== undefined) return granted
  const name = personName(given, '--as')
  if (granted !== undefined && granted !== name) {
    terminal.note(
      `The invite is for ${quoted(granted)}, and that is what the others call you. An admin changes it with "hayloft grid member".`,
    )
  }
  return name
}

function deviceWordExposed(): CliError {
  return new CliError({
    exit: EXIT.usage,
    code: 'device-word-exposed',
    message:
      'A word that adds a device must not stand on the command line, where others on this machine can read it and the ' +
      'shell keeps it: it is as strong as your recovery key. Give it as @FILE or - (standard input), and clear it ' +
      'from the history of your shell.',
  })
}
