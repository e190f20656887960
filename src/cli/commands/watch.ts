import { toRead, type MutableReadCapability } from '../../capabilities/capability.ts'
import type { Path } from '../../folders/names.ts'
import type { FolderReader } from '../../folders/service/folder.ts'
import { versionOf } from '../../folders/service/shown-version.ts'
import type { FolderView } from '../../folders/service/view.ts'
import { sleep } from '../../foundation/clock.ts'
import { HayloftError } from '../../foundation/error.ts'
import { systemClock } from '../../foundation/system.ts'
import { NoMutableFileError } from '../../grid/mutable/files.ts'
import type { FileVersion } from '../../grid/mutable/version.ts'
import type { Client } from '../../library/client.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError, usageError } from '../failures.ts'
import { changesBetween, type Change } from '../folders/changes.ts'
import {
  openFolderClient,
  type ClientTools,
  type CommandContext,
} from '../folders/folder-client.ts'
import { labelBelow } from '../folders/label.ts'
import { readerAt } from '../folders/powers.ts'
import { bytesOf } from '../folders/shown-entry.ts'
import { formatTime } from '../folders/times.ts'
import { mutableVersionOf } from '../mutable/mutable-version.ts'
import { openOwnHome } from '../own-home.ts'
import { placeArgument, type Place } from '../paths/place.ts'
import { count, printableName, type Terminal } from '../terminal.ts'

/** Follows places, and prints what changes there, a line each, until it is interrupted. */
export async function watch(
  request: { readonly places: readonly string[] },
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal, signal } = context
  if (request.places.length > MAX_PLACES) {
    throw usageError(`At most ${MAX_PLACES} places can be watched at once.`)
  }
  const home = openOwnHome(context.files)
  const places: Place[] = []
  for (const place of request.places) places.push(await placeArgument(place, home.findAlias))
  await using client = await openFolderClient(context, home)
  const watched = await Promise.all(
    places.map(async (place) => await openWatched(place, client, signal)),
  )
  terminal.note(`Watching ${count(watched.length, 'place')}. Ctrl-C ends it.`)
  await Promise.all(watched.map(async (each) => await follow(each, { client, terminal, signal })))
  return EXIT.ok
}

type Watched =
  | {
      readonly kind: 'folder'
      readonly place: Place
      readonly reader: FolderReader
      readonly path: Path
    }
  | { readonly kind: 'file'; readonly place: Place; readonly capability: MutableReadCapability }

/** Links on the way are followed, as what is behind them changes by itself. */
async function openWatched(place: Place, client: Client, signal: AbortSignal): Promise<Watched> {
  const { capability } = place
  switch (capability.kind) {
    case 'mutable-read':
      return { kind: 'file', place, capability }
    case 'mutable-write':
      return { kind: 'file', place, capability: toRead(capability) }
    case 'file-read':
    case 'literal':
    case 'snapshot-read':
      throw usageError(`${place.label} never changes.`)
    case 'mutable-verify':
    case 'file-verify':
    case 'snapshot-verify':
      throw new CliError({
        exit: EXIT.permission,
        code: 'power-missing',
        message: `${place.label} lets you check and repair, not read. Ask whoever gave it to you for one that reads.`,
      })
    case 'folder-verify':
    case 'folder-read':
    case 'folder-write': {
      const reader = await readerAt(place, { client })
      if (place.path.length === 0) return { kind: 'folder', place, reader, path: [] }
      const { folder, path } = await reader.locate(place.path, { signal })
      const now = path.length === 0 ? undefined : await folder.now({ signal })
      const shown = await now?.stat(path)
      if (now === undefined || shown?.entry.kind !== 'linked-file') {
        return { kind: 'folder', place, reader: folder, path }
      }
      const linked = (await now.capability(path, 'read')) as MutableReadCapability
      return { kind: 'file', place, capability: linked }
    }
  }
}

