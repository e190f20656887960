import { Type, type Static } from 'typebox'
import { readSyncs, type SyncEntry } from '../../../home/sync-file.ts'
import { readSyncStatus } from '../../../home/sync-status-file.ts'
import type { ApiContext } from '../context.ts'

/** A synced directory and how it fares. */
export const SyncStatus = Type.Object({
  id: Type.String(),
  directory: Type.String(),
  folder: Type.String({ description: 'What its user calls the folder; gives nothing away.' }),
  mayWrite: Type.Boolean(),
  state: Type.Enum(['never-synced', 'syncing', 'in-sync', 'waiting', 'held', 'failed', 'paused']),
  message: Type.String({ description: 'A sentence; empty where there is nothing to tell.' }),
  lastSync: Type.Union([Type.String({ description: 'ISO 8601' }), Type.Null()]),
  pending: Type.Integer(),
  conflicts: Type.Integer(),
  unsent: Type.Integer(),
  problems: Type.Array(Type.String()),
  degraded: Type.String({ description: 'Why changes on the disk are noticed late.' }),
})
export type SyncStatus = Static<typeof SyncStatus>

export async function syncStatuses({
  files,
  account,
}: Pick<ApiContext, 'files' | 'account'>): Promise<SyncStatus[]> {
  const entries = await readSyncs(files.syncs, account)
  return await Promise.all(entries.map(async (entry) => await statusOf({ files }, entry)))
}

export async function statusOf(
  { files }: Pick<ApiContext, 'files'>,
  { id, directory, label, capability, isPaused }: SyncEntry,
): Promise<SyncStatus> {
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
