import { Type } from 'typebox'

const SyncWork = Type.Object({
  kind: Type.Enum(['reading', 'sending', 'fetching']),
  doneFiles: Type.Integer(),
  files: Type.Union([Type.Integer(), Type.Null()], { description: 'Null where it is not known.' }),
  doneBytes: Type.Integer(),
  bytes: Type.Union([Type.Integer(), Type.Null()]),
  elapsedMs: Type.Integer(),
})

/** See {@link ../../daemon/sync-report.ts}. */
export const SyncStatus = Type.Object({
  id: Type.String(),
  directory: Type.String(),
  folder: Type.String({ description: 'What its user calls the folder; gives nothing away.' }),
  mayWrite: Type.Boolean(),
  state: Type.Enum(['never-synced', 'syncing', 'in-sync', 'waiting', 'held', 'failed', 'paused']),
  message: Type.String({ description: 'A sentence; empty where there is nothing to tell.' }),
  lastSync: Type.Union([Type.String({ description: 'ISO 8601' }), Type.Null()]),
  work: Type.Union([SyncWork, Type.Null()], {
    description:
      'What is being read, sent or fetched just now; null where that is nothing that takes long.',
  }),
  pending: Type.Integer(),
  conflicts: Type.Integer(),
  conflictPaths: Type.Array(Type.String(), { description: 'The first thousand.' }),
  unsentPaths: Type.Array(Type.String(), { description: 'The first thousand.' }),
  only: Type.Array(Type.String(), { description: 'Paths that are synced; all if there are none.' }),
  except: Type.Array(Type.String(), { description: 'Paths that are not synced.' }),
  mayVanish: Type.Union([Type.Integer(), Type.Null()], {
    description: 'Households that may vanish; null where nobody has looked yet.',
  }),
  households: Type.Union([Type.Integer(), Type.Null()]),
  unsent: Type.Integer(),
  problems: Type.Array(Type.String()),
  degraded: Type.String({ description: 'Why changes on the disk are noticed late.' }),
})
