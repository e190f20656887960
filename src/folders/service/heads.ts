import type { BlockReference } from '../../grid/files/index-node.ts'
import type { SlotState } from '../../grid/slots/client.ts'
import type { SlotContents } from '../../grid/slots/contents.ts'
import { BrokenFolderError } from '../errors.ts'
import type { FolderState } from '../state.ts'
import { FolderMissingError } from './errors.ts'
import { EMPTY_ROOT } from './nodes.ts'

/** A commit as it stands in a slot or its history. */
export interface FolderCommit {
  readonly root: BlockReference
  readonly parents: readonly BlockReference[]
  /** ms since 1970 */
  readonly timeMs: number
  readonly device: string
}

/** A commit that no other one contains. */
export interface FolderHead extends FolderCommit {
  readonly state: FolderState
}

/**
 * The commits that make up the present state of a folder. What the slot says besides makes no sense there, and is left
 * out as long as there is a folder at all.
 * @throws FolderMissingError, BrokenFolderError
 */
export function folderHeads({
  heads,
  unreadable,
}: Pick<SlotState, 'heads' | 'unreadable'>): FolderHead[] {
  const found = heads.flatMap(({ record, contents }): FolderHead[] => {
    const commit = commitOf(contents)
    return commit === undefined
      ? []
      : [{ ...commit, state: { clock: record.clock, root: commit.root } }]
  })
  if (found.length > 0) return found
  if (unreadable > 0) throw new BrokenFolderError('what its slot says cannot be read')
  throw new FolderMissingError()
}

/** Whether a record is one of a folder. */
export function isFolderRecord({ contents }: SlotState['heads'][number]): boolean {
  return contents.kind === 'folder'
}

/** Undefined if it is the state of something else. */
export function commitOf({
  kind,
  root = EMPTY_ROOT,
  parents,
  modifiedMs = 0,
  device = '',
}: SlotContents): FolderCommit | undefined {
  if (kind !== 'folder') return undefined
  return { root, parents, timeMs: modifiedMs, device }
}
