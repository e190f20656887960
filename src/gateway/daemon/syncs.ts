import { watch } from 'node:fs'
import { join } from 'node:path'
import type { AccountSecret } from '../../capabilities/account.ts'
import { messageOf } from '../../foundation/error.ts'
import { systemClock, systemRandomness } from '../../foundation/system.ts'
import { makePrivateDirectory } from '../../home/files.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { readSyncs, type SyncEntry } from '../../home/sync-file.ts'
import {
  syncDirectory,
  writeSyncStatus,
  type RecordedSyncStatus,
} from '../../home/sync-status-file.ts'
import type { Client } from '../../library/client.ts'
import { SystemSyncDisk } from '../sync/disk/system-sync-disk.ts'
import type { SyncEvent, SyncFolder } from '../sync/engine/context.ts'
import { takeAllowance, takeReverts } from '../sync/orders.ts'
import { LevelRecords } from '../sync/records/level-records.ts'
import { runSync, type SyncStatus } from '../sync/runner.ts'
import type { PathText } from '../sync/trees.ts'
import { watchDirectory } from '../sync/watch/directory-watcher.ts'
import { WorkMeter, type SyncWork } from '../sync/work.ts'
import type { EventHub } from './events.ts'
import type { DaemonLog } from './log.ts'

export interface SyncsOptions {
  readonly files: HomeFiles
  readonly client: Pick<Client, 'folders'>
  readonly account: AccountSecret
  readonly log: DaemonLog
  readonly events: EventHub
}

interface RunningSync {
  /** What it was begun with. */
  readonly entry: SyncEntry
  readonly stop: AbortController
  readonly ended: Promise<void>
}

/** So that one of several changes of a file at once is met. */
const LIST_SETTLE_MS = 200

/** All syncs of a home at work, as its list says. */
export class Syncs implements AsyncDisposable {
  readonly #options: SyncsOptions
  readonly #running = new Map<string, RunningSync>()
  /** What has a sync look at both sides now. */
  readonly #lookers = new Map<string, () => void>()
  readonly #work = new Map<string, WorkMeter>()
  readonly #stopWatching: () => void
  #isEnded = false
  #following: Promise<void> = Promise.resolve()

  private constructor(options: SyncsOptions) {
    this.#options = options
    this.#stopWatching = this.#watchList()
  }

  static open(options: SyncsOptions): Syncs {
    const syncs = new Syncs(options)
    void syncs.follow()
    return syncs
  }

  /** Resolves when what is not on the list any more, or paused, has ended, and what is new has begun. */
  async follow(): Promise<void> {
    this.#following = this.#followAfter(this.#following)
    await this.#following
  }

