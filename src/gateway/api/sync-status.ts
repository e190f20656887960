import { Type } from 'typebox'

/** See {@link ../../daemon/sync-report.ts}. */
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
