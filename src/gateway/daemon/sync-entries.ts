import { realpath, stat } from 'node:fs/promises'
import { relative, resolve, sep } from 'node:path'
import { equalBytes } from '../../foundation/bytes.ts'
import { systemCodeOf } from '../../foundation/error.ts'
import { describingFailures, SystemFailureError } from '../../foundation/system-failure.ts'
import type { HomeFiles } from '../../home/layout.ts'
import type { SyncEntry } from '../../home/sync-file.ts'
import { SyncRefusedError } from './sync-errors.ts'
import { slotOf, type SyncableFolder } from './sync-target.ts'

/**
 * The directory that is to be synced, as the system calls it.
 * @throws SyncRefusedError, SystemFailureError: it is missing or no directory, or what is in it is synced or the program's own already
 */
export async function checkDirectory(
  argument: string,
  entries: readonly Pick<SyncEntry, 'directory'>[],
  { home }: HomeFiles,
): Promise<string> {
  const directory = await realDirectory(argument)
  const own = await realpath(home).catch(() => resolve(home))
  if (isWithin(directory, own) || isWithin(own, directory)) {
    throw new SyncRefusedError(
      'sync-overlaps',
      `${directory} and the home of Hayloft, ${own}, lie one in the other. What the program keeps for itself cannot be synced.`,
    )
  }
  for (const { directory: other } of entries) {
    if (directory === other) {
      throw new SyncRefusedError('sync-overlaps', `${directory} is synced already.`)
    }
    if (isWithin(directory, other) || isWithin(other, directory)) {
      throw new SyncRefusedError(
        'sync-overlaps',
        `${directory} and ${other}, which is synced, lie one in the other. A file can be in one sync only.`,
      )
    }
  }
  return directory
}

/** @throws SyncRefusedError if the folder is synced with another directory here */
export function refuseSyncedFolder(
  capability: SyncableFolder,
  entries: readonly SyncEntry[],
): void {
  const slot = slotOf(capability)
  const other = entries.find((entry) => equalBytes(slotOf(entry.capability), slot))
  if (other === undefined) return
  throw new SyncRefusedError(
    'sync-overlaps',
    `That folder is synced with ${other.directory} on this computer already. One directory is enough for it.`,
  )
}

/** The entry of a directory as its user names it. @throws SyncRefusedError */
export async function findEntry<T extends { readonly directory: string }>(
  argument: string,
  entries: readonly T[],
): Promise<T> {
  const absolute = resolve(argument)
  const real = await realpath(absolute).catch(() => absolute)
  const entry = entries.find(({ directory }) => directory === real || directory === absolute)
  if (entry !== undefined) return entry
  throw new SyncRefusedError(
    'not-synced',
    `${absolute} is not synced. "hayloft sync list" tells what is.`,
  )
}

async function realDirectory(argument: string): Promise<string> {
  return await describingFailures(`The directory ${argument}`, async () => {
    const directory = await realpath(argument)
    if ((await stat(directory)).isDirectory()) return directory
    throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' })
  }).catch((thrown: unknown) => {
    if (systemCodeOf(thrown) !== 'not-found') throw thrown
    throw new SystemFailureError({
      code: 'not-found',
      message: `There is no directory ${argument}. Make it first, or look at how it is spelled.`,
    })
  })
}

function isWithin(path: string, directory: string): boolean {
  const way = relative(directory, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && resolve(way) !== way)
}
