import { BLOCK_ID_BYTES } from '../protocol/block-id.ts'
import { MAX_GRANT_BYTES } from '../protocol/membership/grant.ts'
import { MAX_ADDRESS_BYTES, MAX_NAME_CHARACTERS } from '../protocol/membership/limits.ts'
import { CAPABILITY_KEY_BYTES, LITERAL_MAX_BYTES } from './capability.ts'
import type { Capability } from './capability.ts'
import { SLOT_SECRET_BYTES } from './slot-keys.ts'

/** A form of text: what stands before the `1`, and how many bytes may follow the version. */
export interface TextKind {
  readonly prefix: string
  readonly minBytes: number
  readonly maxBytes: number
}

/** The text form of one kind of capability. */
export interface CapabilityKind extends TextKind {
  readonly kind: Capability['kind']
}

const KEY_AND_ID_BYTES = CAPABILITY_KEY_BYTES + BLOCK_ID_BYTES

export const TEXT_KINDS: readonly CapabilityKind[] = [
  exactly('hayfile', 'file-read', KEY_AND_ID_BYTES),
  exactly('hayfileverify', 'file-verify', KEY_AND_ID_BYTES),
  { prefix: 'hayliteral', kind: 'literal', minBytes: 0, maxBytes: LITERAL_MAX_BYTES },
  exactly('hayfolderwrite', 'folder-write', SLOT_SECRET_BYTES),
  exactly('hayfolderread', 'folder-read', KEY_AND_ID_BYTES),
  exactly('hayfolderverify', 'folder-verify', KEY_AND_ID_BYTES),
  exactly('haymutablewrite', 'mutable-write', SLOT_SECRET_BYTES),
  exactly('haymutableread', 'mutable-read', KEY_AND_ID_BYTES),
  exactly('haymutableverify', 'mutable-verify', KEY_AND_ID_BYTES),
  exactly('haysnapshot', 'snapshot-read', KEY_AND_ID_BYTES),
  exactly('haysnapshotverify', 'snapshot-verify', KEY_AND_ID_BYTES),
]

/** An account's recovery key: the same text form, but it is no capability that a command takes for a file. */
export const RECOVERY_KIND: TextKind = { prefix: 'hayrecovery', minBytes: 32, maxBytes: 32 }

/** Addresses of members in an invite: more would make its QR code too large to be read from a screen. */
export const MAX_JOIN_ADDRESSES = 4

const MIN_DOOR_BYTES = 2 * 32
const MAX_DOOR_BYTES =
  3 * 32 + 4 * MAX_NAME_CHARACTERS + MAX_JOIN_ADDRESSES * (MAX_ADDRESS_BYTES + 3) + 32

/** An invite into a grid, for `hayloft grid join`; no capability of a file either. */
export const INVITE_KIND: TextKind = {
  prefix: 'hayinvite',
  minBytes: MIN_DOOR_BYTES,
  maxBytes: MAX_DOOR_BYTES + MAX_GRANT_BYTES,
}

/** What one device of an account gives another one: the account itself, and where its grid is. */
export const DEVICE_KIND: TextKind = {
  prefix: 'haydevice',
  minBytes: MIN_DOOR_BYTES,
  maxBytes: MAX_DOOR_BYTES,
}

/** Kinds that the format names and this version cannot use, so that it can say so instead of "unknown". */
export const LATER_PREFIXES: readonly string[] = ['haylink']

export function textKindOf(kind: Capability['kind']): CapabilityKind {
  return TEXT_KINDS.find((candidate) => candidate.kind === kind) as CapabilityKind
}

function exactly(prefix: string, kind: Capability['kind'], bytes: number): CapabilityKind {
  return { prefix, kind, minBytes: bytes, maxBytes: bytes }
}
