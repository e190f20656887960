import { assert } from '../../foundation/error.ts'
import {
  joinVectors,
  MAX_CLOCK_TAGS,
  MAX_COUNTER,
  type Dot,
  type TagHex,
} from '../../protocol/version-vector.ts'
import { checkDevice } from '../devices.ts'
import { singleDot } from '../dots.ts'
import { PathTooDeepError, TooManyVersionsError } from '../errors.ts'
import { MAX_PATH_NAMES } from '../names.ts'
import type { FolderState } from '../state.ts'
import { workingStore, type TreeStore } from '../tree/store.ts'
import { draftOfRoot } from './draft.ts'
import type { Edit } from './edits.ts'
import { applyEdit } from './apply.ts'
import { VersionMaker } from './version-maker.ts'

export interface CommitOptions {
  /** This device's tag for the folder's slot. */
  readonly tag: TagHex
  /** What people see in the names of conflict copies: see {@link checkDevice}. */
  readonly device: string
}

/**
 * Applies edits to a state, all or none. The new state has one dot more: the tag's next. Every entry that the commit
 * puts has this one dot, for whoever sees one of them sees them all.
 *
 * With no edits the base is returned as it is. The tree is written but not flushed: see that the store has all of it
 * on the grid before the state is published.
 *
 * @throws PathNotFoundError, NotADirectoryError, IsADirectoryError, IntoItselfError, PathTooDeepError,
 *   EntryTooLargeError, InvalidNameError, TooManyVersionsError, BrokenFolderError
 */
export async function commitEdits(
  store: TreeStore,
  base: FolderState,
  edits: readonly Edit[],
  { tag, device }: CommitOptions,
): Promise<FolderState> {
  if (edits.length === 0) return base
  const dot = nextDot(base, tag)
  const maker = new VersionMaker(dot, checkDevice(device))
  const root = draftOfRoot(workingStore(store), base, dot)
  for (const edit of edits) await applyEdit(root, edit, maker)
  const { reference, totals } = await root.store()
  if (totals.height > MAX_PATH_NAMES) {
    throw new PathTooDeepError(`A folder has at most ${MAX_PATH_NAMES} directories in each other.`)
  }
  return { clock: joinVectors(base.clock, singleDot(dot)), root: reference }
}

function nextDot({ clock }: FolderState, tag: TagHex): Dot {
  const counter = (clock.get(tag) ?? 0) + 1
  assert(counter <= MAX_COUNTER, 'a writer at the top takes a new tag')
  if (counter === 1 && clock.size >= MAX_CLOCK_TAGS) {
    throw new TooManyVersionsError(
      `${MAX_CLOCK_TAGS} devices have written to this folder, which is the most. Copy it into a new one.`,
    )
  }
  return { tag, counter }
}
