import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { makePrivateDirectory } from './files.ts'
import { readJsonFile, writeJsonFile } from './json-file.ts'
import type { HomeFiles } from './layout.ts'
import { isAlive, processBirth } from './processes.ts'

/** How a synced directory fares, as the daemon wrote it last. */
export interface RecordedSyncStatus {
  readonly state: 'syncing' | 'in-sync' | 'waiting' | 'held' | 'failed'
  /** A sentence; empty where there is nothing to tell. */
  readonly message: string
  /** ms since 1970; 0 before the first whole pass. */
  readonly lastSyncMs: number
  readonly pending: number
  readonly conflicts: number
  /** Changes that may not go to a folder that one may only read. */
  readonly unsent: number
  /** Sentences on what cannot be synced as it is; the first ones. */
  readonly problems: readonly string[]
  /** Why changes on the disk are noticed late; empty where they are not. */
  readonly degraded: string
}

const FORMAT = { format: 'hayloft-sync-status', version: 1 }
const DAEMON_FORMAT = { format: 'hayloft-daemon', version: 1 }

/** Where what is remembered of one synced directory lies. */
export function syncDirectory({ syncState }: HomeFiles, id: string): string {
  return join(syncState, id)
}

/** @returns undefined before it was synced the first time */
export async function readSyncStatus(
  files: HomeFiles,
  id: string,
): Promise<RecordedSyncStatus | undefined> {
  const fields = await readJsonFile(statusPath(files, id), FORMAT)
  if (fields === undefined) return undefined
  return {
    state: fields.oneOf('state', ['syncing', 'in-sync', 'waiting', 'held', 'failed']),
    message: fields.text('message'),
    lastSyncMs: fields.whole('lastSyncMs'),
    pending: fields.whole('pending'),
    conflicts: fields.whole('conflicts'),
    unsent: fields.whole('unsent'),
    problems: fields.texts('problems'),
    degraded: fields.text('degraded'),
  }
}

export async function writeSyncStatus(
  files: HomeFiles,
  id: string,
  status: RecordedSyncStatus,
): Promise<void> {
  await makePrivateDirectory(syncDirectory(files, id))
  await writeJsonFile(statusPath(files, id), FORMAT, status)
}

/** The process that syncs, if it runs. */
export async function readDaemon({ daemon }: HomeFiles): Promise<{ pid: number } | undefined> {
  const fields = await readJsonFile(daemon, DAEMON_FORMAT)
  if (fields === undefined) return undefined
  const recorded = { pid: fields.whole('pid'), birth: fields.text('birth') }
  return (await isAlive(recorded)) ? recorded : undefined
}

/** Records this process as the one that syncs. */
export async function writeDaemon({ daemon }: HomeFiles): Promise<void> {
  const { pid } = process
  await writeJsonFile(daemon, DAEMON_FORMAT, { pid, birth: (await processBirth(pid)) ?? '' })
}

export async function removeDaemon({ daemon }: HomeFiles): Promise<void> {
  await rm(daemon, { force: true })
}

function statusPath(files: HomeFiles, id: string): string {
  return join(syncDirectory(files, id), 'status.json')
}
