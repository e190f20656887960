import type { Clock } from '../../foundation/clock.ts'
import { publicKeyOf } from '../../crypto/signatures.ts'
import { toHex } from '../../foundation/bytes.ts'
import { nodeKey } from '../node-key.ts'
import { MAX_ADDRESS_BYTES, MAX_ADDRESSES } from './limits.ts'
import type { Membership } from './membership.ts'
import { signAnnouncement } from './sign.ts'
import { nextSequence } from './statements.ts'

/** What a device says of itself to the grid. */
export interface Announced {
  readonly addresses: readonly string[]
  readonly zone: string
  /** What it offers; 0 for nothing more. */
  readonly capacityBytes: number
}

/**
 * The statement by which a device says this of itself, to be added to the membership.
 *
 * @param identity - 32-byte Ed25519 seed of the device
 * @returns undefined if that is what it said last
 */
export function announcementOf(
  membership: Membership,
  said: Announced,
  { identity, clock }: { readonly identity: Uint8Array; readonly clock: Pick<Clock, 'nowMs'> },
): Uint8Array | undefined {
  const key = nodeKey(toHex(publicKeyOf(identity)))
  const last = membership.announcementOf(key)
  const addresses = said.addresses
    .filter((address) => address.length <= MAX_ADDRESS_BYTES)
    .slice(0, MAX_ADDRESSES)
  const isSame =
    last?.zone === said.zone &&
    last.capacityBytes === said.capacityBytes &&
    JSON.stringify(last.addresses) === JSON.stringify(addresses)
  if (isSame) return undefined
  const nowMs = clock.nowMs()
  const { bytes } = signAnnouncement(
    {
      ...said,
      addresses,
      seq: nextSequence(last?.seq, nowMs),
      timeS: Math.floor(nowMs / 1000),
    },
    { gridId: membership.gridId, seed: identity },
  )
  return bytes
}