  async #followAfter(before: Promise<void>): Promise<void> {
    await before
    await this.#followOnce().catch((error: unknown) => {
      this.#options.log.write('list-unreadable', messageOf(error))
    })
  }

  /** Has a sync look at both sides, whether it has noticed a change or not. */
  look(id: string): void {
    this.#lookers.get(id)?.()
  }

  /** How far a sync has come with what it does; undefined where that is over soon. */
  workOf(id: string): SyncWork | undefined {
    return this.#work.get(id)?.now
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true
    this.#stopWatching()
    await this.#following
    for (const { stop } of this.#running.values()) stop.abort()
    await Promise.all([...this.#running.values()].map(async ({ ended }) => await ended))
  }

  /** Commands that work without the daemon change the list, too. */
  #watchList(): () => void {
    const { home, syncs } = this.#options.files
    let cancel = (): void => undefined
    const watcher = watch(home, (_, name) => {
      if (name !== null && join(home, name) !== syncs) return
      cancel()
      cancel = systemClock.after(LIST_SETTLE_MS, () => void this.follow())
    })
    return () => {
      cancel()
      watcher.close()
    }
  }

  async #followOnce(): Promise<void> {
    const { files, account } = this.#options
    const entries = (await readSyncs(files.syncs, account)).filter(({ isPaused }) => !isPaused)
    const wanted = new Map(entries.map((entry) => [entry.id, entry]))
    for (const [id, { stop, ended, entry }] of this.#running) {
      const now = wanted.get(id)
      if (now !== undefined && isSameChoice(now, entry)) continue
      stop.abort()
      await ended
    }
    for (const [id, entry] of wanted) {
      if (this.#running.has(id) || this.#isEnded) continue
      const stop = new AbortController()
      // One that failed for good begins anew when the list is looked at again.
      const ended = this.#sync(entry, stop.signal).finally(() => this.#running.delete(id))
      this.#running.set(id, { entry, stop, ended })
    }
  }

  async #sync(entry: SyncEntry, signal: AbortSignal): Promise<void> {
    const { files, client, log } = this.#options
    const { id, directory, label } = entry
    const work = new WorkMeter(systemClock, (done) => this.#tellWork(id, done))
    this.#work.set(id, work)
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
          chosen: { only: entry.only as PathText[], except: entry.except as PathText[] },
          onEvent: (event) => this.#tellEvent(entry, event),
          work,
        },
        watch: async (onChange) => {
          this.#lookers.set(id, onChange)
          return await watchDirectory(directory, onChange)
        },
        takeAllowance: async () => await takeAllowance(files, id),
        takeReverts: async () => await takeReverts(files, id),
        onStatus: async (status) => {
          if (status.state === 'failed' || status.state === 'held') {
            log.write(`sync-${status.state}`, `${directory}: ${status.message ?? ''}`)
          }
          await this.#record(entry, recorded(status))
        },
        signal,
      })
    } catch (error) {
      const message = messageOf(error)
      log.write('sync-ended', `${directory} with ${label}: ${message}`)
      await this.#record(entry, recorded({ state: 'failed', message }))
    } finally {
      this.#lookers.delete(id)
      this.#work.delete(id)
    }
  }

  async #record({ id, directory }: SyncEntry, status: RecordedSyncStatus): Promise<void> {
    const { files, events } = this.#options
    await writeSyncStatus(files, id, status)
    events.publish({ type: 'sync-status', data: { id, directory, state: status.state } })
  }

  #tellWork(id: string, work: SyncWork): void {
    this.#options.events.publish({ type: 'sync-progress', data: { id, ...work } })
  }

  #tellEvent({ id, directory }: SyncEntry, event: SyncEvent): void {
    const { log, events } = this.#options
    const { kind, path } = event
    const what = event.kind === 'failed' ? event.message : event.change
    if (kind === 'failed') log.write('sync-failed', `${directory}/${path}: ${what}`)
    else log.write(kind, `${what} ${directory}/${path}`)
    events.publish({ type: 'sync-change', data: { id, kind, path, what } })
  }
}

async function openFolder(
  client: Pick<Client, 'folders'>,
  { capability }: SyncEntry,
): Promise<SyncFolder> {
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

function isSameChoice(a: SyncEntry, b: SyncEntry): boolean {
  return JSON.stringify([a.only, a.except]) === JSON.stringify([b.only, b.except])
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
  const { pending = 0, conflicts = 0, unsent = 0, problems = [], escaped = [] } = result ?? {}
  const told = [
    ...[...(result?.failures ?? [])].map(([path, why]) => `${path} waits: ${why}`),
    ...problems.map(({ at, why }) => `${at} is left out: ${why}.`),
    ...escaped.map((at) => `${at} has another name in the folder, which this disk cannot hold.`),
  ]
  return {
    state,
    message,
    lastSyncMs,
    pending,
    conflicts,
    conflictPaths: result?.conflictPaths ?? [],
    unsent,
    unsentPaths: result?.unsentPaths ?? [],
    problems: told.slice(0, MAX_PROBLEMS_TOLD),
    degraded,
  }
}
