import type { BlockReference } from '../../grid/files/index-node.ts'
import type { SlotKey } from '../../protocol/slot-key.ts'
import type { Dot, VersionVector } from '../../protocol/version-vector.ts'
import type { Directory } from '../entry.ts'
import type { Path } from '../names.ts'

/**
 * One change to a folder. Paths name what is shown (see {@link ../projection.ts}), the copies of a conflict included.
 * The edits of one commit apply in their order and take effect together.
 *
 * What an edit does to a name with several contents: it takes the one that is shown there, and with this the conflict
 * is settled: every copy becomes an ordinary file under the name that it was shown by. An edit of a copy takes only
 * that copy out of its name. So no content goes that its writer did not name.
 */
export type Edit = PutEdit | MakeDirectoryEdit | RemoveEdit | MoveEdit | SetEdit

/** Missing directories on the way are made. */
export interface PutEdit {
  readonly kind: 'put'
  readonly path: Path
  readonly content: NewContent
  /**
   * Replaces exactly these dots of the name and leaves its other versions as they are, in place of settling them: for
   * a writer who based the change on what these dots gave and may not have looked at the rest.
   */
  readonly replaces?: readonly Dot[] | undefined
}

/** With missing directories on the way; nothing happens where there is one already. */
export interface MakeDirectoryEdit {
  readonly kind: 'make-directory'
  readonly path: Path
}

/** Takes a directory away with all that is in it. */
export interface RemoveEdit {
  readonly kind: 'remove'
  readonly path: Path
  readonly replaces?: readonly Dot[] | undefined
}

/** Moves or copies references, never contents. A file in the way is replaced, a directory is not. */
export interface MoveEdit {
  readonly kind: 'move' | 'copy'
  readonly from: Path
  readonly to: Path
}

/** Changes what is told of a file, not its content. */
export interface SetEdit {
  readonly kind: 'set'
  readonly path: Path
  readonly mtimeMs?: number | undefined
  readonly isExecutable?: boolean | undefined
}

/** What an entry is to hold; everything else follows from the commit. */
export type NewContent = NewVersion | NewDirectory

/** A file, symbolic link, or link to something that changes. */
export type NewVersion =
  | {
      readonly kind: 'file'
      readonly reference: BlockReference
      readonly sizeBytes: number
      readonly mtimeMs: number
      readonly isExecutable?: boolean | undefined
      readonly extension?: Uint8Array | undefined
    }
  | {
      readonly kind: 'literal'
      readonly bytes: Uint8Array
      readonly mtimeMs: number
      readonly isExecutable?: boolean | undefined
      readonly extension?: Uint8Array | undefined
    }
  | {
      readonly kind: 'symlink'
      readonly target: string
      readonly mtimeMs: number
      readonly extension?: Uint8Array | undefined
    }
  | {
      readonly kind: 'linked-folder' | 'linked-file'
      readonly slot: SlotKey
      readonly readKey: Uint8Array
      readonly verifyKey: Uint8Array
      readonly sealedWriteKey?: Uint8Array | undefined
      readonly lastSeen?: VersionVector | undefined
      readonly mtimeMs: number
      readonly extension?: Uint8Array | undefined
    }

/** A whole directory by reference, as of an earlier state: what restores it. */
export interface NewDirectory {
  readonly kind: 'directory'
  readonly directory: Directory
}
