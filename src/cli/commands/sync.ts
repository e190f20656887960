import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { checkName } from '../../folders/names.ts'
import { sleep } from '../../foundation/clock.ts'
import { systemClock, systemRandomness } from '../../foundation/system.ts'
import { toHex } from '../../foundation/bytes.ts'
import { markRoot, OWN_DIRECTORY } from '../../gateway/sync/disk/root-marker.ts'
import { readSyncs, writeSyncs, type SyncEntry } from '../../home/sync-file.ts'
import { readDaemon } from '../../home/daemon-file.ts'
import {
  readSyncStatus,
  syncDirectory,
  type RecordedSyncStatus,
} from '../../home/sync-status-file.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { openOwnHome } from '../own-home.ts'
import { placeArgument } from '../paths/place.ts'
import { checkDirectory, findEntry, refuseSyncedFolder } from '../sync/entries.ts'
import { allowRemovals, orderLook } from '../../gateway/sync/orders.ts'
import { folderAt } from '../sync/target.ts'
import { count, printableName } from '../terminal.ts'
import type { AccountSecret } from '../../capabilities/account.ts'

/** Lets a directory be kept in step with a folder of the grid from now on. */
export async function syncAdd(
  request: { readonly directory: string; readonly target: string | undefined },
  context: CommandContext,
): Promise<ExitCode> {
  const { files, terminal, signal } = context
  const home = openOwnHome(files)
  const account = await home.account()
  const entries = await readSyncs(files.syncs, account)
  const directory = await checkDirectory(request.directory, entries, files)
  const named = request.target ?? `home:${checkName(basename(directory).normalize('NFC'))}`
  const place = await placeArgument(named, home.findAlias)
  await using client = await openFolderClient(context, home)
  const { capability, isNew } = await folderAt(place, { client, terminal, signal })
  refuseSyncedFolder(capability, entries)
  const id = toHex(systemRandomness.bytes(16))
  await markRoot(directory, id)
  const entry: SyncEntry = { id, directory, capability, label: place.label, isPaused: false }
  await save(context, account, [...entries, entry])
  if (terminal.json) {
    terminal.value({ directory, folder: place.label, isNew, mayWrite: mayWrite(entry) })
    return EXIT.ok
  }
  terminal.line(`${directory} is synced with ${place.label}${isNew ? ', a new folder' : ''}.`)
  if (!mayWrite(entry)) {
    terminal.note('You may read that folder only: what you change in the directory stays there.')
  }
  if ((await readDaemon(files)) === undefined) {
    terminal.note('It begins when "hayloft start" runs.')
  }
  return EXIT.ok
}

/** Ends a sync. Files stay where they are, on both sides. */
export async function syncRemove(
  request: { readonly directory: string },
  context: CommandContext,
): Promise<ExitCode> {
  const { files, terminal } = context
  const account = await openOwnHome(files).account()
  const entries = await readSyncs(files.syncs, account)
  const entry = await findEntry(request.directory, entries)
  await save(
    context,
    account,
    entries.filter((other) => other !== entry),
  )
  // A disk that is not there now keeps the marker; it does no harm.
  await rm(join(entry.directory, OWN_DIRECTORY), { recursive: true, force: true }).catch(
    () => undefined,
  )
  await rm(syncDirectory(files, entry.id), { recursive: true, force: true }).catch(() => undefined)
  if (terminal.json) terminal.value({ directory: entry.directory, folder: entry.label })
  else {
    terminal.line(
      `${entry.directory} is not synced any more. Its files stay, and so do those in ${entry.label}.`,
    )
  }
  return EXIT.ok
}

export async function syncPause(
  request: {
    readonly directory: string | undefined
    readonly isPaused: boolean
    readonly allowRemovals?: boolean | undefined
  },
  context: CommandContext,
): Promise<ExitCode> {
  const { files, terminal } = context
  const account = await openOwnHome(files).account()
  const entries = await readSyncs(files.syncs, account)
  const chosen =
    request.directory === undefined ? entries : [await findEntry(request.directory, entries)]
  if (request.allowRemovals === true) for (const { id } of chosen) await allowRemovals(files, id)
  const { isPaused } = request
  await save(
    context,
    account,
    entries.map((entry) =>
      chosen.includes(entry) ? Object.assign({}, entry, { isPaused }) : entry,
    ),
  )
  const directories = chosen.map(({ directory }) => directory)
  if (terminal.json) terminal.value({ directories, isPaused })
  else if (directories.length === 0) terminal.line('Nothing is synced.')
  else for (const each of directories) terminal.line(`${each}: ${isPaused ? 'paused' : 'goes on'}.`)
  return EXIT.ok
}

