import { Type, type Static } from 'typebox'
import { sizeOf } from '../../folders/entry.ts'
import type { Shown } from '../../folders/read.ts'
import type { CommitResult } from '../../folders/service/folder.ts'
import { versionOf } from '../../folders/service/shown-version.ts'

/** What a folder shows under a name. */
export const Entry = Type.Object(
  {
    name: Type.String(),
    kind: Type.Enum(['file', 'directory', 'symlink', 'linked-folder', 'linked-file']),
    size: Type.Union([Type.Integer(), Type.Null()], {
      description: 'Bytes; of a directory all below it, linked folders left out.',
    }),
    modified: Type.Union([Type.String(), Type.Null()], { description: 'ISO 8601' }),
    device: Type.String({ description: 'Which device wrote it; may be empty.' }),
    executable: Type.Boolean(),
    target: Type.Union([Type.String(), Type.Null()], { description: 'Of a symbolic link.' }),
    conflictOf: Type.Union([Type.String(), Type.Null()], {
      description: 'Of a conflict copy the name that it is a version of.',
    }),
    version: Type.String({
      description: 'Another one whenever any of it changes: the ETag of a file.',
    }),
  },
  { $id: 'Entry', title: 'Entry' },
)
export type Entry = Static<typeof Entry>
export const EntryRef = Type.Unsafe<Entry>(Type.Ref('Entry'))

export function entryOf(shown: Shown): Entry {
  const { name, entry, copyOf } = shown
  const isDirectory = entry.kind === 'directory'
  const timeMs = isDirectory ? entry.totals.newestMs : entry.mtimeMs
  return {
    name,
    kind: entry.kind === 'literal' ? 'file' : entry.kind,
    size: sizeIn(entry),
    modified: timeMs === undefined ? null : new Date(timeMs).toISOString(),
    device: isDirectory ? '' : entry.device,
    executable: 'isExecutable' in entry && entry.isExecutable,
    target: entry.kind === 'symlink' ? entry.target : null,
    conflictOf: copyOf ?? null,
    version: versionOf(shown),
  }
}

function sizeIn(entry: Shown['entry']): number | null {
  if (entry.kind === 'directory') return entry.totals.sizeBytes
  return entry.kind === 'file' || entry.kind === 'literal' ? sizeOf(entry) : null
}

/** What became of a change. */
export const Change = Type.Object(
  {
    durability: Type.Enum(['durable', 'degraded', 'unchanged'], {
      description:
        'Degraded: on few nodes so far, and brought to more. Unchanged: it was so already.',
    }),
    conflicts: Type.Array(Type.String(), {
      description: 'Paths that became conflict copies, where others wrote at the same time.',
    }),
  },
  { $id: 'Change', title: 'Change' },
)
export type Change = Static<typeof Change>
export const ChangeRef = Type.Unsafe<Change>(Type.Ref('Change'))

export function changeOf({ durability, conflicts }: CommitResult): Change {
  return { durability, conflicts: conflicts.map((path) => path.join('/')) }
}
