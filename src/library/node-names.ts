import type { Membership } from '../protocol/membership/membership.ts'
import type { Device, Member } from '../protocol/membership/state.ts'
import type { NodeKey } from '../protocol/node-key.ts'

/** Digits of a key by which people tell what has no name, or one that others have as well. */
export const SHOWN_DIGITS = 12

/** `Ada (765134ef563d)`: a name that is not enough, and the first digits of the key. */
export function nameWithDigits(name: string, key: string): string {
  return `${name} (${key.slice(0, SHOWN_DIGITS)})`
}

/** What people call a member: the name, with digits where several are called alike. */
export function memberLabel(
  { members }: Pick<Membership, 'members'>,
  { name, account }: Pick<Member, 'name' | 'account'>,
): string {
  const isShared = members.filter((member) => member.name === name).length > 1
  return isShared ? nameWithDigits(name, account) : name
}

/** The same of one of somebody's devices. */
export function deviceLabel(
  { name, key }: Pick<Device, 'name' | 'key'>,
  { devices }: Pick<Member, 'devices'>,
): string {
  const isShared = devices.filter((device) => device.name === name).length > 1
  return isShared ? nameWithDigits(name, key) : name
}

/** What people call a node: its name, and whose it is where several are called alike. */
export function nodeName(membership: Membership, node: NodeKey): string {
  const name = membership.deviceName(node)
  if (name === undefined) return node.slice(0, SHOWN_DIGITS)
  const namesakes = membership.members
    .flatMap(({ status, devices }) => (status === 'in' ? devices : []))
    .filter((device) => device.name === name)
  return namesakes.length < 2 ? name : nodeLabel(membership, node)
}

/** `attic of Ada`: the same with whose it is in any case. */
export function nodeLabel(membership: Membership | undefined, node: NodeKey): string {
  const owner = membership?.memberOf(node)
  const device = owner?.devices.find(({ key }) => key === node)
  if (membership === undefined || owner === undefined || device === undefined) {
    return node.slice(0, SHOWN_DIGITS)
  }
  const label = deviceLabel(device, owner)
  return owner.name === device.name ? label : `${label} of ${memberLabel(membership, owner)}`
}

/** Who has the node, by name. */
export function ownerOf(membership: Membership | undefined, node: NodeKey): string | undefined {
  return membership?.memberOf(node)?.name
}
