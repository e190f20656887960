import type { Name, Path } from '../../folders/names.ts'
import type { Shown } from '../../folders/read.ts'
import { versionOf } from '../../folders/service/shown-version.ts'
import type { FolderView } from '../../folders/service/view.ts'

/** What differs at a path between two states of a folder. */
export interface Change {
  readonly path: Path
  readonly change: 'added' | 'changed' | 'removed'
  /** As it is now, or as it was before it was removed. */
  readonly shown: Shown
}

/**
 * What differs below a directory, names in order. Directories that are the same in both are not read. Linked folders
 * are told as links: what is in them changes by itself.
 */
export async function* changesBetween(
  before: FolderView | undefined,
  after: FolderView | undefined,
  path: Path,
): AsyncGenerator<Change> {
  const old = await entriesOf(before, path)
  const now = await entriesOf(after, path)
  for (const name of [...new Set([...old.keys(), ...now.keys()])].sort()) {
    yield* changesAt({ before, after }, [...path, name], { old: old.get(name), now: now.get(name) })
  }
}

async function* changesAt(
  { before, after }: { before: FolderView | undefined; after: FolderView | undefined },
  path: Path,
  { old, now }: { old: Shown | undefined; now: Shown | undefined },
): AsyncGenerator<Change> {
  if (old !== undefined && now !== undefined && versionOf(old) === versionOf(now)) return
  const [wasDirectory, isDirectory] = [old, now].map((each) => each?.entry.kind === 'directory')
  if (wasDirectory === true || isDirectory === true) {
    if (old === undefined && now !== undefined) yield { path, change: 'added', shown: now }
    const from = wasDirectory === true ? before : undefined
    const to = isDirectory === true ? after : undefined
    yield* changesBetween(from, to, path)
    if (old !== undefined && now === undefined) yield { path, change: 'removed', shown: old }
    if (old === undefined || now === undefined || wasDirectory === isDirectory) return
  }
  if (now !== undefined) yield { path, change: old === undefined ? 'added' : 'changed', shown: now }
  else if (old !== undefined) yield { path, change: 'removed', shown: old }
}

async function entriesOf(view: FolderView | undefined, path: Path): Promise<Map<Name, Shown>> {
  const shown = view === undefined ? [] : await view.list(path)
  return new Map(shown.map((each) => [each.name, each]))
}
