import type { Intent } from '../../../src/gateway/sync/intents.ts'
import type {
  RecordChange,
  SyncRecords,
  SyncRow,
} from '../../../src/gateway/sync/records/records.ts'
import type { PathText, SyncedNode } from '../../../src/gateway/sync/trees.ts'
import type { Life } from './life.ts'

/** What a device remembers, through crashes. */
export class RecordStore {
  readonly rows = new Map<PathText, SyncRow>()
  readonly intents = new Map<PathText, Intent>()
}

/** A process's hold of it. */
export class SimulatedRecords implements SyncRecords {
  readonly rows: ReadonlyMap<PathText, SyncRow>
  readonly synced = new Map<PathText, SyncedNode>()
  readonly intents: ReadonlyMap<PathText, Intent>
  readonly #store: RecordStore
  readonly #life: Life

  constructor(store: RecordStore, life: Life) {
    this.#store = store
    this.#life = life
    this.rows = store.rows
    this.intents = store.intents
    for (const [path, { synced }] of store.rows) this.synced.set(path, synced)
  }

  async write(changes: readonly RecordChange[]): Promise<void> {
    if (changes.length === 0) return
    await this.#life.step(() => {
      for (const { path, row, intent } of changes) {
        if (row !== undefined) {
          set(this.#store.rows, path, row.is)
          set(this.synced, path, row.is?.synced)
        }
        if (intent !== undefined) set(this.#store.intents, path, intent.is)
      }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve()
  }
}

function set<T>(map: Map<PathText, T>, path: PathText, value: T | undefined): void {
  if (value === undefined) map.delete(path)
  else map.set(path, value)
}
