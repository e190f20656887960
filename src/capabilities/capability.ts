import { verifyKeyOf } from '../crypto/block-keys.ts'
import type { BlockId } from '../protocol/block-id.ts'
import type { SlotKey } from '../protocol/slot-key.ts'
import { slotKeyOf, slotReadKeyOf, slotVerifyKeyOf } from './slot-keys.ts'
import type { SlotReadKey, SlotVerifyKey, SlotWriteKey } from './slot-keys.ts'

/**
 * A power, told apart by kind: whoever holds the value holds the power, and nothing else is asked. Someone who may write
 * gets to read by saying so ({@link toRead}), never because one value passes for another.
 */
export type Capability =
  | FileReadCapability
  | FileVerifyCapability
  | LiteralCapability
  | FolderWriteCapability
  | FolderReadCapability
  | FolderVerifyCapability
  | MutableWriteCapability
  | MutableReadCapability
  | MutableVerifyCapability
  | SnapshotReadCapability
  | SnapshotVerifyCapability

/** To read one file whose content never changes. */
export interface FileReadCapability {
  readonly kind: 'file-read'
  /** K of the file's topmost block, 32 bytes. */
  readonly key: Uint8Array
  readonly id: BlockId
}

/** To check that one file's shares are there, keep them leased and repair them, without reading it. */
export interface FileVerifyCapability {
  readonly kind: 'file-verify'
  /** Kv of the file's topmost block, 32 bytes. */
  readonly verifyKey: Uint8Array
  readonly id: BlockId
}

/** A file so small that its capability is its content: no node stores any of it. */
export interface LiteralCapability {
  readonly kind: 'literal'
  /** At most {@link LITERAL_MAX_BYTES}. */
  readonly bytes: Uint8Array
}

/** To change a folder and all that is in it. */
export interface FolderWriteCapability {
  readonly kind: 'folder-write'
  readonly writeKey: SlotWriteKey
}

/** To read a folder, all that is in it and what its history keeps, as it changes. */
export interface FolderReadCapability {
  readonly kind: 'folder-read'
  readonly readKey: SlotReadKey
  readonly slot: SlotKey
}

/** To find, lease, check and repair all of a folder, without reading a name or a byte. */
export interface FolderVerifyCapability {
  readonly kind: 'folder-verify'
  readonly verifyKey: SlotVerifyKey
  readonly slot: SlotKey
}

/** To change one file. */
export interface MutableWriteCapability {
  readonly kind: 'mutable-write'
  readonly writeKey: SlotWriteKey
}

/** To read one file, as it changes. */
export interface MutableReadCapability {
  readonly kind: 'mutable-read'
  readonly readKey: SlotReadKey
  readonly slot: SlotKey
}

/** To find, lease, check and repair one file that changes, without reading it. */
export interface MutableVerifyCapability {
  readonly kind: 'mutable-verify'
  readonly verifyKey: SlotVerifyKey
  readonly slot: SlotKey
}

/** To read a directory as it was at one moment, and all that was in it. */
export interface SnapshotReadCapability {
  readonly kind: 'snapshot-read'
  /** K of the directory's topmost block, 32 bytes. */
  readonly key: Uint8Array
  readonly id: BlockId
}

/** To find, lease, check and repair a frozen directory, without reading a name or a byte. */
export interface SnapshotVerifyCapability {
  readonly kind: 'snapshot-verify'
  /** Kv of the directory's topmost block, 32 bytes. */
  readonly verifyKey: Uint8Array
  readonly id: BlockId
}

export const CAPABILITY_KEY_BYTES = 32

/** A literal up to this size makes no longer text than the capability of a stored file. */
export const LITERAL_MAX_BYTES = 64

/** Gives up the power to write. The derivation is one-way, so nothing gives it back. */
export function toRead(capability: FolderWriteCapability): FolderReadCapability
export function toRead(capability: MutableWriteCapability): MutableReadCapability
export function toRead(
  capability: FolderWriteCapability | MutableWriteCapability,
): FolderReadCapability | MutableReadCapability
export function toRead({
  kind,
  writeKey,
}: FolderWriteCapability | MutableWriteCapability): FolderReadCapability | MutableReadCapability {
  const weaker = { readKey: slotReadKeyOf(writeKey), slot: slotKeyOf(writeKey) }
  switch (kind) {
    case 'folder-write':
      return { kind: 'folder-read', ...weaker }
    case 'mutable-write':
      return { kind: 'mutable-read', ...weaker }
  }
}

/** Gives up the power to read, and to write. The derivation is one-way, so nothing gives it back. */
export function toVerify(capability: FileReadCapability): FileVerifyCapability
export function toVerify(
  capability: FolderWriteCapability | FolderReadCapability,
): FolderVerifyCapability
export function toVerify(
  capability: MutableWriteCapability | MutableReadCapability,
): MutableVerifyCapability
export function toVerify(capability: SnapshotReadCapability): SnapshotVerifyCapability
export function toVerify(
  capability: Exclude<MoreThanVerify, FileReadCapability | SnapshotReadCapability>,
): FolderVerifyCapability | MutableVerifyCapability
export function toVerify(capability: MoreThanVerify): VerifyCapability
export function toVerify(capability: MoreThanVerify): VerifyCapability {
  switch (capability.kind) {
    case 'file-read':
      return { kind: 'file-verify', ...verifyBlock(capability) }
    case 'snapshot-read':
      return { kind: 'snapshot-verify', ...verifyBlock(capability) }
    case 'folder-write':
      return toVerify(toRead(capability))
    case 'mutable-write':
      return toVerify(toRead(capability))
    case 'folder-read':
      return { kind: 'folder-verify', ...verifySlot(capability) }
    case 'mutable-read':
      return { kind: 'mutable-verify', ...verifySlot(capability) }
  }
}

/** The powers to verify, and no more. */
export type VerifyCapability =
  FileVerifyCapability | FolderVerifyCapability | MutableVerifyCapability | SnapshotVerifyCapability

/** The powers that one can weaken to a {@link VerifyCapability}. */
export type MoreThanVerify = Exclude<Capability, VerifyCapability | LiteralCapability>

function verifyBlock({ key, id }: { readonly key: Uint8Array; readonly id: BlockId }): {
  verifyKey: Uint8Array
  id: BlockId
} {
  return { verifyKey: verifyKeyOf(key), id }
}

function verifySlot({ readKey, slot }: { readonly readKey: SlotReadKey; readonly slot: SlotKey }): {
  verifyKey: SlotVerifyKey
  slot: SlotKey
} {
  return { verifyKey: slotVerifyKeyOf(readKey), slot }
}
