import { join } from 'node:path'
import { makePrivateDirectory } from './files.ts'
import { readJsonFile, writeJsonFile } from './json-file.ts'
import type { HomeFiles } from './layout.ts'

/** How a synced directory fares, as the daemon wrote it last. */
export interface RecordedSyncStatus {
  readonly state: 'syncing' | 'in-sync' | 'waiting' | 'held' | 'failed'
  /** A sentence; empty where there is nothing to tell. */
  readonly message: string
  /** ms since 1970; 0 before the first whole pass. */
  readonly lastSyncMs: number
  readonly pending: number
  readonly conflicts: number
  /** Where they are in the directory; the first thousand. */
  readonly conflictPaths: readonly string[]
  /** Changes that may not go to a folder that one may only read. */
  readonly unsent: number
  /** Where they are in the directory; the first thousand. */
  readonly unsentPaths: readonly string[]
  /** Sentences on what cannot be synced as it is; the first ones. */
  readonly problems: readonly string[]
  /** Why changes on the disk are noticed late; empty where they are not. */
  readonly degraded: string
}

const FORMAT = { format: 'hayloft-sync-status', version: 2 }

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
    conflictPaths: fields.texts('conflictPaths'),
    unsent: fields.whole('unsent'),
    unsentPaths: fields.texts('unsentPaths'),
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

function statusPath(files: HomeFiles, id: string): string {
  return join(syncDirectory(files, id), 'status.json')
}
