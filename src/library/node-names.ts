import type { Membership } from '../protocol/membership/membership.ts'
import type { NodeKey } from '../protocol/node-key.ts'

/** Digits of a key that are shown of a node without a name. */
const SHOWN_DIGITS = 12

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
  const name = membership?.deviceName(node)
  if (name === undefined) return node.slice(0, SHOWN_DIGITS)
  const owner = ownerOf(membership, node)
  return owner === undefined || owner === name ? name : `${name} of ${owner}`
}

/** Who has the node, by name. */
export function ownerOf(membership: Membership | undefined, node: NodeKey): string | undefined {
  return membership?.memberOf(node)?.name
}
