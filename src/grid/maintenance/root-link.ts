import {
  toVerify,
  type LiteralCapability,
  type MoreThanVerify,
  type VerifyCapability,
} from '../../capabilities/capability.ts'
import type { Link } from '../blocks/frame.ts'

/** What a capability leads to first, for those who verify. A literal leads nowhere. */
export function rootLinkOf(
  capability: Exclude<MoreThanVerify | VerifyCapability, LiteralCapability>,
): Link {
  switch (capability.kind) {
    case 'file-verify':
    case 'snapshot-verify':
      return { type: 'block', id: capability.id, verifyKey: capability.verifyKey }
    case 'folder-verify':
    case 'mutable-verify':
      return { type: 'slot', slot: capability.slot, verifyKey: capability.verifyKey }
    case 'file-read':
    case 'snapshot-read':
    case 'folder-read':
    case 'folder-write':
    case 'mutable-read':
    case 'mutable-write':
      return rootLinkOf(toVerify(capability))
  }
}
