import { readSyncs, type SyncEntry } from '../../home/sync-file.ts'
import { readSyncStatus, type RecordedSyncStatus } from '../../home/sync-status-file.ts'
import type { SyncWork } from '../sync/work.ts'
import { durabilityOf } from './sync-durability.ts'
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
  /** What is being read, sent or fetched just now; null where that is nothing that takes long, or no daemon runs. */
  readonly work: SyncWork | null
  readonly pending: number
  readonly conflicts: number
  readonly conflictPaths: string[]
  readonly unsent: number
  readonly unsentPaths: string[]
  /** Paths of the folder that are synced, all if there are none, and such that are not. */
  readonly only: string[]
  readonly except: string[]
  /** Households that may vanish before something is lost, and how many there are; null where nobody has looked yet. */
  readonly mayVanish: number | null
  readonly households: number | null
  readonly problems: string[]
  /** Why changes on the disk are noticed late; empty where they are not. */
  readonly degraded: string
}

export interface ReportedHome extends SyncListHome {
  /** Where a daemon runs them. */
  readonly syncs?: { workOf(id: string): SyncWork | undefined } | undefined
}

export async function syncReports(home: ReportedHome): Promise<SyncReport[]> {
  const entries = await readSyncs(home.files.syncs, home.account)
  return await Promise.all(entries.map(async (entry) => await reportOf(home, entry)))
}

export async function reportOf(
  { files, account, syncs }: ReportedHome,
  entry: SyncEntry,
): Promise<SyncReport> {
  const { id, directory, label, capability, isPaused, only, except } = entry
  const durability = await durabilityOf(entry, { files, account })
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
    work: syncs?.workOf(id) ?? null,
    pending: status?.pending ?? 0,
    conflicts: status?.conflicts ?? 0,
    conflictPaths: [...(status?.conflictPaths ?? [])],
    unsent: status?.unsent ?? 0,
    unsentPaths: [...(status?.unsentPaths ?? [])],
    only: [...only],
    except: [...except],
    mayVanish: durability?.mayVanish ?? null,
    households: durability?.households ?? null,
    problems: [...(status?.problems ?? [])],
    degraded: status?.degraded ?? '',
  }
}
