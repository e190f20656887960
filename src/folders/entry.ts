import type { BlockReference } from '../grid/files/index-node.ts'
import type { SlotKey } from '../protocol/slot-key.ts'
import type { VersionVector } from '../protocol/version-vector.ts'
import type { Dots, DotSpan } from './dots.ts'
import type { Name } from './names.ts'

/** What a folder knows under one name. A name may have several {@link Version}s and, besides, one directory. */
export type Entry = Version | DirectoryEntry

/** Anything but a directory: one of the contents that devices gave a name. */
export type Version = FileEntry | LiteralEntry | SymlinkEntry | LinkedEntry

interface VersionFields {
  readonly name: Name
  readonly dots: Dots
  /** When its content was last changed, as its writer says: ms since 1970, years 1 to 9999. */
  readonly mtimeMs: number
  /** What its writer calls their device, for people; at most {@link MAX_DEVICE_BYTES}, may be empty. */
  readonly device: string
  /** A deterministic CBOR map of things that this version of the format does not know; kept as it is. */
  readonly extension?: Uint8Array | undefined
}

/** A file that never changes; a new content is a new reference. */
export interface FileEntry extends VersionFields {
  readonly kind: 'file'
  readonly reference: BlockReference
  readonly verifyKey: Uint8Array
  readonly sizeBytes: number
  readonly isExecutable: boolean
}

/** A file so small that the folder itself holds its bytes: at most {@link MAX_LITERAL_BYTES}. */
export interface LiteralEntry extends VersionFields {
  readonly kind: 'literal'
  readonly bytes: Uint8Array
  readonly isExecutable: boolean
}

/** A symbolic link. */
export interface SymlinkEntry extends VersionFields {
  readonly kind: 'symlink'
  /** As the system gave it, never followed here; at most {@link MAX_TARGET_BYTES} of UTF-8. */
  readonly target: string
}

/** A folder or mutable file with a slot of its own. */
export interface LinkedEntry extends VersionFields {
  readonly kind: 'linked-folder' | 'linked-file'
  readonly slot: SlotKey
  /** Rs. */
  readonly readKey: Uint8Array
  /** Vs. */
  readonly verifyKey: Uint8Array
  /** W, for those who may write this folder: see {@link ./sealed-write-key.ts}. */
  readonly sealedWriteKey?: Uint8Array | undefined
  /** The clock that the linked slot had when this was written: a first guard against being shown an older state. */
  readonly lastSeen?: VersionVector | undefined
}

/** A directory: the root of a trie of entries. Its own dots say that it was made; without any it is only implied. */
export interface DirectoryEntry extends Directory {
  readonly kind: 'directory'
  readonly name: Name
  readonly dots: Dots
}

/** A stored directory without a name. */
export interface Directory {
  readonly reference: BlockReference
  readonly verifyKey: Uint8Array
  readonly totals: Totals
}

/** What is told of all that lies below a directory or a part of one. All of it follows from the entries alone. */
export interface Totals {
  /** Versions of all names below. */
  readonly files: number
  /** Those that are shown as conflict copies. */
  readonly copies: number
  readonly sizeBytes: number
  /** The greatest `mtimeMs` below; undefined where there is no file. */
  readonly newestMs: number | undefined
  /** Directories inside each other below: 0 where there is none. Less than the parent's, which bounds every walk. */
  readonly height: number
  readonly dots: DotSpan
}

export const MAX_LITERAL_BYTES = 1024
export const MAX_TARGET_BYTES = 1024
export const MAX_DEVICE_BYTES = 32
export const MAX_EXTENSION_BYTES = 1024
/** nonce 24 ‖ W 32 ‖ tag 16 */
export const SEALED_WRITE_KEY_BYTES = 72
/** 0001-01-01T00:00:00.000Z to 9999-12-31T23:59:59.999Z: years of four digits. */
export const MIN_MTIME_MS = -62_135_596_800_000
export const MAX_MTIME_MS = 253_402_300_799_999

export function isVersion(entry: Entry): entry is Version {
  return entry.kind !== 'directory'
}

export function sizeOf(version: Version): number {
  if (version.kind === 'file') return version.sizeBytes
  return version.kind === 'literal' ? version.bytes.length : 0
}
