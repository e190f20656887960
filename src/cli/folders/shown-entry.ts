import { sizeOf, type Entry } from '../../folders/entry.ts'
import type { Shown } from '../../folders/read.ts'
import { versionOf } from '../../folders/service/shown-version.ts'

/** What programs are told of what is shown under a name; the keys are part of the command line's interface. */
export function describeShown(shown: Shown): object {
  const { entry, copyOf } = shown
  return {
    name: shown.name,
    kind: entry.kind === 'literal' ? 'file' : entry.kind,
    ...sizesOf(entry),
    ...timesOf(entry),
    ...('isExecutable' in entry && entry.isExecutable ? { executable: true } : {}),
    ...(entry.kind === 'symlink' ? { target: entry.target } : {}),
    ...(copyOf === undefined ? {} : { conflictOf: copyOf }),
    version: versionOf(shown),
  }
}

function sizesOf(entry: Entry): object {
  switch (entry.kind) {
    case 'file':
    case 'literal':
      return { size: sizeOf(entry) }
    case 'directory':
      return { size: entry.totals.sizeBytes, files: entry.totals.files }
    case 'symlink':
    case 'linked-folder':
    case 'linked-file':
      return {}
  }
}

function timesOf(entry: Entry): object {
  const timeMs = timeOf(entry)
  return {
    ...(timeMs === undefined ? {} : { modified: new Date(timeMs).toISOString() }),
    ...(entry.kind === 'directory' || entry.device === '' ? {} : { device: entry.device }),
  }
}

/** When it was changed last: of a directory the newest of what is below; undefined for an empty one. */
export function timeOf(entry: Entry): number | undefined {
  return entry.kind === 'directory' ? entry.totals.newestMs : entry.mtimeMs
}

/** How many bytes, where that means something. */
export function bytesOf(entry: Entry): number | undefined {
  if (entry.kind === 'directory') return entry.totals.sizeBytes
  return entry.kind === 'file' || entry.kind === 'literal' ? sizeOf(entry) : undefined
}

/** What follows a name so that its kind is seen. */
export function markOf(entry: Entry): string {
  switch (entry.kind) {
    case 'directory':
      return '/'
    case 'linked-folder':
      return '/ (linked)'
    case 'linked-file':
      return ' (linked)'
    case 'symlink':
      return ` -> ${entry.target}`
    case 'file':
    case 'literal':
      return entry.isExecutable ? '*' : ''
  }
}
