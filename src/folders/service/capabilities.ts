import {
  LITERAL_MAX_BYTES,
  toRead,
  toVerify,
  type Capability,
  type FolderReadCapability,
  type FolderWriteCapability,
  type MutableReadCapability,
  type MutableWriteCapability,
  type SnapshotReadCapability,
} from '../../capabilities/capability.ts'
import type { BlockReference } from '../../grid/files/index-node.ts'
import type { Entry } from '../entry.ts'
import { formatPath, type Path } from '../names.ts'
import type { FolderContext } from './context.ts'
import { NotMergedError, PowerMissingError } from './errors.ts'
import { linkedCapability } from './links.ts'
import { EMPTY_ROOT_FRAME, isEmptyRoot, ScratchNodes } from './nodes.ts'
import type { ViewSource } from './opened-view.ts'
import type { Power } from './view.ts'

/**
 * The capability of what an entry holds.
 * @throws PowerMissingError, NotMergedError
 */
export async function capabilityOfEntry(
  context: FolderContext,
  entry: Entry,
  { power, source, path }: { power: Power; source: ViewSource; path: Path },
): Promise<Capability> {
  switch (entry.kind) {
    case 'file': {
      const capability = { kind: 'file-read' as const, ...entry.reference }
      if (power === 'write') throw notOfItsOwn(path, 'file')
      return power === 'read' ? capability : toVerify(capability)
    }
    case 'literal': {
      if (power === 'write') throw notOfItsOwn(path, 'file')
      const { bytes } = entry
      if (bytes.length <= LITERAL_MAX_BYTES && power === 'read') return { kind: 'literal', bytes }
      return await storeLiteral(context, bytes, power)
    }
    case 'directory': {
      const { nodes } = source
      if (power === 'write') throw notOfItsOwn(path, 'directory')
      if (nodes instanceof ScratchNodes && nodes.has(entry.reference.id)) throw new NotMergedError()
      return await capabilityOfRoot(context, entry.reference, power)
    }
    case 'linked-folder':
    case 'linked-file':
      return weakenTo(linkedCapability(entry, source.keys), power)
    case 'symlink':
      throw new PowerMissingError(
        `"${formatPath(path)}" is a symbolic link, of which there is no capability. Name what it leads to.`,
      )
  }
}

/** Of a frozen directory or past state. */
export async function capabilityOfRoot(
  context: FolderContext,
  root: BlockReference,
  power: Power,
): Promise<Capability> {
  if (power === 'write') {
    throw new PowerMissingError('What is frozen cannot be written. Copy it into a folder.')
  }
  const capability = await snapshotOf(context, root)
  return power === 'read' ? capability : toVerify(capability)
}

/** A folder without entries is stored for it: a snapshot names a block. */
export async function snapshotOf(
  { reading }: FolderContext,
  root: BlockReference,
): Promise<SnapshotReadCapability> {
  if (!isEmptyRoot(root)) return { kind: 'snapshot-read', ...root }
  const stored = await reading.put(EMPTY_ROOT_FRAME)
  await reading.flush()
  return { kind: 'snapshot-read', ...stored }
}

export function capabilityOfFolder(
  capability: FolderWriteCapability | FolderReadCapability,
  power: Power,
): Capability {
  return weakenTo(capability, power)
}

function weakenTo(
  capability:
    FolderWriteCapability | FolderReadCapability | MutableWriteCapability | MutableReadCapability,
  power: Power,
): Capability {
  if (power === 'verify') return toVerify(capability)
  const canWrite = capability.kind === 'folder-write' || capability.kind === 'mutable-write'
  if (power === 'write') {
    if (canWrite) return capability
    throw new PowerMissingError(
      'This may be read here, not written. Ask whoever shared it for more.',
    )
  }
  switch (capability.kind) {
    case 'folder-write':
      return toRead(capability)
    case 'mutable-write':
      return toRead(capability)
    case 'folder-read':
    case 'mutable-read':
      return capability
  }
}

/** What a folder holds itself and no capability can gets a block of its own. */
async function storeLiteral(
  { grid }: FolderContext,
  bytes: Uint8Array,
  power: Power,
): Promise<Capability> {
  if (bytes.length <= LITERAL_MAX_BYTES) {
    throw new PowerMissingError(
      'So small a file is on no node, so there is nothing to verify. Its read capability holds all of it.',
    )
  }
  const { capability } = await grid.put(once(bytes))
  return power === 'verify' && capability.kind === 'file-read' ? toVerify(capability) : capability
}

// eslint-disable-next-line typescript/require-await -- an upload takes an async iterable
async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

function notOfItsOwn(path: Path, what: 'file' | 'directory'): PowerMissingError {
  const instead =
    what === 'file' ? 'Share the folder that it is in, or' : 'Promote it to a folder of its own, or'
  return new PowerMissingError(
    `"${formatPath(path)}" is written by writing the folder that it is in. ${instead} share the right to read it.`,
  )
}
