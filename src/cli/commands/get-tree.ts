import { basename, join } from 'node:path'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { usageError } from '../failures.ts'
import { downloadTree, type DownloadReport } from '../folders/download-tree.ts'
import type { ClientTools } from '../folders/folder-client.ts'
import { pathMissing } from '../folders/missing.ts'
import { viewAt } from '../folders/powers.ts'
import type { Place } from '../paths/place.ts'
import { count, formatBytes, type Terminal } from '../terminal.ts'
import type { GetRequest } from './get.ts'

/**
 * Gets all that is in a directory. The target is what it becomes, or where it goes if that ends in a slash or is `.` or
 * `..`: whether the target is there makes no difference, so that getting again continues.
 */
export async function getTree(
  request: GetRequest,
  place: Place,
  { client, terminal, signal }: ClientTools,
): Promise<ExitCode> {
  const view = await viewAt(place, { client, terminal, signal })
  const shown = await view.stat(place.path)
  if (shown === undefined) throw pathMissing(place)
  const isEntered = shown.entry.kind === 'directory' || shown.entry.kind === 'linked-folder'
  if (!isEntered) throw usageError(`${place.label} is a single file. Get it without -r.`)
  const to = directoryFor(request.target ?? '.', place)
  const { overwrite } = request
  const report = await downloadTree(view, { from: place.path, to }, { overwrite, terminal, signal })
  return tell(report, { place, to, terminal })
}

function directoryFor(target: string, { path, label }: Place): string {
  const isInto = /(^|\/)\.{0,2}\/*$/.test(target)
  if (!isInto) return target
  const name = path.at(-1)
  if (name !== undefined) return join(target, basename(name))
  throw usageError(
    `${label} is a whole folder without a name of its own. Say what it is to be called: hayloft get -r ${label} NAME`,
  )
}

function tell(
  report: DownloadReport,
  { place, to, terminal }: { place: Place; to: string; terminal: Terminal },
): ExitCode {
  const { written, writtenBytes, same, failed } = report
  if (terminal.json) {
    terminal.value({
      place: place.label,
      directory: to,
      written,
      writtenSize: writtenBytes,
      same,
      failed: failed.map(({ path, failure: { code, message } }) => ({ path, code, message })),
    })
  } else {
    for (const { failure } of failed) terminal.failure(failure)
    const there = same === 0 ? '' : `; ${count(same, 'file was', 'files were')} there already`
    terminal.note(
      `Got ${count(written, 'file')}, ${formatBytes(writtenBytes)}, into ${to}${there}.`,
    )
  }
  const [first] = failed
  if (first === undefined) return EXIT.ok
  return written + same === 0 ? first.failure.exit : EXIT.degraded
}
