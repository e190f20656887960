import type { HomeFiles } from '../../home/layout.ts'
import { readSyncs, type SyncEntry } from '../../home/sync-file.ts'
import { readSyncStatus, type RecordedSyncStatus } from '../../home/sync-status-file.ts'
import type { SyncListHome } from './sync-list.ts'

/** A synced directory and how it fares, for programs. */
export interface SyncReport {
  readonly id: string
  readonly directory: string
  /** What its user calls the folder; gives nothing away. */
  readonly folder: string
  readonly mayWrite: boolean
  readonly state: RecordedSyncStatus['state'] | 'never-synced' | 'paused'
  /** A sentence; empty where there is nothing to tell. */
  readonly message: string
  /** ISO 8601 */
  readonly lastSync: string | null
  readonly pending: number
  readonly conflicts: number
  readonly unsent: number
  readonly problems: string[]
  /** Why changes on the disk are noticed late; empty where they are not. */
  readonly degraded: string
}

export async function syncReports({ files, account }: SyncListHome): Promise<SyncReport[]> {
  const entries = await readSyncs(files.syncs, account)
  return await Promise.all(entries.map(async (entry) => await reportOf(files, entry)))
}

export async function reportOf(
  files: HomeFiles,
  { id, directory, label, capability, isPaused }: SyncEntry,
): Promise<SyncReport> {
  const status = await readSyncStatus(files, id)
  const { lastSyncMs = 0 } = status ?? {}
  return {
    id,
    directory,
    folder: label,
    mayWrite: capability.kind === 'folder-write',
    state: isPaused ? 'paused' : (status?.state ?? 'never-synced'),
    message: status?.message ?? '',
    lastSync: lastSyncMs === 0 ? null : new Date(lastSyncMs).toISOString(),
    pending: status?.pending ?? 0,
    conflicts: status?.conflicts ?? 0,
    unsent: status?.unsent ?? 0,
    problems: [...(status?.problems ?? [])],
    degraded: status?.degraded ?? '',
  }
}
