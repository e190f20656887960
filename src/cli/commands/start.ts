import { watch } from 'node:fs'
import { join } from 'node:path'
import type { AccountSecret } from '../../capabilities/account.ts'
import { systemClock, systemRandomness } from '../../foundation/system.ts'
import { SystemSyncDisk } from '../../gateway/sync/disk/system-sync-disk.ts'
import type { SyncEvent, SyncFolder } from '../../gateway/sync/engine/context.ts'
import { LevelRecords } from '../../gateway/sync/records/level-records.ts'
import { runSync, type SyncStatus } from '../../gateway/sync/runner.ts'
import { watchDirectory } from '../../gateway/sync/watch/directory-watcher.ts'
import { makePrivateDirectory } from '../../home/files.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { readSyncs, type SyncEntry } from '../../home/sync-file.ts'
import {
  readDaemon,
  removeDaemon,
  syncDirectory,
  writeDaemon,
  writeSyncStatus,
  type RecordedSyncStatus,
} from '../../home/sync-status-file.ts'
import type { Client } from '../../library/client.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { logToFile, logToStandardError, type NodeLog } from '../node-log.ts'
import { openOwnHome } from '../own-home.ts'
import { takeAllowance, watchOrders } from '../sync/orders.ts'

/** Keeps the directories of a home in sync until Ctrl-C or SIGTERM. */
export async function start(
  options: { readonly log: string | undefined },
  context: CommandContext,
): Promise<ExitCode> {
  const { files, signal } = context
  const running = await readDaemon(files)
  if (running !== undefined) {
    throw new CliError({
      exit: EXIT.tryAgain,
      code: 'already-running',
      message: `Another "hayloft start" of this home runs already, as process ${running.pid}.`,
    })
  }
  const log =
    options.log === undefined
      ? logToStandardError(systemClock)
      : logToFile(options.log, systemClock)
  const home = openOwnHome(files)
  const account = await home.account()
  await using client = await openFolderClient(context, home)
  await writeDaemon(files)
  log.write('started', `pid ${process.pid}`)
  try {
    await new Syncs({ files, client, account, log }).run(signal)
  } finally {
    await removeDaemon(files)
    log.write('stopped')
  }
  return EXIT.ok
}

interface SyncsOptions {
  readonly files: HomeFiles
  readonly client: Client
  readonly account: AccountSecret
  readonly log: NodeLog
}

interface RunningSync {
  readonly entry: SyncEntry
  readonly stop: AbortController
  readonly ended: Promise<void>
}

/** So that one of several changes of a file at once is met. */
const LIST_SETTLE_MS = 200

/** All syncs of a home, as its list says from time to time. */
class Syncs {
  readonly #options: SyncsOptions
  readonly #running = new Map<string, RunningSync>()

  constructor(options: SyncsOptions) {
    this.#options = options
  }

  async run(signal: AbortSignal): Promise<void> {
    const { files, log } = this.#options
    let wake = (): void => undefined
    const watcher = watch(files.home, (_, name) => {
      if (name === null || join(files.home, name) === files.syncs) wake()
    })
    try {
      while (!signal.aborted) {
        await this.#follow().catch((error: unknown) => {
          log.write('list-unreadable', error instanceof Error ? error.message : '')
        })
        await new Promise<void>((resolve) => {
          wake = () => systemClock.after(LIST_SETTLE_MS, resolve)
          if (signal.aborted) resolve()
          else signal.addEventListener('abort', () => resolve(), { once: true })
        })
      }
    } finally {
      watcher.close()
      for (const { stop } of this.#running.values()) stop.abort()
      await Promise.all([...this.#running.values()].map(async ({ ended }) => await ended))
    }
  }

  /** Ends what is not on the list any more, or paused, and begins what is new. */
  async #follow(): Promise<void> {
    const { files, account } = this.#options
    const entries = (await readSyncs(files.syncs, account)).filter(({ isPaused }) => !isPaused)
    const wanted = new Map(entries.map((entry) => [entry.id, entry]))
    for (const [id, { stop, ended }] of this.#running) {
      if (wanted.has(id)) continue
      stop.abort()
      await ended
      this.#running.delete(id)
    }
    for (const [id, entry] of wanted) {
      if (this.#running.has(id)) continue
      const stop = new AbortController()
      this.#running.set(id, { entry, stop, ended: this.#sync(entry, stop.signal) })
    }
  }

  async #sync(entry: SyncEntry, signal: AbortSignal): Promise<void> {
    const { files, client, log } = this.#options
    const { id, directory, label } = entry
    let unwatch = (): void => undefined
    try {
      await makePrivateDirectory(syncDirectory(files, id))
      await using records = await LevelRecords.open(join(syncDirectory(files, id), 'records'))
      const system = { clock: systemClock, randomness: systemRandomness }
      const folder = await openFolder(client, entry)
      await runSync({
        context: {
          disk: new SystemSyncDisk(directory, id, system),
          folder,
          records,
          clock: systemClock,
          onEvent: (event) => tellEvent(log, directory, event),
        },
        watch: async (onChange) => {
          unwatch = watchOrders(files, id, onChange)
          return await watchDirectory(directory, onChange)
        },
        takeAllowance: async () => await takeAllowance(files, id),
        onStatus: async (status) => {
          if (status.state === 'failed' || status.state === 'held') {
            log.write(`sync-${status.state}`, `${directory}: ${status.message ?? ''}`)
          }
          await writeSyncStatus(files, id, recorded(status))
        },
        signal,
      })
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      log.write('sync-ended', `${directory} with ${label}: ${message}`)
      await writeSyncStatus(files, id, recorded({ state: 'failed', message }))
    } finally {
      unwatch()
    }
  }
}

async function openFolder(client: Client, { capability }: SyncEntry): Promise<SyncFolder> {
  if (capability.kind === 'folder-read') {
    const reader = await client.folders.open(capability)
    return { power: 'read', now: reader.now.bind(reader), watch: reader.watch.bind(reader) }
  }
  const writer = await client.folders.open(capability)
  return {
    power: 'write',
    now: writer.now.bind(writer),
    watch: writer.watch.bind(writer),
    edit: writer.edit.bind(writer),
    putFile: writer.putFile.bind(writer),
  }
}

/** As many as fit a screen; the scan finds the others when these are mended. */
const MAX_PROBLEMS_TOLD = 20

function recorded({
  state,
  message = '',
  lastSyncMs = 0,
  result,
  degraded = '',
}: SyncStatus): RecordedSyncStatus {
  const { pending = 0, conflicts = 0, unsent = 0, problems = [] } = result ?? {}
  const told = problems
    .slice(0, MAX_PROBLEMS_TOLD)
    .map(({ at, why }) => `${at} is left out: ${why}.`)
  return { state, message, lastSyncMs, pending, conflicts, unsent, problems: told, degraded }
}

function tellEvent(log: NodeLog, directory: string, event: SyncEvent): void {
  if (event.kind === 'failed')
    log.write('sync-failed', `${directory}/${event.path}: ${event.message}`)
  else log.write(event.kind, `${event.change} ${directory}/${event.path}`)
}
