import type { Capability } from '../../capabilities/capability.ts'
import { describe } from '../../capabilities/describe.ts'
import { NotADirectoryError } from '../../folders/errors.ts'
import type { FolderReader, FolderWriter } from '../../folders/service/folder.ts'
import type { FolderView } from '../../folders/service/view.ts'
import type { Name, Path } from '../../folders/names.ts'
import { orMakeRoot } from '../../library/root-folder.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError, usageError } from '../failures.ts'
import type { Place } from '../paths/place.ts'
import type { ClientTools } from './folder-client.ts'

/** The folder that a place lies in, as it is now, for looking at it. @throws CliError, and as the folder's methods */
export async function viewAt(
  place: Place,
  { client, terminal, signal }: ClientTools,
): Promise<FolderView> {
  const { capability } = place
  if (capability.kind === 'snapshot-read') return await client.folders.open(capability)
  const reader = await readerAt(place, { client })
  const now = await orMakeRoot(
    capability,
    { client, signal },
    async () => await reader.now({ signal }),
  )
  if (now.freshness === 'maybe-stale') {
    terminal.note(
      `${place.label.replace(/:$/, '')}: too few storage nodes answered to be sure that this is the newest state.`,
    )
  }
  return now
}

/** The same for looking at its past. @throws CliError */
export async function readerAt(
  { capability, label }: Place,
  { client }: Pick<ClientTools, 'client'>,
): Promise<FolderReader> {
  switch (capability.kind) {
    case 'folder-write':
      return await client.folders.open(capability)
    case 'folder-read':
      return await client.folders.open(capability)
    case 'snapshot-read':
      throw usageError(
        `${label} is a folder as it was at one moment: it has no history, and it never changes.`,
      )
    case 'folder-verify':
    case 'snapshot-verify':
      throw new CliError({
        exit: EXIT.permission,
        code: 'power-missing',
        message: `${label} lets you check and repair a folder, not read it. Ask whoever gave it to you for one that reads.`,
      })
    case 'file-read':
    case 'file-verify':
    case 'literal':
    case 'mutable-write':
    case 'mutable-read':
    case 'mutable-verify':
      throw notAFolder(capability)
  }
}

/** A directory that may be changed: its folder, and the path in it, all links on the way followed. */
export interface Writable {
  readonly folder: FolderWriter
  readonly path: Path
}

/** Where a place is to be changed inside, it being a directory, or nothing yet. @throws CliError unless it may be */
export async function writableAt(
  place: Place,
  tools: Pick<ClientTools, 'client' | 'signal'>,
): Promise<Writable> {
  const writer = await writerAt(place, tools)
  const options = { label: place.label, signal: tools.signal }
  return await orMakeRoot(
    place.capability,
    tools,
    async () => await locateWritable(writer, place.path, options),
  )
}

/** Where a place itself is to be changed, which may be a link: the directory that it is in, and its name. */
export async function writableEntryAt(
  place: Place,
  tools: Pick<ClientTools, 'client' | 'signal'>,
): Promise<Writable & { readonly name: Name }> {
  const name = place.path.at(-1)
  if (name === undefined) {
    throw usageError(`${place.label} is a whole folder. Name what is in it: ${place.label}…`)
  }
  const writer = await writerAt(place, tools)
  const { label } = place
  const options = { label, signal: tools.signal }
  const inside = place.path.slice(0, -1)
  const parent = await orMakeRoot(
    place.capability,
    tools,
    async () => await locateWritable(writer, inside, options),
  )
  return { folder: parent.folder, path: [...parent.path, name], name }
}

/** The same where something is to be put: a file that is there instead of a directory is in the way. */
export async function newEntryAt(
  place: Place,
  tools: Pick<ClientTools, 'client' | 'signal'>,
): ReturnType<typeof writableEntryAt> {
  return await needingDirectory(async () => await writableEntryAt(place, tools))
}

/** @throws NotADirectoryError which says that something is in the way */
export async function needingDirectory<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof NotADirectoryError)) throw error
    throw new NotADirectoryError(error.path, { isInTheWay: true })
  }
}

/** Follows links below a folder. @throws CliError unless the power to write goes all the way */
export async function locateWritable(
  writer: FolderWriter,
  path: Path,
  { label, signal }: { readonly label: string; readonly signal: AbortSignal },
): Promise<Writable> {
  const located = await writer.locate(path, { signal })
  if (located.power === 'write') return { folder: located.folder, path: located.path }
  throw mayOnlyRead(label)
}

/** The folder that a place begins with, to change it. @throws CliError */
export async function writerAt(
  { capability, label }: Place,
  { client }: Pick<ClientTools, 'client'>,
): Promise<FolderWriter> {
  switch (capability.kind) {
    case 'folder-write':
      return await client.folders.open(capability)
    case 'folder-read':
    case 'folder-verify':
      throw mayOnlyRead(label)
    case 'snapshot-read':
    case 'snapshot-verify':
      throw new CliError({
        exit: EXIT.permission,
        code: 'power-missing',
        message: `${label} is a folder as it was at one moment. It never changes; copy it to a place that does.`,
      })
    case 'file-read':
    case 'file-verify':
    case 'literal':
    case 'mutable-write':
    case 'mutable-read':
    case 'mutable-verify':
      throw notAFolder(capability)
  }
}

function mayOnlyRead(label: string): CliError {
  return new CliError({
    exit: EXIT.permission,
    code: 'power-missing',
    message: `${label} is in a folder that you may not change. Ask whoever shared it for the power to write.`,
  })
}

function notAFolder(capability: Capability): CliError {
  return usageError(
    `This is the capability of ${describe(capability).title}. The command takes one of a folder.`,
  )
}
