import {
  toRead,
  type Capability,
  type FolderReadCapability,
  type FolderWriteCapability,
  type MutableReadCapability,
  type MutableWriteCapability,
} from '../../capabilities/capability.ts'
import {
  slotReadKey,
  slotVerifyKeyOf,
  type SlotReadKey,
  type SlotWriteKey,
  type SlotWriteKeys,
} from '../../capabilities/slot-keys.ts'
import { equalBytes } from '../../foundation/bytes.ts'
import type { SlotKey } from '../../protocol/slot-key.ts'
import type { VersionVector } from '../../protocol/version-vector.ts'
import type { NewVersion } from '../commit/edits.ts'
import type { LinkedEntry } from '../entry.ts'
import { BrokenFolderError } from '../errors.ts'
import { openWriteKey, sealWriteKey } from '../sealed-write-key.ts'
import type { FolderContext, ViewMoment } from './context.ts'
import type { LinkTarget } from './folder.ts'
import type { OpenedView } from './opened-view.ts'

/** What opens and seals the write keys of what a folder links. */
export type LinkKeys = Pick<SlotWriteKeys, 'childrenKey'>

/** What an entry is to hold that links to something of its own slot. */
export function linkTo(
  target: LinkTarget,
  {
    childrenKey,
    mtimeMs,
    lastSeen,
  }: LinkKeys & { mtimeMs: number; lastSeen?: VersionVector | undefined },
): NewVersion {
  const isFolder = target.kind === 'folder-write' || target.kind === 'folder-read'
  const canWrite = target.kind === 'folder-write' || target.kind === 'mutable-write'
  const { readKey, slot } = readerOf(target)
  return {
    kind: isFolder ? 'linked-folder' : 'linked-file',
    slot,
    readKey,
    verifyKey: slotVerifyKeyOf(readKey),
    sealedWriteKey: canWrite ? sealWriteKey(childrenKey, target.writeKey) : undefined,
    lastSeen,
    mtimeMs,
  }
}

/**
 * W of what is linked, for who may write the folder that links it. A key that was sealed for another folder, as where an
 * entry was copied from one by reference, is none here: then what is linked can be read.
 */
export function linkedWriteKey(
  { slot, sealedWriteKey }: LinkedEntry,
  keys: LinkKeys | undefined,
): SlotWriteKey | undefined {
  if (keys === undefined || sealedWriteKey === undefined) return undefined
  try {
    return openWriteKey(keys.childrenKey, slot, sealedWriteKey)
  } catch (error) {
    if (error instanceof BrokenFolderError) return undefined
    throw error
  }
}

/** The capability as what can be linked: a folder or file that changes, by who may read it. @returns undefined for others */
export function asLinkTarget(capability: Capability): LinkTarget | undefined {
  switch (capability.kind) {
    case 'folder-write':
    case 'folder-read':
    case 'mutable-write':
    case 'mutable-read':
      return capability
    case 'file-read':
    case 'file-verify':
    case 'literal':
    case 'folder-verify':
    case 'mutable-verify':
    case 'snapshot-read':
    case 'snapshot-verify':
      return undefined
  }
}

/** The strongest capability of what is linked that the holder has. @throws BrokenFolderError as {@link linkedReader} */
export function linkedCapability(entry: LinkedEntry, keys: LinkKeys | undefined): LinkTarget {
  const reader = linkedReader(entry)
  const writeKey = linkedWriteKey(entry, keys)
  const isFolder = entry.kind === 'linked-folder'
  if (writeKey !== undefined) {
    return isFolder ? { kind: 'folder-write', writeKey } : { kind: 'mutable-write', writeKey }
  }
  return isFolder ? { kind: 'folder-read', ...reader } : { kind: 'mutable-read', ...reader }
}

/**
 * What lets the holder read what is linked.
 * @throws BrokenFolderError if verifiers would not come to the same, and so could neither check nor keep it
 */
export function linkedReader({ slot, readKey, verifyKey }: LinkedEntry): {
  readKey: SlotReadKey
  slot: SlotKey
} {
  const key = slotReadKey(readKey)
  if (!equalBytes(slotVerifyKeyOf(key), verifyKey)) {
    throw new BrokenFolderError('the keys of a link do not fit each other')
  }
  return { readKey: key, slot }
}

/** Enters a linked folder, and looks whether it shows at least what whoever linked it had seen. */
export async function openLinkedFolder(
  context: FolderContext,
  entry: LinkedEntry,
  { keys, ...moment }: ViewMoment & { keys: LinkKeys | undefined },
): Promise<OpenedView> {
  const capability = linkedCapability(entry, keys)
  if (capability.kind !== 'folder-write' && capability.kind !== 'folder-read') {
    throw new BrokenFolderError('a linked folder is none')
  }
  return await context.viewAt(capability, { ...moment, lastSeen: entry.lastSeen })
}

function readerOf(
  target: LinkTarget,
): Pick<FolderReadCapability | MutableReadCapability, 'readKey' | 'slot'> {
  switch (target.kind) {
    case 'folder-read':
    case 'mutable-read':
      return target
    case 'folder-write':
      return toRead(target satisfies FolderWriteCapability)
    case 'mutable-write':
      return toRead(target satisfies MutableWriteCapability)
  }
}
