import { publicKeyOf } from '../../src/crypto/signatures.ts'
import { sha256 } from '../../src/crypto/hash.ts'
import { toHex, utf8 } from '../../src/foundation/bytes.ts'
import { accountKey, type AccountKey } from '../../src/protocol/membership/account-key.ts'
import {
  inviteKeyHex,
  signGrant,
  signRedemption,
  type InviteGrant,
} from '../../src/protocol/membership/grant.ts'
import {
  signAdmission,
  signAnnouncement,
  signConsent,
  signDevice,
  signMember,
  signRevocation,
} from '../../src/protocol/membership/sign.ts'
import type {
  AnnouncementStatement,
  DeviceStatement,
  MemberStatement,
} from '../../src/protocol/membership/statements.ts'
import { nodeKey, type NodeKey } from '../../src/protocol/node-key.ts'

/** Keys and statements of a grid, made from names: the same on every run. */
export const START_S = 1_800_000_000

interface TestKey {
  readonly seed: Uint8Array
  readonly publicKey: Uint8Array
}

function testKey(name: string): TestKey {
  const seed = sha256(utf8(name))
  return { seed, publicKey: publicKeyOf(seed) }
}

const GRID = testKey('the grid')
export const GRID_ID = GRID.publicKey
export const BY_GRID = { gridId: GRID_ID, seed: GRID.seed }

export function accountNamed(name: string): AccountKey {
  return accountKey(testKey(`account of ${name}`).publicKey)
}

export function deviceNamed(name: string): NodeKey {
  return nodeKey(toHex(testKey(`device ${name}`).publicKey))
}

/** The grid's key names someone. */
export function named(name: string, said: Partial<MemberStatement> = {}): Uint8Array {
  const account = accountNamed(name)
  const usual = {
    account,
    seq: 1,
    name,
    role: 'member',
    quotaBytes: undefined,
    expiresS: 0,
    status: 'in',
    keyNonce: undefined,
    term: undefined,
    basis: undefined,
  } as const
  return signMember({ ...usual, ...said }, BY_GRID).bytes
}

/** Someone has a device, which is called as its key is. */
export function device(
  owner: string,
  name: string,
  said: Partial<DeviceStatement> = {},
): Uint8Array {
  const account = accountNamed(owner)
  const { seed } = testKey(`device ${name}`)
  const status = said.status ?? 'in'
  const usual = {
    account,
    device: deviceNamed(name),
    seq: 1,
    name,
    use: 'storage',
    status: 'in',
    consent: status === 'in' ? signConsent(account, { gridId: GRID_ID, seed }) : undefined,
  } as const
  const signing = { gridId: GRID_ID, seed: testKey(`account of ${owner}`).seed }
  return signDevice({ ...usual, ...said }, signing).bytes
}

export function announced(name: string, said: Partial<AnnouncementStatement> = {}): Uint8Array {
  const usual = {
    seq: 1,
    addresses: ['/ip4/127.0.0.1/tcp/4001'],
    zone: `house of ${name}`,
    capacityBytes: 1e9,
    timeS: START_S,
  }
  const signing = { gridId: GRID_ID, seed: testKey(`device ${name}`).seed }
  return signAnnouncement({ ...usual, ...said }, signing).bytes
}

export function invite(name: string, said: Partial<InviteGrant> = {}): InviteGrant {
  const inviteKey = inviteKeyHex(testKey(`invite ${name}`).publicKey)
  const usual = {
    inviteKey,
    name: undefined,
    role: 'member',
    quotaBytes: undefined,
    expiresS: START_S + 7 * 24 * 3600,
    uses: 1,
  } as const
  return signGrant({ ...usual, ...said }, BY_GRID)
}

/** Someone is let in by a device, so many seconds after {@link START_S}. */
export function admitted(
  who: string,
  inviteName: string,
  { by, atS = 0, said = {} }: { by: string; atS?: number; said?: Partial<InviteGrant> },
): Uint8Array {
  const account = accountNamed(who)
  const { seed } = testKey(`invite ${inviteName}`)
  return signAdmission(
    {
      grant: invite(inviteName, said),
      account,
      name: who,
      redemption: signRedemption(seed, { gridId: GRID_ID, account, name: who }),
      admittedS: START_S + atS,
    },
    { gridId: GRID_ID, seed: testKey(`device ${by}`).seed },
  ).bytes
}

export function revoked(inviteName: string): Uint8Array {
  return signRevocation(inviteKeyHex(testKey(`invite ${inviteName}`).publicKey), BY_GRID).bytes
}
