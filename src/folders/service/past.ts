import { HayloftError } from '../../foundation/error.ts'
import type { BlockStore } from '../../grid/blocks/store.ts'
import { NotEnoughSharesError } from '../../grid/errors.ts'
import { walkHistory } from '../../grid/slots/history.ts'
import { commitOf, type FolderCommit } from './heads.ts'
import { isEmptyRoot, nodesOf } from './nodes.ts'
import { RetentionRule } from './retention.ts'

/** Which part of the past is asked for. */
export interface PastOptions {
  /** ms since 1970 */
  readonly nowMs: number
  /** Commits later than this are left out; none by default. */
  readonly untilMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Commits from the given ones back, the last first, as far as they were kept. Those that retention gives up are left
 * out once their trees are gone; one that it keeps is there even if nodes fail to show it, lest an older one be taken
 * for it.
 */
export async function* keptCommitsFrom(
  store: Pick<BlockStore, 'get' | 'put'>,
  heads: readonly FolderCommit[],
  { nowMs, untilMs = Infinity, signal }: PastOptions,
): AsyncGenerator<FolderCommit> {
  const rule = new RetentionRule(nowMs)
  for await (const commit of commitsFrom(store, heads, signal)) {
    const isKept = rule.keeps(commit.timeMs)
    if (commit.timeMs > untilMs) continue
    if (isKept || (await isThere(store, commit))) yield commit
  }
}

async function* commitsFrom(
  store: Pick<BlockStore, 'get'>,
  heads: readonly FolderCommit[],
  signal?: AbortSignal,
): AsyncGenerator<FolderCommit> {
  const newest = heads.toSorted((a, b) => b.timeMs - a.timeMs)
  for await (const { contents } of walkHistory(store, heads, signal)) {
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

/**
 * What lapses, lapses with its topmost node: that one is made anew by every commit. A folder without entries has none
 * that could lapse; to show it would be to answer for states between that are gone.
 */
async function isThere(
  store: Pick<BlockStore, 'get' | 'put'>,
  { root }: FolderCommit,
): Promise<boolean> {
  if (isEmptyRoot(root)) return false
  try {
    await nodesOf(store).get(root)
    return true
  } catch (error) {
    if (!(error instanceof HayloftError)) throw error
    // What nodes that are away may keep is there; reading it tells that it cannot be had now.
    return !(error instanceof NotEnoughSharesError) || error.mayComeBack
  }
}
