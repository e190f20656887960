import type { SyncRecords } from '../records/records.ts'
import type { ContentKey, PathText } from '../trees.ts'

/** Finds what was agreed to have one content. Made at the first question, so that many of them cost one look at all rows. */
export class SameContent {
  readonly #rows: SyncRecords['rows']
  #paths: Map<ContentKey, PathText[]> | undefined

  constructor(rows: SyncRecords['rows']) {
    this.#rows = rows
  }

  /** Paths that had it when this was asked first. */
  of(key: ContentKey): readonly PathText[] {
    this.#paths ??= this.#look()
    return this.#paths.get(key) ?? []
  }

  #look(): Map<ContentKey, PathText[]> {
    const paths = new Map<ContentKey, PathText[]>()
    for (const [path, { synced }] of this.#rows) {
      if (synced.kind !== 'file') continue
      const same = paths.get(synced.key)
      if (same === undefined) paths.set(synced.key, [path])
      else same.push(path)
    }
    return paths
  }
}
