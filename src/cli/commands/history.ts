import type { Commit, FolderReader, PathVersion } from '../../folders/service/folder.ts'
import { FolderSetBackError } from '../../folders/service/errors.ts'
import { NotEnoughSharesError } from '../../grid/errors.ts'
import type { FileVersion } from '../../grid/mutable/version.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { alignColumns } from '../folders/columns.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { pathMissing } from '../folders/missing.ts'
import { readerAt } from '../folders/powers.ts'
import { bytesOf, describeShown, markOf } from '../folders/shown-entry.ts'
import { formatTime } from '../folders/times.ts'
import { mutableVersions } from '../mutable/mutable-history.ts'
import { mutableVersionOf } from '../mutable/mutable-version.ts'
import { openOwnHome } from '../own-home.ts'
import { placeArgument, type Place } from '../paths/place.ts'
import { count, formatBytes, printableName, type Terminal } from '../terminal.ts'

export interface HistoryRequest {
  readonly place: string
  /** How far to go back. */
  readonly limit: number
}

/** Tells what a folder, or a path in it, was before: when, by which device, how large. The newest comes first, as 0. */
export async function history(request: HistoryRequest, context: CommandContext): Promise<ExitCode> {
  const { terminal } = context
  const home = openOwnHome(context.files)
  const place = await placeArgument(request.place, home.findAlias)
  await using client = await openFolderClient(context, home)
  const { capability } = place
  if (capability.kind === 'mutable-read' || capability.kind === 'mutable-write') {
    await tellContents(mutableVersions(capability, { client, ...context }), place, {
      request,
      context,
    })
    return EXIT.ok
  }
  const reader = await readerAt(place, { client })
  if (place.path.length === 0) await tellCommits(reader, place, { request, context })
  else await tellVersions(reader, place, { request, context })
  if (!terminal.json && terminal.isScreen) {
    terminal.note(`\n"hayloft restore ${place.label} --at NUMBER" brings one back.`)
  }
  return EXIT.ok
}

interface Telling {
  readonly request: HistoryRequest
  readonly context: CommandContext
}

async function tellCommits(
  reader: FolderReader,
  place: Place,
  { request, context: { terminal, signal } }: Telling,
): Promise<void> {
  const rows: string[][] = []
  const values: object[] = []
  for await (const commit of firstOf(reader.history({ signal }), request.limit)) {
    const { timeMs, device } = commit
    const measured = await measureThen(commit)
    const index = values.length
    values.push({
      index,
      time: new Date(timeMs).toISOString(),
      device,
      files: measured?.files ?? null,
      size: measured?.sizeBytes ?? null,
    })
    rows.push([
      String(index),
      whenOf(timeMs),
      deviceOf(device, terminal),
      ...(measured === undefined
        ? ['-', 'cannot be read now']
        : [formatBytes(measured.sizeBytes), count(measured.files, 'file')]),
    ])
  }
  print({ place, values, rows, isCut: values.length === request.limit }, terminal)
}

/** Undefined if too little of it is there. */
async function measureThen(
  commit: Commit,
): Promise<{ readonly files: number; readonly sizeBytes: number } | undefined> {
  try {
    return await commit.view().measure([])
  } catch (error) {
    const isGone = error instanceof NotEnoughSharesError || error instanceof FolderSetBackError
    if (isGone) return undefined
    throw error
  }
}

async function tellContents(
  versions: AsyncIterable<FileVersion>,
  place: Place,
  { request, context: { terminal } }: Telling,
): Promise<void> {
  const rows: string[][] = []
  const values: object[] = []
  for await (const contents of firstOf(versions, request.limit)) {
    const { modifiedMs, device = '', sizeBytes } = contents
    const index = values.length
    const version = mutableVersionOf(contents)
    const time = new Date(modifiedMs).toISOString()
    values.push({ index, time, device, kind: 'file', size: sizeBytes, version })
    const [when, who] = [whenOf(modifiedMs), deviceOf(device, terminal)]
    rows.push([String(index), when, who, formatBytes(sizeBytes), ''])
  }
  print({ place, values, rows, isCut: values.length === request.limit }, terminal)
}

async function tellVersions(
  reader: FolderReader,
  place: Place,
  { request, context: { terminal, signal } }: Telling,
): Promise<void> {
  const rows: string[][] = []
  const values: object[] = []
  const versions = reader.historyOf(place.path, { signal })
  let isKnown = false
  for await (const version of firstOf(versions, request.limit)) {
    isKnown ||= version.shown !== undefined
    const index = values.length
    const { timeMs, device, shown } = version
    values.push({
      index,
      time: new Date(timeMs).toISOString(),
      device,
      ...(shown === undefined ? { kind: 'none' } : describeShown(shown)),
    })
    rows.push([String(index), whenOf(timeMs), deviceOf(device, terminal), ...whatOf(version)])
  }
  if (!isKnown) throw pathMissing(place)
  print({ place, values, rows, isCut: values.length === request.limit }, terminal)
}

function whatOf({ shown }: PathVersion): [string, string] {
  if (shown === undefined) return ['-', 'was not there']
  const { entry } = shown
  const bytes = bytesOf(entry)
  const kind = entry.kind === 'literal' ? 'file' : entry.kind
  return [
    bytes === undefined ? '-' : formatBytes(bytes),
    printableName(kind === 'file' ? '' : `${kind}${kind === 'symlink' ? markOf(entry) : ''}`),
  ]
}

function whenOf(timeMs: number): string {
  return formatTime(timeMs, { seconds: true })
}

function deviceOf(device: string, terminal: Terminal): string {
  if (device === '') return '-'
  return terminal.isScreen ? printableName(device) : device
}

function print(
  {
    place,
    values,
    rows,
    isCut,
  }: { place: Place; values: object[]; rows: string[][]; isCut: boolean },
  terminal: Terminal,
): void {
  if (terminal.json) {
    terminal.value({ place: place.label, history: values })
    return
  }
  for (const line of alignColumns(rows, ['right', 'left', 'left', 'right', 'left'])) {
    terminal.line(line)
  }
  if (isCut) terminal.note('There may be more: add --limit with a higher number.')
}

async function* firstOf<T>(items: AsyncIterable<T>, limit: number): AsyncGenerator<T> {
  let taken = 0
  if (limit === 0) return
  for await (const item of items) {
    yield item
    taken += 1
    if (taken >= limit) return
  }
}
