import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDirectories } from '../../../foundation/directories.ts'
import { HayloftError, systemCodeOf } from '../../../foundation/error.ts'
import { describingFailures } from '../../../foundation/system-failure.ts'
import { unlessGone } from './careful.ts'
import type { NameRules } from './disk-names.ts'
import type { FileSystem } from './file-system.ts'
import { SYSTEM_FILE_SYSTEM } from './system-file-system.ts'

/** The synced directory is not there, or is not the one that it was: a disk that is not mounted, say. */
export class RootMissingError extends HayloftError {
  readonly code = 'sync-root-missing'
}

/** The directory is synced with something else already. */
export class RootTakenError extends HayloftError {
  readonly code = 'sync-root-taken'
}

const MARKER = 'root'
const MAX_MARKER_BYTES = 256
/** What begins with this at the top of the directory is this program's own. */
export const OWN_DIRECTORY = '.hayloft'

/**
 * Makes sure that a directory is the one that was agreed on, by a marker within it. An empty mount point has none, and must
 * not look like a directory whose files were all removed.
 * @throws RootMissingError, RootTakenError
 */
export async function openMarked(files: FileSystem, root: string, id: string): Promise<void> {
  const found = await readMarker(files, root)
  if (found === undefined) throw missing(root)
  if (found !== id) throw taken(root)
}

/** What the disk of a marked directory does with names. */
export function nameRules(files: FileSystem, root: string, platform: NodeJS.Platform): NameRules {
  const isFolding = isSameFile(files, [
    join(root, OWN_DIRECTORY, MARKER),
    join(root, OWN_DIRECTORY.toUpperCase(), MARKER.toUpperCase()),
  ])
  // A disk that folds names on Linux is mostly one of Windows'.
  return { isFolding, isReserving: platform === 'win32' || (isFolding && platform === 'linux') }
}

function isSameFile(files: FileSystem, [first, second]: readonly [string, string]): boolean {
  try {
    return files.lstatNow(first).ino === files.lstatNow(second).ino
  } catch {
    return false
  }
}

/** Marks a directory that is to be synced. @throws RootTakenError, RootMissingError */
export async function markRoot(root: string, id: string): Promise<void> {
  await describingFailures(`The directory ${root}`, async () => {
    if (!(await isDirectory(root))) throw missing(root)
    const found = await readMarker(SYSTEM_FILE_SYSTEM, root)
    if (found !== undefined && found !== id) throw taken(root)
    await makeDirectories(join(root, OWN_DIRECTORY))
    await writeFile(join(root, OWN_DIRECTORY, MARKER), `${id}\n`)
  })
}

async function readMarker(files: FileSystem, root: string): Promise<string | undefined> {
  const file = await unlessGone(files.open(join(root, OWN_DIRECTORY, MARKER)))
  if (file === undefined) return undefined
  try {
    const bytes = new Uint8Array(MAX_MARKER_BYTES)
    return Buffer.from(bytes.subarray(0, await file.read(bytes)))
      .toString('utf8')
      .trim()
  } finally {
    await file.close()
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
