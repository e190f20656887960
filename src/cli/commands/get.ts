import { lstatSync } from 'node:fs'
import { basename, join } from 'node:path'
import { systemClock } from '../../foundation/system.ts'
import type { OpenedHome } from '../../home/opened-home.ts'
import { SeenVersions } from '../../home/seen-versions.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { usageError } from '../failures.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { openFile, readableFile, type ReadableFile } from '../folders/readable.ts'
import { readLiteral } from '../literal.ts'
import { placeFile } from '../local/place-file.ts'
import { openOwnHome } from '../own-home.ts'
import { placeArgument, type Place } from '../paths/place.ts'
import { openProgress, type Progress } from '../progress.ts'
import { openTarget, type Target } from '../target.ts'
import { flush, formatBytes, writeOut, type Terminal } from '../terminal.ts'
import { getTree } from './get-tree.ts'

export interface GetRequest {
  readonly place: string
  /** A local file, or directory to get it into; nothing there is replaced unless `overwrite` says so. `-`: output. */
  readonly target?: string | undefined
  /** A file that is replaced if it is there; undefined or `-` for standard output. */
  readonly output?: string | undefined
  readonly range?: Range | undefined
  readonly recursive: boolean
  readonly overwrite: boolean
}

interface Range {
  readonly offset: number
  readonly length: number
}

/** Brings a file back, to standard output or into a file that appears whole or not at all; or a directory. */
export async function get(
  asked: GetRequest,
  context: CommandContext,
  home: OpenedHome = openOwnHome(context.files),
): Promise<ExitCode> {
  checkRequest(asked, context.terminal)
  const request = asked.target === '-' ? { ...asked, target: undefined } : asked
  const place = await placeArgument(request.place, home.findAlias)
  const { capability } = place
  // A place that cannot take the file is found out before anything is looked for.
  const { output } = request
  const isFile = output !== undefined && output !== '-'
  await using opened = isFile ? await openTarget(output) : undefined
  if (capability.kind === 'literal') {
    const bytes = readLiteral(capability, request.range)
    const download = { sizeBytes: capability.bytes.length, chunks: once(bytes) }
    return await deliver(
      { download, markSeen: () => undefined },
      { request, place, context, opened },
    )
  }
  if (!request.recursive && place.path.length === 0) readableFile(capability)
  await using client = await openFolderClient(context, home)
  if (request.recursive) return await getTree(request, place, { ...context, client })
  using seen = SeenVersions.open(context.files.seenVersions, client.account)
  const options = request.range === undefined ? {} : { range: request.range }
  const file = await openFile(place, options, { ...context, client, seen })
  return await deliver(file, { request, place, context, opened })
}

/** Writes files to standard output, one after another. */
export async function cat(
  request: { readonly places: readonly string[] },
  context: CommandContext,
): Promise<ExitCode> {
  const none = { target: undefined, output: undefined, recursive: false, overwrite: false }
  const home = openOwnHome(context.files)
  for (const place of request.places) await get({ place, ...none }, context, home)
  return EXIT.ok
}

function checkRequest(request: GetRequest, terminal: Terminal): void {
  const { target, output, recursive, range } = request
  if (target !== undefined && output !== undefined) {
    throw usageError('Give either a place to get it to or -o FILE, not both.')
  }
  if (recursive && (output !== undefined || range !== undefined)) {
    throw usageError('With -r, give the directory to get it to: hayloft get -r home:photos photos')
  }
  if (recursive && target === '-') {
    throw usageError('Only a file can go to standard output. A directory of that name is ./-')
  }
  const isToOutput = !recursive && (target ?? output ?? '-') === '-'
  if (isToOutput && terminal.json) {
    throw usageError('With --json, the file itself needs a place of its own: add -o FILE.')
  }
}

interface Delivery {
  readonly request: GetRequest
  readonly place: Place
  readonly context: CommandContext
  /** What `-o` names. */
  readonly opened: Target | undefined
}

