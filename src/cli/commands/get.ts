import type { FileReadCapability, LiteralCapability } from '../../capabilities/capability.ts'
import { systemClock } from '../../foundation/system.ts'
import type { Download } from '../../grid/download.ts'
import { readableArgument } from '../arguments.ts'
import { openOwnClient } from '../own-home.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { usageError } from '../failures.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { readLiteral } from '../literal.ts'
import { openProgress } from '../progress.ts'
import { openTarget, type Target } from '../target.ts'
import { flush, formatBytes, writeOut, type Terminal } from '../terminal.ts'

export interface GetRequest {
  readonly capability: string
  /** A path; undefined or `-` for standard output. */
  readonly output?: string | undefined
  readonly range?: { readonly offset: number; readonly length: number } | undefined
}

interface Context {
  readonly files: HomeFiles
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

/** Brings a file back, to standard output or into a file that appears whole or not at all. */
export async function get(request: GetRequest, context: Context): Promise<ExitCode> {
  const { terminal } = context
  const output = request.output === '-' ? undefined : request.output
  if (output === undefined && terminal.json) {
    throw usageError('With --json, the file itself needs a place of its own: add -o FILE.')
  }
  const capability = await readableArgument(request.capability)
  if (output === undefined) {
    await download(capability, { request, context, target: standardOutput(context.signal) })
    await flush(process.stdout)
    return EXIT.ok
  }
  await using target = await openTarget(output)
  const written = await download(capability, { request, context, target })
  await target.commit()
  if (terminal.json) {
    terminal.value({ file: output, size: written.fileBytes, written: written.writtenBytes })
  } else {
    terminal.note(`${output}: ${formatBytes(written.writtenBytes)}`)
  }
  return EXIT.ok
}

async function download(
  capability: FileReadCapability | LiteralCapability,
  {
    request,
    context,
    target,
  }: { request: GetRequest; context: Context; target: Pick<Target, 'write'> },
): Promise<{ fileBytes: number; writtenBytes: number }> {
  const { range } = request
  if (capability.kind === 'literal') {
    const bytes = readLiteral(capability, range)
    await target.write(bytes)
    return { fileBytes: capability.bytes.length, writtenBytes: bytes.length }
  }
  const { files, signal } = context
  await using client = await openOwnClient(files, signal)
  const fetched = await client.grid.get(
    capability,
    range === undefined ? { signal } : { range, signal },
  )
  return await receive(fetched, { request, context, target })
}

async function receive(
  fetched: Download,
  {
    request,
    context,
    target,
  }: { request: GetRequest; context: Context; target: Pick<Target, 'write'> },
): Promise<{ fileBytes: number; writtenBytes: number }> {
  const { terminal, signal } = context
  const totalBytes = request.range?.length ?? fetched.sizeBytes
  const label = `Getting ${request.output ?? 'a file'}`
  // Where the file itself goes to the terminal, a bar would be drawn into it.
  const isWatched = terminal.isWatched && !(request.output === undefined && process.stdout.isTTY)
  const progress = await openProgress({ isWatched }, { label, clock: systemClock })
  let writtenBytes = 0
  try {
    for await (const chunk of fetched.chunks) {
      signal.throwIfAborted()
      await target.write(chunk)
      writtenBytes += chunk.length
      progress.update({ bytes: writtenBytes, totalBytes })
    }
  } finally {
    progress.stop()
  }
  return { fileBytes: fetched.sizeBytes, writtenBytes }
}

function standardOutput(signal: AbortSignal): Pick<Target, 'write'> {
  return { write: async (bytes) => await writeOut(bytes, signal) }
}
