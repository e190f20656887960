import type { BlockStore } from '../../grid/blocks/store.ts'
import { walkHistory } from '../../grid/slots/history.ts'
import { commitOf, type FolderCommit } from './heads.ts'

/** Commits from the given ones back, the last first, as far as they were kept. */
export async function* commitsFrom(
  store: Pick<BlockStore, 'get'>,
  heads: readonly FolderCommit[],
  signal?: AbortSignal,
): AsyncGenerator<FolderCommit> {
  const newest = heads.toSorted((a, b) => b.timeMs - a.timeMs)
  const parents = heads.flatMap((head) => head.parents)
  for await (const { contents } of walkHistory(store, parents, signal)) {
    signal?.throwIfAborted()
    const past = commitOf(contents)
    if (past === undefined) continue
    for (;;) {
      const [head] = newest
      if (head === undefined || head.timeMs < past.timeMs) break
      newest.shift()
      yield head
    }
    yield past
  }
  yield* newest
}
