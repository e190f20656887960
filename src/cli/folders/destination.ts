import type { FolderView } from '../../folders/service/view.ts'
import type { Name, Path } from '../../folders/names.ts'
import { usageError } from '../failures.ts'
import { needingDirectory } from './powers.ts'
import type { Place } from '../paths/place.ts'

/**
 * Where something goes that is called `name`: into the place if that is a directory, a linked folder or meant as one (a
 * slash at its end, a whole folder), else the place itself is what it becomes.
 */
export async function destinationFor(
  view: Pick<FolderView, 'stat'>,
  { path, isDirectory }: Pick<Place, 'path' | 'isDirectory'>,
  name: Name,
): Promise<Path> {
  if (path.length === 0 || isDirectory) return [...path, name]
  const there = await needingDirectory(async () => await view.stat(path))
  const isEntered = there?.entry.kind === 'directory' || there?.entry.kind === 'linked-folder'
  return isEntered ? [...path, name] : path
}

/** @throws CliError where several things cannot all become one */
export async function refuseUnlessDirectory(
  view: Pick<FolderView, 'stat'>,
  place: Place,
): Promise<void> {
  if (place.path.length === 0 || place.isDirectory) return
  const there = await needingDirectory(async () => await view.stat(place.path))
  if (there?.entry.kind === 'directory' || there?.entry.kind === 'linked-folder') return
  throw usageError(
    `Several things can only go into a directory, and ${place.label} is none. Make it, or end it in a slash.`,
  )
}
