import type { Capability } from './capability.ts'
import { CAPABILITY_KEY_BYTES, LITERAL_MAX_BYTES } from './capability.ts'
import { BLOCK_ID_BYTES } from '../protocol/block-id.ts'

/** The text form of one kind: what stands before the `1`, and how many bytes may follow the version. */
export interface TextKind {
  readonly prefix: string
  readonly kind: Capability['kind']
  readonly minBytes: number
  readonly maxBytes: number
}

const KEY_AND_ID_BYTES = CAPABILITY_KEY_BYTES + BLOCK_ID_BYTES

export const TEXT_KINDS: readonly TextKind[] = [
  {
    prefix: 'hayfile',
    kind: 'file-read',
    minBytes: KEY_AND_ID_BYTES,
    maxBytes: KEY_AND_ID_BYTES,
  },
  {
    prefix: 'hayfileverify',
    kind: 'file-verify',
    minBytes: KEY_AND_ID_BYTES,
    maxBytes: KEY_AND_ID_BYTES,
  },
  { prefix: 'hayliteral', kind: 'literal', minBytes: 0, maxBytes: LITERAL_MAX_BYTES },
]

/** Kinds that the format names and this version cannot use, so that it can say so instead of "unknown". */
export const LATER_PREFIXES: readonly string[] = [
  'hayfolderwrite',
  'hayfolderread',
  'hayfolderverify',
  'haymutablewrite',
  'haymutableread',
  'haymutableverify',
  'haysnapshot',
  'haysnapshotverify',
  'haylink',
  'hayinvite',
  'hayrecovery',
]

export function textKindOf(kind: Capability['kind']): TextKind {
  return TEXT_KINDS.find((candidate) => candidate.kind === kind) as TextKind
}