/** How syncs fare. With `wait` it returns once all of them agree. */
export async function syncStatus(
  request: { readonly directory: string | undefined; readonly wait: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const { files, terminal, signal } = context
  const account = await openOwnHome(files).account()
  const sinceMs = systemClock.nowMs()
  let isOrdered = false
  for (;;) {
    const entries = await readSyncs(files.syncs, account)
    const chosen =
      request.directory === undefined ? entries : [await findEntry(request.directory, entries)]
    const isRunning = (await readDaemon(files)) !== undefined
    const rows = await Promise.all(
      chosen.map(async (entry) => ({ entry, status: await readSyncStatus(files, entry.id) })),
    )
    if (request.wait && isRunning && !isOrdered) {
      for (const { id, isPaused } of chosen) if (!isPaused) await orderLook(files, id)
      isOrdered = true
    }
    const isSettled = rows.every(({ entry, status }) => isInSync(entry, status, sinceMs))
    if (request.wait && isRunning && !isSettled) {
      await sleep(systemClock, WAIT_INTERVAL_MS, signal)
      continue
    }
    if (terminal.json) terminal.value({ isRunning, syncs: rows.map(describeRow) })
    else tell(rows, { isRunning, context })
    return rows.every(({ entry, status }) => isInSync(entry, status, 0)) ? EXIT.ok : EXIT.degraded
  }
}

interface Row {
  readonly entry: SyncEntry
  readonly status: RecordedSyncStatus | undefined
}

const WAIT_INTERVAL_MS = 100

/** Since a moment: a pass that began before may not have seen what was changed until then. */
function isInSync(
  { isPaused }: SyncEntry,
  status: RecordedSyncStatus | undefined,
  sinceMs: number,
): boolean {
  if (isPaused) return sinceMs > 0
  return status?.state === 'in-sync' && status.lastSyncMs >= sinceMs
}

function describeRow({ entry, status }: Row): object {
  const { directory, label: folder, isPaused } = entry
  const { lastSyncMs = 0, message = '', ...rest } = status ?? {}
  return {
    directory,
    folder,
    mayWrite: mayWrite(entry),
    state: isPaused ? 'paused' : (status?.state ?? 'never-synced'),
    lastSync: lastSyncMs === 0 ? undefined : new Date(lastSyncMs).toISOString(),
    ...(message === '' ? {} : { message }),
    ...(status === undefined ? {} : { ...rest, state: isPaused ? 'paused' : status.state }),
  }
}

function tell(
  rows: readonly Row[],
  { isRunning, context: { terminal } }: { isRunning: boolean; context: CommandContext },
): void {
  if (rows.length === 0) terminal.line('Nothing is synced. Begin with: hayloft sync add DIRECTORY')
  for (const { entry, status } of rows) {
    terminal.line(`${printableName(entry.directory)} ⇄ ${entry.label}: ${stateText(entry, status)}`)
    if (status === undefined) continue
    if (status.message !== '') terminal.line(`  ${status.message}`)
    if (status.conflicts > 0) {
      terminal.line(`  ${count(status.conflicts, 'conflict copy', 'conflict copies')} to look at.`)
    }
    if (status.unsent > 0) {
      terminal.line(
        `  ${count(status.unsent, 'change')} of yours stay here: you may only read that folder.`,
      )
    }
    for (const problem of status.problems) terminal.line(`  ${printableName(problem)}`)
    if (status.degraded !== '') terminal.line(`  Changes are noticed late: ${status.degraded}.`)
  }
  if (rows.length > 0 && !isRunning) {
    terminal.note('Nothing is being synced now: "hayloft start" does it.')
  }
}

function stateText({ isPaused }: SyncEntry, status: RecordedSyncStatus | undefined): string {
  if (isPaused) return 'paused'
  if (status === undefined) return 'not synced yet'
  const last =
    status.lastSyncMs === 0 ? '' : `, ${new Date(status.lastSyncMs).toLocaleString('sv')}`
  switch (status.state) {
    case 'in-sync':
      return `in sync${last}`
    case 'syncing':
      return 'syncing'
    case 'waiting':
      return `${count(status.pending, 'change')} to go`
    case 'held':
      return 'waits for you'
    case 'failed':
      return 'cannot be synced now, and is tried again'
  }
}

function mayWrite({ capability }: SyncEntry): boolean {
  return capability.kind === 'folder-write'
}

async function save(
  { files }: CommandContext,
  account: AccountSecret,
  entries: readonly SyncEntry[],
): Promise<void> {
  await writeSyncs(files.syncs, entries, { account, randomness: systemRandomness })
}
