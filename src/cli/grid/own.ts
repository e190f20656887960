import type { AccountSecret } from '../../capabilities/account.ts'
import { memberAccountOf } from '../../capabilities/grid-keys.ts'
import type { SlotWriteKey } from '../../capabilities/slot-keys.ts'
import { systemClock } from '../../foundation/system.ts'
import { HomeError } from '../../home/errors.ts'
import { findGridKey } from '../../home/grid-key-file.ts'
import type { HomeSecrets } from '../../home/key-store.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { writeMembership } from '../../home/membership-file.ts'
import { noAccount } from '../../home/opened-home.ts'
import { readOwnGrid, type OwnGrid } from '../../home/own-grid.ts'
import { NotAMemberError } from '../../home/errors.ts'
import { nodeName } from '../../library/node-names.ts'
import { nodeKeyOfIdentity } from '../../network/identity.ts'
import { readSecret } from '../../home/secrets.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { withDeadline } from '../../network/deadline.ts'
import type { AccountKey } from '../../protocol/membership/account-key.ts'
import type { Membership } from '../../protocol/membership/membership.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import { openOwnClient, openOwnHome } from '../own-home.ts'

/** A home that belongs to a grid, and whose it is. */
export interface OwnMembership extends OwnGrid {
  readonly secrets: HomeSecrets
  readonly account: AccountKey
}

/** @throws HomeError if it belongs to no grid or has no account */
export async function requireOwn(files: HomeFiles): Promise<OwnMembership> {
  const own = await readOwnGrid(files, systemClock)
  if (own === undefined) throw noGrid(files)
  const { account, identity } = await openOwnHome(files).secrets()
  if (account === undefined || identity === undefined) throw noAccount(files)
  return { ...own, secrets: { account, identity }, account: memberAccountOf(account) }
}

/** @throws CliError if this home's person is no admin */
export async function requireGridKey(
  files: HomeFiles,
  { account, membership }: { readonly account: AccountSecret; readonly membership: Membership },
): Promise<SlotWriteKey> {
  const gridKey = await findGridKey(files, account, membership)
  if (gridKey !== undefined) return gridKey
  const admins = membership.members
    .filter(({ role, status }) => role === 'admin' && status === 'in')
    .map(({ name }) => name)
  throw new CliError({
    exit: EXIT.permission,
    code: 'no-admin',
    message:
      'Only an admin of the grid can do that. ' +
      (admins.length > 0
        ? `Ask ${admins.join(' or ')}.`
        : 'It has none that this computer knows of.'),
  })
}

/** What became of going to the other members. */
export interface Reached {
  /** How many of their devices were reached. */
  readonly count: number
  /** Storage nodes that did not answer, by name. */
  readonly silent: readonly string[]
}

/** Learns what the members know that answer soon. */
export async function askMembers(own: OwnMembership, context: CommandContext): Promise<Reached> {
  return await meetMembers(own, context, { waitMs: ASK_TIMEOUT_MS, change: () => [] })
}

/**
 * Goes to the members that can be reached: learns what they know, and has `change` make statements from that, which are
 * put on disk and told to them.
 *
 * @returns how many members were reached
 */
export async function withMembers(
  own: OwnMembership,
  context: CommandContext,
  change: Change,
): Promise<number> {
  return (await meetMembers(own, context, { waitMs: TELL_TIMEOUT_MS, change })).count
}

type Change = (
  membership: Membership,
  reached: number,
) => readonly Uint8Array[] | Promise<readonly Uint8Array[]>

async function meetMembers(
  own: OwnMembership,
  { files, signal }: CommandContext,
  { waitMs, change }: { readonly waitMs: number; readonly change: Change },
): Promise<Reached> {
  const home = { files, secrets: async () => await Promise.resolve(own.secrets) }
  await using client = await openOwnClient(files, signal, home, {
    withOwnHost: true,
    onRemoved: () => undefined,
  })
  const { network, membership } = client
  await withDeadline(systemClock, waitMs, async () => {
    await network.catchUp()
  }).catch(() => undefined)
  signal.throwIfAborted()
  if (!membership.isMember(network.self)) throw new NotAMemberError(own.file.name)
  const statements = await change(membership, network.connected().length)
  if (statements.length > 0) {
    membership.add(statements)
    await writeMembership(files.membership, membership, systemClock)
  }
  // What others told is known to the caller too.
  own.membership.add(membership.all().map(({ bytes }) => bytes))
  const connected = new Set(network.connected())
  const silent = membership.nodes.filter(({ key }) => !connected.has(key))
  return { count: connected.size, silent: silent.map(({ key }) => nodeName(membership, key)) }
}

/** The devices that a home is: the one of its commands, and its storage node. */
export async function devicesHere(
  { secrets }: OwnMembership,
  files: HomeFiles,
): Promise<ReadonlySet<NodeKey>> {
  const node = await readSecret(files.nodeKey)
  const identities = node === undefined ? [secrets.identity] : [secrets.identity, node]
  return new Set(identities.map(nodeKeyOfIdentity))
}

/** As long as a person waits for a list; who answers later tells the next command. */
const ASK_TIMEOUT_MS = 2000
/** What is said is to reach as many as can be reached at all, for a dial that takes its time. */
const TELL_TIMEOUT_MS = 5000

function noGrid({ home }: HomeFiles): HomeError {
  return new HomeError({
    code: 'no-grid',
    message: `${home} belongs to no grid. "hayloft grid create NAME" makes one, and "hayloft grid join" takes an invite.`,
  })
}
