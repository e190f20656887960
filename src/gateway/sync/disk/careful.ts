import { link, lstat, readlink, rename } from 'node:fs/promises'
import { systemCodeOf } from '../../../foundation/error.ts'
import { isSameContent } from './signature.ts'
import type { Guard } from './sync-disk.ts'

/** Whether there is at a place what is expected there. Links are not followed. */
export async function isAsExpected(at: string, { expects }: Guard): Promise<boolean> {
  const stats = await unlessGone(lstat(at, { bigint: true }))
  if (stats === undefined || expects === undefined) return stats === undefined && !expects
  if ('signature' in expects) return stats.isFile() && isSameContent(stats, expects.signature)
  return stats.isSymbolicLink() && (await readlink(at)) === expects.target
}

/** Gives what is at `from` a second name, unless that is taken. Never replaces. */
export async function linkFree(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (thrown) {
    const code = systemCodeOf(thrown) ?? ''
    if (code === 'EEXIST') return false
    if (!WITHOUT_LINKS.has(code)) throw thrown
  }
  // Disks without hard links (FAT, exFAT): the moment between these two is the best there is.
  if ((await unlessGone(lstat(to))) !== undefined) return false
  await rename(from, to)
  // Whoever called removes the first name next, which is gone already.
  return true
}

/** Keeps hold of a file that is about to be replaced. */
export async function hold(at: string, second: string): Promise<boolean> {
  try {
    await link(at, second)
    return true
  } catch (thrown) {
    if (isGone(thrown)) return false
    if (!WITHOUT_LINKS.has(systemCodeOf(thrown) ?? '')) throw thrown
  }
  await rename(at, second)
  return true
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
