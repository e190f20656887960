import { equalBytes } from '../../foundation/bytes.ts'
import type { Edit, NewContent } from '../commit/edits.ts'
import { isVersion, type Entry, type Version } from '../entry.ts'
import { PathNotFoundError } from '../errors.ts'
import { formatPath, type Name, type Path } from '../names.ts'
import type { Shown } from '../read.ts'
import { areSameContent } from '../versions.ts'
import type { FolderView } from './view.ts'

/**
 * What makes a path again what it was in another view of the same folder. Only references are written, and what is the
 * same in both views is left alone.
 * @throws PathNotFoundError if there was nothing at the path
 */
export async function restoringEdits(
  now: FolderView,
  then: FolderView,
  path: Path,
): Promise<Edit[]> {
  if (path.length > 0) {
    const wanted = await then.stat(path)
    if (wanted === undefined) throw new PathNotFoundError(formatPath(path))
    return replacing(path, await now.stat(path), wanted)
  }
  const present = await now.list([])
  const past = await then.list([])
  const wanted = new Map(past.map((shown) => [shown.name, shown]))
  const found = new Map(present.map((shown) => [shown.name, shown]))
  const gone = present.filter(({ name }) => !wanted.has(name))
  return [
    // Copies before what they are copies of: a conflict that is settled would keep them.
    ...gone.toSorted((a, b) => Number(isCopy(b)) - Number(isCopy(a))).map(removing),
    ...past.flatMap((shown) => replacing([shown.name], found.get(shown.name), shown)),
  ]
}

/** What an entry holds, to be put elsewhere or again. */
export function contentOf(entry: Entry): NewContent {
  return isVersion(entry) ? entry : { kind: 'directory', directory: entry }
}

function replacing(path: Path, present: Shown | undefined, wanted: Shown): Edit[] {
  if (present !== undefined && isSame(present.entry, wanted.entry)) return []
  const put: Edit = { kind: 'put', path, content: contentOf(wanted.entry) }
  const isInTheWay =
    present !== undefined &&
    (present.entry.kind === 'directory' || wanted.entry.kind === 'directory')
  return isInTheWay ? [{ kind: 'remove', path }, put] : [put]
}

/** Whether there is nothing to restore. A directory with the same in it may be stored in another way. */
function isSame(a: Entry, b: Entry): boolean {
  if (a.kind === 'directory' || b.kind === 'directory') {
    return (
      a.kind === 'directory' && b.kind === 'directory' && equalBytes(a.reference.id, b.reference.id)
    )
  }
  const isExecutable = (version: Version): boolean =>
    'isExecutable' in version && version.isExecutable
  const isSameFlag = isExecutable(a) === isExecutable(b)
  return areSameContent(a, b) && a.mtimeMs === b.mtimeMs && isSameFlag
}

function removing({ name }: { readonly name: Name }): Edit {
  return { kind: 'remove', path: [name] }
}

function isCopy({ copyOf }: Shown): boolean {
  return copyOf !== undefined
}