async function deliver(file: ReadableFile, delivery: Delivery): Promise<ExitCode> {
  const { request, place, context, opened } = delivery
  const { target, output } = request
  if (target !== undefined) return await deliverTo(targetFor(target, place), file, delivery)
  if (output === undefined || opened === undefined) {
    const { signal } = context
    const write = async (bytes: Uint8Array): Promise<void> => await writeOut(bytes, signal)
    for await (const chunk of watched(file, 'a file', delivery)) await write(chunk)
    await flush(process.stdout)
    file.markSeen()
    return EXIT.ok
  }
  let writtenBytes = 0
  for await (const chunk of watched(file, output, delivery)) {
    await opened.write(chunk)
    writtenBytes += chunk.length
  }
  await opened.commit()
  file.markSeen()
  tell({ output, writtenBytes, file }, context.terminal)
  return EXIT.ok
}

/** Where nothing is replaced unasked. */
async function deliverTo(at: string, file: ReadableFile, delivery: Delivery): Promise<ExitCode> {
  const { request, context } = delivery
  const { download, mtimeMs, isExecutable } = file
  const { offset, length } = request.range ?? { offset: 0, length: Infinity }
  const sizeBytes = Math.min(length, download.sizeBytes - offset)
  const placed = await placeFile(
    at,
    {
      sizeBytes,
      ...(request.range === undefined ? { mtimeMs } : {}),
      isExecutable,
      chunks: async () => await Promise.resolve(watched(file, at, delivery)),
    },
    { overwrite: request.overwrite },
  )
  file.markSeen()
  tell({ output: at, writtenBytes: placed === 'same' ? 0 : sizeBytes, file }, context.terminal)
  return EXIT.ok
}

/** Into a directory it goes under its own name, as with cp. */
function targetFor(target: string, { path }: Place): string {
  const isDirectory = target.endsWith('/') || isDirectoryAt(target)
  const name = path.at(-1)
  if (!isDirectory) return target
  if (name === undefined) {
    throw usageError(
      `${target} is a directory, and the file has no name of its own: name it there.`,
    )
  }
  return join(target, basename(name))
}

function isDirectoryAt(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function tell(
  {
    output,
    writtenBytes,
    file,
  }: { readonly output: string; readonly writtenBytes: number; readonly file: ReadableFile },
  terminal: Terminal,
): void {
  const { download, version } = file
  if (!terminal.json) {
    terminal.note(`${output}: ${formatBytes(writtenBytes)}`)
    return
  }
  const { sizeBytes } = download
  terminal.value({
    file: output,
    size: sizeBytes,
    written: writtenBytes,
    ...(version === undefined ? {} : { version }),
  })
}

/** The bytes of a file, shown as they come. */
async function* watched(
  { download }: ReadableFile,
  name: string,
  { request, context }: Pick<Delivery, 'request' | 'context'>,
): AsyncGenerator<Uint8Array> {
  const { signal } = context
  const progress = await progressFor(name, { request, context })
  const totalBytes = request.range?.length ?? download.sizeBytes
  let bytes = 0
  try {
    for await (const chunk of download.chunks) {
      signal.throwIfAborted()
      yield chunk
      bytes += chunk.length
      progress.update({ bytes, totalBytes })
    }
  } finally {
    progress.stop()
  }
}

async function progressFor(
  name: string,
  { request, context }: Pick<Delivery, 'request' | 'context'>,
): Promise<Progress> {
  const { output, target } = request
  const isToOutput = target === undefined && (output === undefined || output === '-')
  // Where the file itself goes to the terminal, a bar would be drawn into it.
  const isWatched = context.terminal.isWatched && !(isToOutput && process.stdout.isTTY)
  return await openProgress({ isWatched }, { label: `Getting ${name}`, clock: systemClock })
}

// eslint-disable-next-line typescript/require-await -- a download gives an async iterable
async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
