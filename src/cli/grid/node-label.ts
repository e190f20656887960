import type { Membership } from '../../protocol/membership/membership.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { SHOWN_DIGITS } from './who.ts'

/** `attic of Ada`: what people call a node, and whose it is, since many computers are called alike. */
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