/** Goes on after whatever the grid cannot tell now. */
async function follow(watched: Watched, tools: ClientTools): Promise<void> {
  const { signal, terminal } = tools
  const told: Told = { isFirst: true, view: undefined, version: undefined }
  while (!signal.aborted) {
    try {
      if (watched.kind === 'folder') await followFolder(watched, told, tools)
      else await followFile(watched, told, tools)
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof HayloftError)) throw error
      terminal.note(`${watched.place.label}: ${error.message} It is looked at again.`)
      await sleep(systemClock, PAUSE_MS, signal)
    }
  }
  signal.throwIfAborted()
}

/** What was told of a place so far. */
interface Told {
  isFirst: boolean
  view: FolderView | undefined
  version: string | undefined
}

async function followFolder(
  { place, reader, path }: Watched & { kind: 'folder' },
  told: Told,
  { terminal, signal }: ClientTools,
): Promise<void> {
  for await (const now of reader.watch(signal)) {
    if (told.isFirst) begin(place, terminal)
    else {
      for await (const change of changesOf(told.view, now, path))
        tellChange(place, path, change, terminal)
    }
    told.isFirst = false
    told.view = now
  }
}

async function* changesOf(
  before: FolderView | undefined,
  after: FolderView,
  path: Path,
): AsyncGenerator<Change> {
  if (path.length === 0) {
    yield* changesBetween(before, after, path)
    return
  }
  const [old, now] = [await before?.stat(path), await after.stat(path)]
  if (old?.entry.kind === 'directory' && now?.entry.kind === 'directory') {
    yield* changesBetween(before, after, path)
  } else if (now !== undefined && (old === undefined || versionOf(old) !== versionOf(now))) {
    yield { path, change: old === undefined ? 'added' : 'changed', shown: now }
  } else if (old !== undefined && now === undefined) {
    yield { path, change: 'removed', shown: old }
  }
}

async function followFile(
  { place, capability }: Watched & { kind: 'file' },
  told: Told,
  { client, terminal, signal }: ClientTools,
): Promise<void> {
  for await (const _ of client.slots.watch(capability, signal)) {
    const current = await currentOf(capability, { client, signal })
    const version = current && mutableVersionOf(current)
    if (told.isFirst) begin(place, terminal)
    else if (version !== told.version && current !== undefined) {
      const { sizeBytes: size, device } = current
      tell(
        { label: place.label, change: told.version === undefined ? 'added' : 'changed' },
        terminal,
        {
          kind: 'file',
          size,
          version,
          device,
        },
      )
    }
    told.isFirst = false
    told.version = version
  }
}

async function currentOf(
  capability: MutableReadCapability,
  { client, signal }: Pick<ClientTools, 'client' | 'signal'>,
): Promise<FileVersion | undefined> {
  try {
    return (await client.mutableFiles.look(capability, { signal })).current
  } catch (error) {
    if (error instanceof NoMutableFileError) return undefined
    throw error
  }
}

function begin({ label }: Place, terminal: Terminal): void {
  if (terminal.json) terminal.line(JSON.stringify({ place: label, change: 'watching' }))
}

function tellChange(
  place: Place,
  base: Path,
  { path, change, shown }: Change,
  terminal: Terminal,
): void {
  const label = labelBelow(place, [...place.path, ...path.slice(base.length)])
  const { entry } = shown
  const kind = entry.kind === 'literal' ? 'file' : entry.kind
  const size = bytesOf(entry)
  tell({ label, change }, terminal, {
    kind,
    ...(size !== undefined && { size }),
    ...(change !== 'removed' && { version: versionOf(shown) }),
  })
}

function tell(
  { label, change }: { label: string; change: Change['change'] },
  terminal: Terminal,
  about: object,
): void {
  const timeMs = systemClock.nowMs()
  if (terminal.json) {
    const time = new Date(timeMs).toISOString()
    terminal.line(JSON.stringify({ place: label, change, time, ...about }))
  } else {
    terminal.line(
      `${formatTime(timeMs, { seconds: true })}  ${change.padEnd('changed'.length)}  ${printableName(label)}`,
    )
  }
}

/** As many slots as one message to a node may name. */
const MAX_PLACES = 64
const PAUSE_MS = 5_000
