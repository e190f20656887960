import { rootFolderOf } from '../capabilities/account.ts'
import type { Capability } from '../capabilities/capability.ts'
import { describe } from '../capabilities/describe.ts'
import { parseCapability } from '../capabilities/text.ts'
import { PathNotFoundError } from '../folders/errors.ts'
import { formatPath, parsePath, type Path } from '../folders/names.ts'
import { PowerMissingError } from '../folders/service/errors.ts'
import type { FolderReader, FolderWriter } from '../folders/service/folder.ts'
import type { FolderView } from '../folders/service/view.ts'
import type { Shown } from '../folders/read.ts'
import { readAliases } from '../home/alias-file.ts'
import { HOME_ALIAS } from '../home/opened-home.ts'
import { orMakeRoot } from '../library/root-folder.ts'
import type { ApiContext } from './api/context.ts'
import { ApiError } from './api/errors.ts'
import type { Place } from './api/place-schema.ts'

/** What a place names: a capability, and names from there down. */
export interface FoundPlace {
  readonly capability: Capability
  readonly path: Path
}

export type PlaceContext = Pick<ApiContext, 'files' | 'account' | 'client'>

/** @throws MalformedCapabilityError, ApiError, InvalidNameError, PathTooDeepError */
export async function findPlace(place: Place, context: PlaceContext): Promise<FoundPlace> {
  const path = parsePath((place.path ?? '').normalize('NFC'))
  if (place.capability !== undefined) {
    return { capability: parseCapability(place.capability.trim()), path }
  }
  return { capability: await aliasOf(place.alias ?? HOME_ALIAS, context), path }
}

async function aliasOf(name: string, { files, account }: PlaceContext): Promise<Capability> {
  if (name === HOME_ALIAS) return rootFolderOf(account)
  const capability = (await readAliases(files.aliases, account)).get(name)
  if (capability === undefined) throw new ApiError('alias-unknown')
  return capability
}

/** The folder of a place as it is now, or was in a snapshot. */
export async function viewAt(
  place: FoundPlace,
  context: PlaceContext,
  signal: AbortSignal,
): Promise<FolderView> {
  const { capability } = place
  if (capability.kind === 'snapshot-read') return await context.client.folders.open(capability)
  const reader = await readerAt(place, context)
  const tools = { client: context.client, signal }
  return await orMakeRoot(capability, tools, async () => await reader.now({ signal }))
}

/** What a place shows. @throws PathNotFoundError */
export async function shownAt(view: FolderView, path: Path): Promise<Shown> {
  const shown = await view.stat(path)
  if (shown === undefined) throw new PathNotFoundError(formatPath(path))
  return shown
}

export async function readerAt(
  { capability }: FoundPlace,
  { client }: PlaceContext,
): Promise<FolderReader> {
  switch (capability.kind) {
    case 'folder-write':
      return await client.folders.open(capability)
    case 'folder-read':
      return await client.folders.open(capability)
    case 'folder-verify':
    case 'snapshot-verify':
      throw new PowerMissingError(
        'With this capability a folder can be checked and repaired, not read.',
      )
    case 'snapshot-read':
    case 'file-read':
    case 'file-verify':
    case 'literal':
    case 'mutable-write':
    case 'mutable-read':
    case 'mutable-verify':
      throw unsuitable(capability, 'a folder')
  }
}

/** A path that may be changed, all links on the way to it followed. */
export interface Writable {
  readonly folder: FolderWriter
  readonly path: Path
}

/** Where an entry itself is to be changed, which may be a link. */
export async function writableEntryAt(
  place: FoundPlace,
  context: PlaceContext,
  signal: AbortSignal,
): Promise<Writable> {
  const name = place.path.at(-1)
  if (name === undefined)
    throw new ApiError('request-invalid', 'The place names a whole folder. Give a path in it.')
  const writer = await writerAt(place, context)
  const located = await orMakeRoot(
    place.capability,
    { client: context.client, signal },
    async () => await writer.locate(place.path.slice(0, -1), { signal }),
  )
  if (located.power === 'read') throw mayOnlyRead()
  return { folder: located.folder, path: [...located.path, name] }
}

/** The folder that a place begins with, to change it. */
export async function writerAt(
  { capability }: FoundPlace,
  { client }: PlaceContext,
): Promise<FolderWriter> {
  switch (capability.kind) {
    case 'folder-write':
      return await client.folders.open(capability)
    case 'folder-read':
    case 'folder-verify':
    case 'snapshot-read':
    case 'snapshot-verify':
      throw mayOnlyRead()
    case 'file-read':
    case 'file-verify':
    case 'literal':
    case 'mutable-write':
    case 'mutable-read':
    case 'mutable-verify':
      throw unsuitable(capability, 'a folder')
  }
}

/** @param wanted - what the request takes */
export function unsuitable(capability: Capability, wanted: string): ApiError {
  return new ApiError(
    'place-unsuitable',
    `This is the capability of ${describe(capability).title}. The request takes one of ${wanted}.`,
  )
}

function mayOnlyRead(): PowerMissingError {
  return new PowerMissingError('The place is in a folder that you may not change.')
}
