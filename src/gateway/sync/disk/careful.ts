import { systemCodeOf } from '../../../foundation/error.ts'
import type { FileStats, FileSystem } from './file-system.ts'
import { isSameContent } from './signature.ts'
import type { Guard } from './sync-disk.ts'

/** Whether there is at a place what is expected there. Links are not followed. */
export function isAsExpected(files: FileSystem, at: string, { expects }: Guard): boolean {
  const stats = lookAt(files, at)
  if (stats === undefined || expects === undefined) return stats === undefined && !expects
  if ('signature' in expects) return stats.isFile() && isSameContent(stats, expects.signature)
  return stats.isSymbolicLink() && files.readlinkNow(at) === expects.target
}

/** Undefined where nothing is. */
export function lookAt(files: FileSystem, at: string): FileStats | undefined {
  try {
    return files.lstatNow(at)
  } catch (thrown) {
    if (isGone(thrown)) return undefined
    throw thrown
  }
}

/** Gives what is at `from` a second name, unless that is taken. Never replaces. */
export async function linkFree(files: FileSystem, from: string, to: string): Promise<boolean> {
  try {
    await files.link(from, to)
    return true
  } catch (thrown) {
    const code = systemCodeOf(thrown) ?? ''
    if (code === 'EEXIST') return false
    if (!WITHOUT_LINKS.has(code)) throw thrown
  }
  // Disks without hard links (FAT, exFAT): the moment between these two is the best there is.
  if (lookAt(files, to) !== undefined) return false
  files.renameNow(from, to)
  // Whoever called removes the first name next, which is gone already.
  return true
}

/**
 * Moves a directory to where nothing is. At once, so that hardly anything can come to lie there meanwhile; an empty directory
 * that does is replaced, by the system's rules, and nothing else.
 * @returns false if it is none, or something is there
 */
export function moveDirectoryNow(files: FileSystem, from: string, to: string): boolean {
  if (lookAt(files, from)?.isDirectory() !== true || lookAt(files, to) !== undefined) return false
  files.renameNow(from, to)
  return true
}

/**
 * Keeps hold of a file that is about to be replaced, by a second name; where the disk has no hard links, by taking it away
 * from its place.
 * @returns undefined if there is no such file
 */
export async function hold(
  files: FileSystem,
  at: string,
  second: string,
): Promise<'linked' | 'taken' | undefined> {
  try {
    await files.link(at, second)
    return 'linked'
  } catch (thrown) {
    if (isGone(thrown)) return undefined
    if (!WITHOUT_LINKS.has(systemCodeOf(thrown) ?? '')) throw thrown
  }
  await files.rename(at, second)
  return 'taken'
}

const WITHOUT_LINKS: ReadonlySet<string> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
])

/** Undefined where there is no such file, or its directory is none any more. */
export async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (thrown) {
    if (isGone(thrown)) return undefined
    throw thrown
  }
}

export function isGone(thrown: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemCodeOf(thrown) ?? '')
}
