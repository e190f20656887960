import type { Membership } from '../../protocol/membership/membership.ts'
import type { NodeKey } from '../../protocol/node-key.ts'

/** Devices that ought to be there: those that members claim for keeping shares, whether or not they offer room now. */
export function storageDevices(membership: Membership): NodeKey[] {
  return membership.members
    .filter(({ status }) => status === 'in')
    .flatMap(({ devices }) => devices)
    .filter(({ use }) => use === 'storage')
    .map(({ key }) => key)
}
