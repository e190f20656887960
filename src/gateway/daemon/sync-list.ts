import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { AccountSecret } from '../../capabilities/account.ts'
import { toHex } from '../../foundation/bytes.ts'
import { systemClock, systemRandomness } from '../../foundation/system.ts'
import { formatPath, parsePath } from '../../folders/names.ts'
import { HomeError } from '../../home/errors.ts'
import { withFileLock } from '../../home/file-lock.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { readSyncs, writeSyncs, type SyncEntry } from '../../home/sync-file.ts'
import { syncDirectory } from '../../home/sync-status-file.ts'
import type { FoundPlace, PlaceContext } from '../places.ts'
import { markRoot, OWN_DIRECTORY } from '../sync/disk/root-marker.ts'
import { allowRemovals, orderRevert } from '../sync/orders.ts'
import { checkDirectory, refuseSyncedFolder } from './sync-entries.ts'
import { SyncRefusedError } from './sync-errors.ts'
import { folderAt } from './sync-target.ts'

export interface NewSync {
  readonly directory: string
  readonly place: FoundPlace
  /** How its user names the folder. */
  readonly label: string
  readonly only?: readonly string[] | undefined
  readonly except?: readonly string[] | undefined
}

/** What of a folder a directory is to have: only these paths, all if there are none; and all but those. */
export interface SyncChoice {
  readonly only: readonly string[]
  readonly except: readonly string[]
}

/** Where the list of a home's syncs is kept. */
export interface SyncListHome {
  readonly files: HomeFiles
  readonly account: AccountSecret
}

/** Lets a directory be synced with what is at a place. @throws SyncRefusedError, SystemFailureError, what the grid throws */
export async function addSync(
  { directory: named, place, label, only = [], except = [] }: NewSync,
  context: PlaceContext,
  signal: AbortSignal,
): Promise<{ entry: SyncEntry; isNew: boolean }> {
  const { files, account } = context
  const choice = checkedChoice({ only, except })
  const before = await readSyncs(files.syncs, account)
  const directory = await checkDirectory(named, before, files)
  const { capability, isNew } = await folderAt({ ...place, label }, context, signal)
  const id = toHex(systemRandomness.bytes(16))
  const entry: SyncEntry = { id, directory, capability, label, isPaused: false, ...choice }
  await changeList(context, async (entries) => {
    // Others may have been added meanwhile.
    await checkDirectory(directory, entries, files)
    refuseSyncedFolder(capability, entries)
    await markRoot(directory, id)
    return [...entries, entry]
  })
  return { entry, isNew }
}

/** Ends a sync. What both sides have stays. */
export async function removeSync(home: SyncListHome, { id }: SyncEntry): Promise<void> {
  await changeList(home, (entries) => entries.filter((other) => other.id !== id))
}

/** What is remembered of a sync that has ended, here and in its directory, goes, too. */
export async function forgetSync({ files }: SyncListHome, entry: SyncEntry): Promise<void> {
  // A disk that is not there now keeps the marker; it does no harm.
  for (const path of [join(entry.directory, OWN_DIRECTORY), syncDirectory(files, entry.id)]) {
    await rm(path, { recursive: true, force: true }).catch(() => undefined)
  }
}

/** Has syncs rest, or go on. */
export async function pauseSyncs(
  home: SyncListHome,
  chosen: readonly SyncEntry[],
  how: { readonly isPaused: boolean; readonly allowRemovals: boolean },
): Promise<void> {
  const ids = new Set(chosen.map(({ id }) => id))
  if (how.allowRemovals) for (const id of ids) await allowRemovals(home.files, id)
  const { isPaused } = how
  await changeList(home, (entries) =>
    entries.map((entry) => (ids.has(entry.id) ? Object.assign({}, entry, { isPaused }) : entry)),
  )
}

/** Changes what of a folder a directory has. @throws InvalidNameError, PathTooDeepError */
export async function selectSync(
  home: SyncListHome,
  { id }: Pick<SyncEntry, 'id'>,
  choice: SyncChoice,
): Promise<void> {
  const checked = checkedChoice(choice)
  await changeList(home, (entries) =>
    entries.map((entry) => (entry.id === id ? Object.assign({}, entry, checked) : entry)),
  )
}

/** Undoes changes in a directory whose folder may only be read. @throws SyncRefusedError: it may be written */
export async function revertSync(
  { files }: SyncListHome,
  { id, directory, capability }: SyncEntry,
  paths: readonly string[] | 'all',
): Promise<void> {
  if (capability.kind === 'folder-write') {
    throw new SyncRefusedError(
      'not-syncable',
      `You may write the folder of ${directory}, so what you change there is synced. For an earlier state of it: hayloft restore`,
    )
  }
  await orderRevert(files, id, paths === 'all' ? 'all' : paths.map(plainPath))
}

function checkedChoice({ only, except }: SyncChoice): SyncChoice {
  return { only: only.map(plainPath), except: except.map(plainPath) }
}

function plainPath(argument: string): string {
  const path = formatPath(parsePath(argument.normalize('NFC').replace(/^\.\//, '')))
  if (path === '')
    throw new SyncRefusedError(
      'not-syncable',
      'A path in the folder is needed, such as photos/2024.',
    )
  return path
}

/** Other processes may change it, too. */
async function changeList(
  { files, account }: SyncListHome,
  change: (entries: SyncEntry[]) => SyncEntry[] | Promise<SyncEntry[]>,
): Promise<void> {
  const lock = {
    clock: systemClock,
    timeoutMs: LOCK_TIMEOUT_MS,
    lockedTooLong: () =>
      new HomeError({
        code: 'home-busy',
        message: `Another process has been changing the list of syncs for ${LOCK_TIMEOUT_MS / 1000} s. If none runs, delete ${files.syncs}.lock.`,
      }),
  }
  await withFileLock(`${files.syncs}.lock`, lock, async () => {
    const entries = await change(await readSyncs(files.syncs, account))
    await writeSyncs(files.syncs, entries, { account, randomness: systemRandomness })
  })
}

const LOCK_TIMEOUT_MS = 30_000
