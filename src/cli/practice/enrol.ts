import { memberAccountOf, signingAsGrid } from '../../capabilities/grid-keys.ts'
import { toHex } from '../../foundation/bytes.ts'
import type { Clock } from '../../foundation/clock.ts'
import type { Randomness } from '../../foundation/randomness.ts'
import { writeGridFile } from '../../home/grid-file.ts'
import type { HomeSecrets } from '../../home/key-store.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { writeMembership } from '../../home/membership-file.ts'
import { readOwnGrid, type OwnGrid } from '../../home/own-grid.ts'
import { claimOf, foundGrid, gridKeyOfFounder } from '../../home/own-statements.ts'
import { nodeKeyOfIdentity } from '../../network/identity.ts'
import { announcementOf } from '../../protocol/membership/announce.ts'
import type { Membership } from '../../protocol/membership/membership.ts'
import { signMember } from '../../protocol/membership/sign.ts'
import { nextSequence } from '../../protocol/membership/statements.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError } from '../failures.ts'

/** What a practice node offers. Not reserved: a node also looks at how much its disk still has. */
export const NODE_CAPACITY_BYTES = 64 * 1024 ** 3

export interface Enrolled {
  readonly client: { readonly files: HomeFiles; readonly secrets: HomeSecrets }
  readonly nodes: readonly PracticeHome[]
  readonly bootstrap: readonly string[]
}

interface PracticeHome {
  readonly name: string
  readonly files: HomeFiles
  readonly secrets: HomeSecrets
  /** Where it is going to listen. */
  readonly address: string
}

/**
 * Makes all homes of a practice grid members of one grid: the client's account has founded it, and each node has an
 * account and a household of its own, as those of friends have.
 *
 * @throws CliError if the grid is there already, and was founded by another account
 */
export async function enrol(
  { client, nodes, bootstrap }: Enrolled,
  system: { readonly clock: Clock; readonly randomness: Randomness },
): Promise<void> {
  const { clock } = system
  const { account } = client.secrets
  const homes = [client.files, ...nodes.map(({ files }) => files)]
  const known = await knownGrid(homes, clock)
  const membership = known?.membership ?? foundGrid({ account, name: FOUNDER }, system).membership
  const gridKey = gridKeyOfFounder(membership, account)
  if (gridKey === undefined) throw anotherFounder(client.files)
  const told: Uint8Array[] = []
  for (const { name, secrets } of nodes) {
    const member = memberAccountOf(secrets.account)
    if (membership.member(member) !== undefined) continue
    const usual = { role: 'member', quotaBytes: undefined, expiresS: 0, status: 'in' } as const
    const seq = nextSequence(undefined, clock.nowMs())
    const said = { ...usual, account: member, seq, name, keyNonce: undefined }
    told.push(signMember(said, signingAsGrid(gridKey)).bytes)
  }
  const devices = [
    { name: FOUNDER, secrets: client.secrets, use: 'client' as const },
    ...nodes.map(({ name, secrets }) => ({ name, secrets, use: 'storage' as const })),
  ]
  for (const { name, secrets, use } of devices) {
    if (membership.isMember(nodeKeyOfIdentity(secrets.identity))) continue
    told.push(claimOf(membership, { ...secrets, name, use }, clock))
  }
  membership.add(told)
  membership.add(nodes.flatMap((node) => announcedBy(node, membership, clock)))
  const file = {
    gridId: toHex(membership.gridId),
    name: known?.file.name ?? GRID_NAME,
    bootstrap,
  }
  for (const files of homes) {
    await writeMembership(files.membership, membership, clock)
    await writeGridFile(files.grid, file)
  }
}

const FOUNDER = 'me'
const GRID_NAME = 'practice'

/** Nodes know it too, so that a client whose home was lost comes back to the same grid. */
async function knownGrid(homes: readonly HomeFiles[], clock: Clock): Promise<OwnGrid | undefined> {
  let known: OwnGrid | undefined
  for (const files of homes) {
    const own = await readOwnGrid(files, clock)
    known ??= own
    if (own?.file.gridId === known?.file.gridId && own !== undefined) {
      known?.membership.add(own.membership.all().map(({ bytes }) => bytes))
    }
  }
  return known
}

function announcedBy(
  { name, secrets, address }: PracticeHome,
  membership: Membership,
  clock: Clock,
): Uint8Array[] {
  const { identity } = secrets
  const last = membership.announcementOf(nodeKeyOfIdentity(identity))
  const said = {
    addresses: [address],
    zone: last?.zone ?? name,
    capacityBytes: last?.capacityBytes ?? NODE_CAPACITY_BYTES,
  }
  const statement = announcementOf(membership, said, { identity, clock })
  return statement === undefined ? [] : [statement]
}

function anotherFounder({ home }: HomeFiles): CliError {
  return new CliError({
    exit: EXIT.config,
    code: 'no-admin',
    message:
      `This practice grid was made by another account than the one in ${home}, and only that one can start it: move ` +
      `${home} away and bring the account back there, with HAYLOFT_HOME set to it, by "hayloft recover".`,
  })
}
