import type {
  Capability,
  FileReadCapability,
  LiteralCapability,
  MutableReadCapability,
  MutableWriteCapability,
} from '../../capabilities/capability.ts'
import { describe } from '../../capabilities/describe.ts'
import { versionOf } from '../../folders/service/shown-version.ts'
import type { Download, GetOptions } from '../../grid/download.ts'
import type { SeenVersions } from '../../home/seen-versions.ts'
import type { Client } from '../../library/client.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError, usageError } from '../failures.ts'
import { mutableVersionOf, seenPlaceOf, tellState } from '../mutable/mutable-version.ts'
import type { Place } from '../paths/place.ts'
import type { Terminal } from '../terminal.ts'
import { NotAFileError } from '../../folders/service/errors.ts'
import { pathMissing } from './missing.ts'
import { lookAt } from './source-entry.ts'

/** One file of the grid, about to be read. */
export interface ReadableFile {
  readonly download: Download
  /** As `ls` and `put` tell it; only of files in folders and of those that change. */
  readonly version?: string | undefined
  readonly mtimeMs?: number | undefined
  readonly isExecutable?: boolean | undefined
  /** Notes, once all of it was read, that this version was seen. */
  readonly markSeen: () => void
}

interface Tools {
  readonly client: Client
  readonly terminal: Terminal
  readonly signal: AbortSignal
  readonly seen: SeenVersions
}

/** Opens the file at a place: in a folder, or by a capability of its own. @throws CliError if there is none to read */
export async function openFile(
  place: Place,
  options: Pick<GetOptions, 'range'>,
  tools: Tools,
): Promise<ReadableFile> {
  const { signal } = tools
  const isFolder = place.path.length > 0
  if (!isFolder) {
    return await openAlone(readableFile(place.capability), place, { ...options, signal }, tools)
  }
  const { shown, view, located } = await lookAt(place, tools)
  if (shown === undefined) {
    // Whoever then puts it may rely on that nobody else did.
    if (located !== undefined) tools.seen.remember(located, undefined)
    throw pathMissing(place)
  }
  const { entry } = shown
  if (entry.kind === 'directory' || entry.kind === 'linked-folder') throw isADirectory(place)
  if (entry.kind === 'linked-file') {
    const linked = readableFile(await view.capability(place.path, 'read'))
    return await openAlone(linked, place, { ...options, signal }, tools)
  }
  if (entry.kind === 'symlink') throw new NotAFileError(place.label)
  const version = versionOf(shown)
  return {
    download: await view.readEntry(shown, { ...options, signal }),
    version,
    mtimeMs: entry.mtimeMs,
    isExecutable: 'isExecutable' in entry && entry.isExecutable,
    markSeen() {
      if (located !== undefined) tools.seen.remember(located, version)
    },
  }
}

async function openAlone(
  capability: FileCapability,
  { label }: Place,
  options: GetOptions,
  { client, terminal, seen }: Tools,
): Promise<ReadableFile> {
  if (capability.kind === 'file-read' || capability.kind === 'literal') {
    return { download: await client.grid.get(capability, options), markSeen: () => undefined }
  }
  const state = await client.mutableFiles.look(capability, { signal: options.signal })
  tellState(state, label, terminal)
  const { current } = state
  const version = mutableVersionOf(current)
  return {
    download: await client.mutableFiles.read(current, options),
    version,
    mtimeMs: current.modifiedMs,
    markSeen() {
      seen.remember(seenPlaceOf(capability), version)
    },
  }
}

type FileCapability =
  FileReadCapability | LiteralCapability | MutableReadCapability | MutableWriteCapability

/** Capabilities of files that may be read; of others it tells what they are. No node is asked. @throws CliError */
export function readableFile(capability: Capability): FileCapability {
  switch (capability.kind) {
    case 'file-read':
    case 'literal':
    case 'mutable-read':
    case 'mutable-write':
      return capability
    case 'folder-write':
    case 'folder-read':
    case 'snapshot-read':
      throw usageError(
        `This is the capability of ${describe(capability).title}. Name a file in it, or add -r for all that is in it.`,
      )
    case 'file-verify':
    case 'folder-verify':
    case 'mutable-verify':
    case 'snapshot-verify':
      throw new CliError({
        exit: EXIT.usage,
        code: 'capability-too-weak',
        message: `This is the capability of ${describe(capability).title}. It lets you check and repair, not read. Ask whoever gave it to you for one that reads.`,
      })
  }
}

function isADirectory({ label }: Place): CliError {
  return new CliError({
    exit: EXIT.inputMissing,
    code: 'is-a-directory',
    message: `${label} is a directory. Add -r to get all that is in it.`,
  })
}
