import { gridKeyOfFounder } from '../../src/home/own-statements.ts'
import {
  formatDeviceWord,
  formatInvite,
  inviteKeyOf,
  newInviteSecret,
} from '../../src/capabilities/join-words.ts'
import { signingAsGrid } from '../../src/capabilities/grid-keys.ts'
import { systemClock, systemRandomness } from '../../src/foundation/system.ts'
import { readSecrets } from '../../src/home/key-store.ts'
import { homeFiles } from '../../src/home/layout.ts'
import { writeMembership } from '../../src/home/membership-file.ts'
import { readOwnGrid, type OwnGrid } from '../../src/home/own-grid.ts'
import { signGrant } from '../../src/protocol/membership/grant.ts'
import type { Membership } from '../../src/protocol/membership/membership.ts'
import { signMember } from '../../src/protocol/membership/sign.ts'
import { nextSequence } from '../../src/protocol/membership/statements.ts'

/** What a home knows of its grid. */
export async function membershipOf(home: string): Promise<Membership> {
  return (await gridOf(home)).membership
}

/** An invite as the founder of a grid makes one. */
export async function inviteFrom(
  home: string,
  { addresses, uses = 1 }: { addresses: readonly string[]; uses?: number },
): Promise<string> {
  const { file, membership } = await gridOf(home)
  const secret = newInviteSecret(systemRandomness)
  const grant = signGrant(
    {
      inviteKey: inviteKeyOf(secret),
      name: undefined,
      role: 'member',
      quotaBytes: undefined,
      expiresS: 0,
      uses,
    },
    signingAsGrid(await gridKeyOf(home, membership)),
  )
  const door = { gridId: membership.gridId, gridName: file.name, addresses }
  return formatInvite({ secret, grant, gridKey: undefined, ...door })
}

/** A word that makes another home one of the same account. */
export async function deviceWordFrom(home: string, addresses: readonly string[]): Promise<string> {
  const { file, membership } = await gridOf(home)
  const { account } = await secretsOf(home)
  const door = { gridId: membership.gridId, gridName: file.name, addresses }
  return formatDeviceWord({ account, ...door })
}

/** The founder says that someone belongs no more; the others hear of it from whatever its home does next. */
export async function removeMember(home: string, name: string): Promise<void> {
  const { membership } = await gridOf(home)
  const member = membership.members.find((each) => each.name === name)
  if (member === undefined) throw new Error(`${home} knows no ${name}`)
  const { account, role } = member
  const { bytes } = signMember(
    {
      account,
      seq: nextSequence(undefined, systemClock.nowMs()),
      name,
      role,
      quotaBytes: undefined,
      expiresS: 0,
      status: 'removed',
      keyNonce: undefined,
    },
    signingAsGrid(await gridKeyOf(home, membership)),
  )
  membership.add([bytes])
  await writeMembership(homeFiles(home).membership, membership, systemClock)
}

async function gridOf(home: string): Promise<OwnGrid> {
  const own = await readOwnGrid(homeFiles(home), systemClock)
  if (own === undefined) throw new Error(`${home} belongs to no grid`)
  return own
}

async function secretsOf(home: string) {
  const { account } = await readSecrets(homeFiles(home), () => {
    throw new Error('there is no passphrase')
  })
  if (account === undefined) throw new Error(`${home} has no account`)
  return { account }
}

export async function gridKeyOf(home: string, membership: Membership) {
  const gridKey = gridKeyOfFounder(membership, (await secretsOf(home)).account)
  if (gridKey === undefined) throw new Error(`${home} has not founded its grid`)
  return gridKey
}
