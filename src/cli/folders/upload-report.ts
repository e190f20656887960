import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { Skipped } from '../local/walk.ts'
import type { Place } from '../paths/place.ts'
import { count, formatBytes, type Terminal } from '../terminal.ts'
import type { UploadReport } from './upload.ts'

/** What became of one tree. */
export interface Uploaded extends UploadReport {
  readonly skipped: readonly Skipped[]
}

/** Tells what became of all of them together. @returns 1 if something that should have been put was not */
export function reportUpload(
  uploaded: readonly Uploaded[],
  { target, terminal }: { readonly target: Place; readonly terminal: Terminal },
): ExitCode {
  const sums = sumsOf(uploaded)
  const skipped = uploaded.flatMap((each) => each.skipped)
  const failed = uploaded.flatMap((each) => each.failed)
  const isDegraded = uploaded.some((each) => each.isDegraded)
  if (terminal.json) {
    terminal.value({
      place: target.label,
      ...sums,
      health: isDegraded ? 'degraded' : 'healthy',
      skipped: skipped.map(({ at, why }) => ({ file: at, why })),
      failed: failed.map(({ at, failure: { code, message } }) => ({ file: at, code, message })),
    })
  } else {
    for (const { at, why } of skipped) terminal.note(`${at} was left out: ${why}.`)
    for (const { failure } of failed) terminal.failure(failure)
    terminal.note(summaryOf(sums, target))
    if (isDegraded) {
      terminal.note(
        'Some of it is on few storage nodes so far. It is brought to more when they are back.',
      )
    }
  }
  if (failed.length === 0 && !skipped.some(({ isFailure }) => isFailure)) return EXIT.ok
  const [first] = failed
  const isNothingDone = sums.stored + sums.unchanged + sums.directories === 0
  return isNothingDone && first !== undefined ? first.failure.exit : EXIT.degraded
}

function sumsOf(uploaded: readonly Uploaded[]): Sums {
  const sum = (of: (each: Uploaded) => number): number =>
    uploaded.reduce((total, each) => total + of(each), 0)
  return {
    stored: sum((each) => each.stored),
    unchanged: sum((each) => each.unchanged),
    directories: sum((each) => each.directoriesMade),
    size: sum((each) => each.storedBytes + each.unchangedBytes),
    storedSize: sum((each) => each.storedBytes),
    sentBytes: sum((each) => each.sentBytes),
    conflicts: sum((each) => each.conflicts),
  }
}

interface Sums {
  readonly stored: number
  readonly unchanged: number
  /** Made anew. */
  readonly directories: number
  readonly size: number
  readonly storedSize: number
  readonly sentBytes: number
  readonly conflicts: number
}

function summaryOf(sums: Sums, { label }: Place): string {
  const { stored, storedSize, unchanged, directories, conflicts } = sums
  const parts = [`Stored ${count(stored, 'file')}, ${formatBytes(storedSize)}, in ${label}`]
  if (directories > 0) parts.push(`made ${count(directories, 'directory', 'directories')}`)
  if (unchanged > 0) parts.push(`${count(unchanged, 'file')} unchanged`)
  if (conflicts > 0) parts.push(`${count(conflicts, 'conflict copy', 'conflict copies')} came up`)
  return `${parts.join('; ')}.`
}
