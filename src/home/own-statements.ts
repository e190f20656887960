import type { AccountSecret } from '../capabilities/account.ts'
import {
  founderGridKey,
  gridIdOf,
  memberAccountOf,
  signingAsAccount,
  signingAsGrid,
} from '../capabilities/grid-keys.ts'
import type { SlotWriteKey } from '../capabilities/slot-keys.ts'
import { publicKeyOf } from '../crypto/signatures.ts'
import { equalBytes, toHex } from '../foundation/bytes.ts'
import type { Clock } from '../foundation/clock.ts'
import type { Randomness } from '../foundation/randomness.ts'
import { Membership } from '../protocol/membership/membership.ts'
import { signConsent, signDevice, signMember } from '../protocol/membership/sign.ts'
import { nextSequence, type DeviceUse } from '../protocol/membership/statements.ts'
import { nodeKey } from '../protocol/node-key.ts'

/** A grid with one member, its founder, whose recovery key brings the grid's key back. */
export function foundGrid(
  founder: { readonly account: AccountSecret; readonly name: string },
  { clock, randomness }: { readonly clock: Clock; readonly randomness: Randomness },
): { gridKey: SlotWriteKey; membership: Membership } {
  const keyNonce = randomness.bytes(32)
  const gridKey = founderGridKey(founder.account, keyNonce)
  const membership = new Membership({ gridId: gridIdOf(gridKey), clock })
  const statement = signMember(
    {
      account: memberAccountOf(founder.account),
      seq: nextSequence(undefined, clock.nowMs()),
      name: founder.name,
      role: 'admin',
      quotaBytes: undefined,
      expiresS: 0,
      status: 'in',
      keyNonce,
    },
    signingAsGrid(gridKey),
  )
  membership.add([statement.bytes])
  return { gridKey, membership }
}

/** The key of a grid that this account has founded; undefined if it has not. */
export function gridKeyOfFounder(
  membership: Membership,
  account: AccountSecret,
): SlotWriteKey | undefined {
  const nonce = membership.member(memberAccountOf(account))?.statement?.keyNonce
  if (nonce === undefined) return undefined
  const gridKey = founderGridKey(account, nonce)
  return equalBytes(gridIdOf(gridKey), membership.gridId) ? gridKey : undefined
}

/** The statement by which an account takes this device for its own. */
export function claimOf(
  membership: Membership,
  claim: {
    readonly account: AccountSecret
    /** 32-byte Ed25519 seed of the device. */
    readonly identity: Uint8Array
    readonly name: string
    readonly use: DeviceUse
  },
  clock: Pick<Clock, 'nowMs'>,
): Uint8Array {
  const { gridId } = membership
  const account = memberAccountOf(claim.account)
  const device = nodeKey(toHex(publicKeyOf(claim.identity)))
  const last = membership.deviceStatementOf(account, device)
  const { bytes } = signDevice(
    {
      account,
      device,
      seq: nextSequence(last?.seq, clock.nowMs()),
      name: claim.name,
      use: claim.use,
      status: 'in',
      consent: signConsent(account, { gridId, seed: claim.identity }),
    },
    signingAsAccount(claim.account, gridId),
  )
  return bytes
}
