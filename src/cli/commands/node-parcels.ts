import { resolve } from 'node:path'
import { systemClock } from '../../foundation/system.ts'
import type { ExportReport } from '../../storage-node/parcels/export.ts'
import type { ImportReport, SkipReason } from '../../storage-node/parcels/import.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { askNode } from '../node/operator-client.ts'
import type { NodeCommandContext } from '../node/require-node.ts'
import { requireRunning } from '../node/require-node.ts'
import { openProgress } from '../progress.ts'
import { count, formatBytes, printableName } from '../terminal.ts'

/** Has the running node copy what it keeps to a directory. Status 1 if something of it had rotted. */
export async function nodeExport(
  request: { readonly dir: string; readonly destination?: string | undefined },
  { files, terminal, signal }: NodeCommandContext,
): Promise<ExitCode> {
  const running = await requireRunning(files)
  const dir = resolve(request.dir)
  const progress = await openProgress(terminal, { label: 'Exporting', clock: systemClock })
  const onEvent = (event: unknown): void => {
    const { doneBytes, totalBytes } = event as { doneBytes: number; totalBytes: number }
    progress.update({ bytes: doneBytes, totalBytes })
  }
  const { destination } = request
  const order = { op: 'export', dir, ...(destination !== undefined && { destination }) } as const
  const report = (await askNode(running, order, { signal, onEvent }).finally(() => {
    progress.stop()
  })) as ExportReport
  const { shares, records, bytes, there, lost } = report
  if (terminal.json) terminal.value({ dir, ...report })
  else {
    const items = `${count(shares, 'share')} and ${count(records, 'record')}`
    terminal.line(`Copied ${items} to ${dir}: ${formatBytes(bytes)}.`)
    if (there > 0) terminal.line(`${count(there, 'file')} were there from before.`)
    if (lost > 0) terminal.line(`${count(lost, 'share')} had rotted and are not among them.`)
    terminal.line(`On the other machine: hayloft node import ${dir}`)
  }
  return lost === 0 ? EXIT.ok : EXIT.degraded
}

/** Has the running node take over an export. Status 1 if some files were skipped. */
export async function nodeImport(
  request: { readonly dir: string },
  { files, terminal, signal }: NodeCommandContext,
): Promise<ExitCode> {
  const running = await requireRunning(files)
  const order = { op: 'import', dir: resolve(request.dir) } as const
  const report = (await askNode(running, order, { signal })) as ImportReport
  const { shares, records, bytes, there, skipped, skippedFiles, leasesLost } = report
  if (terminal.json) terminal.value({ dir: order.dir, ...report })
  else {
    const items = `${count(shares, 'share')} and ${count(records, 'record')}`
    terminal.line(`Took over ${items}: ${formatBytes(bytes)}.`)
    if (there > 0) terminal.line(`${count(there, 'file')} were of what is kept here already.`)
    if (leasesLost > 0) {
      terminal.line(
        `${count(leasesLost, 'lease')} did not come along: no members, or beyond their quotas.`,
      )
    }
    if (skippedFiles > 0) terminal.line(`Skipped ${count(skippedFiles, 'file')}:`)
    for (const { file, why } of skipped.slice(0, MAX_TOLD)) {
      terminal.line(`  ${printableName(file)}: ${WHY[why]}`)
    }
    if (skippedFiles > MAX_TOLD) terminal.line(`  and ${skippedFiles - MAX_TOLD} more`)
  }
  return skippedFiles === 0 ? EXIT.ok : EXIT.degraded
}

const MAX_TOLD = 20

const WHY: Readonly<Record<SkipReason, string>> = {
  damaged: 'damaged, or no share',
  quota: 'nobody who wants it may store so much here',
  full: 'there is no room',
  expired: 'its time is over',
}
