import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDirectories } from '../../../foundation/directories.ts'
import { HayloftError, systemCodeOf } from '../../../foundation/error.ts'
import { describingFailures } from '../../../foundation/system-failure.ts'

/** The synced directory is not there, or is not the one that it was: a disk that is not mounted, say. */
export class RootMissingError extends HayloftError {
  readonly code = 'sync-root-missing'
}

/** The directory is synced with something else already. */
export class RootTakenError extends HayloftError {
  readonly code = 'sync-root-taken'
}

const MARKER = 'root'
/** What begins with this at the top of the directory is this program's own. */
export const OWN_DIRECTORY = '.hayloft'

/**
 * Makes sure that a directory is the one that was agreed on, by a marker within it. An empty mount point has none, and must
 * not look like a directory whose files were all removed.
 * @throws RootMissingError, RootTakenError
 */
export async function openMarked(root: string, id: string): Promise<void> {
  const found = await readMarker(root)
  if (found === undefined) throw missing(root)
  if (found !== id) throw taken(root)
}

/** Marks a directory that is to be synced. @throws RootTakenError, RootMissingError */
export async function markRoot(root: string, id: string): Promise<void> {
  await describingFailures(`The directory ${root}`, async () => {
    if (!(await isDirectory(root))) throw missing(root)
    const found = await readMarker(root)
    if (found !== undefined && found !== id) throw taken(root)
    await makeDirectories(join(root, OWN_DIRECTORY))
    await writeFile(join(root, OWN_DIRECTORY, MARKER), `${id}\n`)
  })
}

async function readMarker(root: string): Promise<string | undefined> {
  try {
    return (await readFile(join(root, OWN_DIRECTORY, MARKER), 'utf8')).trim()
  } catch (thrown) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCodeOf(thrown) ?? '')) return undefined
    throw thrown
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (thrown) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCodeOf(thrown) ?? '')) return false
    throw thrown
  }
}

function missing(root: string): RootMissingError {
  return new RootMissingError(
    `The directory ${root} is not there, or its marker .hayloft/root is gone. Nothing is synced until it is back: ` +
      'if it is on another disk, connect it; if you moved it, remove this sync and add the directory anew.',
  )
}

function taken(root: string): RootTakenError {
  return new RootTakenError(
    `The directory ${root} is synced with another folder already. Remove that sync first.`,
  )
}
