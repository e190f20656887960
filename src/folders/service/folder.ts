import type { HashedSource } from '../../grid/files/hashed-source.ts'
import type {
  FolderReadCapability,
  FolderWriteCapability,
  MutableReadCapability,
  MutableWriteCapability,
  SnapshotReadCapability,
} from '../../capabilities/capability.ts'
import type { OperationOptions } from '../../grid/context.ts'
import type { Edit, NewVersion } from '../commit/edits.ts'
import type { Path } from '../names.ts'
import type { Shown } from '../read.ts'
import type { SetBackState } from '../../grid/slots/set-back.ts'
import type { FolderNow, FolderView } from './view.ts'

/** A folder for who may read it. Paths cross linked folders, with the powers that the holder has. */
export interface FolderReader {
  readonly capability: FolderReadCapability
  /** @throws SlotUnavailableError, FolderMissingError, BrokenFolderError */
  now(options?: ReadOptions): Promise<FolderNow>
  /**
   * Commits, the last first, as far back as they were kept, those that make up the present state included. Where
   * commits of an hour, day or month were thinned to its last, only that one is left. The time of a commit is by the
   * calendar of its writer's device.
   */
  history(options?: ReadOptions): AsyncIterable<Commit>
  /**
   * What the last commit of a time or before left, of those that were kept: see {@link history}. Of commits that did
   * not know of each other it is the newest one's state alone.
   * @param timeMs ms since 1970
   * @throws NoStateThenError
   */
  at(timeMs: number, options?: ReadOptions): Promise<FolderView>
  /** What a path was, the last first: each commit that changed what is shown there. */
  historyOf(path: Path, options?: ReadOptions): AsyncIterable<PathVersion>
  /** What the folder is now, and again whenever it is something else, until `signal` fires. */
  watch(signal: AbortSignal): AsyncIterable<FolderNow>
  /**
   * The folder that a path leads to over links, one at its end included, and the path within it; whether there is
   * something at that path or not.
   * @throws LinkCycleError, NotADirectoryError
   */
  locate(path: Path, options?: ReadOptions): Promise<LocatedPath>
  /** A directory, or all of the folder, as it is now and for ever. @throws PathNotFoundError, NotADirectoryError */
  snapshot(path: Path, options?: ReadOptions): Promise<SnapshotReadCapability>
}

/** A folder for who may change it. Paths of edits do not cross links: {@link FolderReader.locate} them first. */
export interface FolderWriter extends FolderReader {
  readonly writeCapability: FolderWriteCapability
  /**
   * Commits edits, all or none. Where others wrote meanwhile, their states are merged and the edits made again.
   * @param edits or what makes them of the folder as it is; it may be asked several times, must depend on its argument
   *   alone, and must not write to this folder
   * @throws FolderChangedError, TooFewNodesError, SlotNotStoredError, SlotContendedError, and what
   *   {@link ../commit/commit.ts | commitEdits} throws
   */
  edit(edits: readonly Edit[] | EditMaker, options?: EditOptions): Promise<CommitResult>
  /**
   * Stores a file's content so that an {@link edit} can put it; many files can share a commit. What is small is only
   * sure to be stored once that commit is; if it cannot be stored, commits that put it fail until it is stored again, and
   * no others.
   * @throws TooFewNodesError, what `source` throws; SourceChangedError
   */
  putFile(
    source: AsyncIterable<Uint8Array> | HashedSource,
    options: PutFileOptions,
  ): Promise<NewVersion>
  /**
   * Makes a directory a folder of its own and links it in its place, so that it can be shared. Contents and, but for its
   * topmost nodes, its tree stay where they are.
   * @throws PathNotFoundError, NotADirectoryError, what {@link edit} throws
   */
  promote(path: Path, options?: EditOptions): Promise<FolderWriteCapability>
  /** Links a folder or mutable file. The power to write it is sealed for those who may write this folder. */
  link(path: Path, target: LinkTarget, options?: EditOptions): Promise<CommitResult>
  /**
   * Makes a path, or with an empty one the whole folder, what it was at a time, whether it is still there or not. No
   * content moves. A path that was nothing then is an error.
   * @throws NoStateThenError, PathNotFoundError, what {@link edit} throws
   */
  restore(path: Path, timeMs: number, options?: EditOptions): Promise<CommitResult>
  /** Brings back what was at a path before it was removed. @throws PathNotFoundError */
  undelete(path: Path, options?: EditOptions): Promise<CommitResult>
  /**
   * Where storage nodes have gone back to an older state and what makes up the newer one is gone: makes the older one the
   * present one. Of the newer one the history keeps that it was; it can be read there should its blocks come back.
   * @param options.force also where the newer state's topmost block can be read, and only some below it cannot
   * @throws NothingSetBackError, TooFewNodesError, SlotNotStoredError, SlotContendedError
   */
  acceptOlder(
    options?: ReadOptions & { readonly force?: boolean | undefined },
  ): Promise<AcceptedState>
}

/** What {@link FolderWriter.acceptOlder} did. */
export interface AcceptedState {
  readonly durability: 'durable' | 'degraded'
  /** What the folder is now; undefined for one without entries. */
  readonly kept: SetBackState | undefined
  /** What could not be read any more. */
  readonly gone: SetBackState | undefined
}

/** A way to stop reading. */
export interface ReadOptions {
  readonly signal?: AbortSignal | undefined
}

/** Makes edits of the folder as it is. */
export type EditMaker = (view: FolderView) => readonly Edit[] | Promise<readonly Edit[]>

/** When edits are to be committed. */
export interface EditOptions {
  /** Commit only if these paths show what they showed: see {@link versionOf}. */
  readonly ifUnchanged?: readonly Expectation[] | undefined
  readonly signal?: AbortSignal | undefined
}

/** What a writer has seen at a path. */
export interface Expectation {
  readonly path: Path
  /** By {@link versionOf}; undefined where nothing is to be. */
  readonly version: string | undefined
}

/** What a folder tells of a file beside its content. */
export interface PutFileOptions extends OperationOptions {
  /** ms since 1970 */
  readonly mtimeMs: number
  readonly isExecutable?: boolean | undefined
}

/** What a folder can link: folders and files that change. */
export type LinkTarget =
  FolderWriteCapability | FolderReadCapability | MutableWriteCapability | MutableReadCapability

/** What became of edits. */
export interface CommitResult {
  /** Unchanged: the edits changed nothing, so nothing was written. */
  readonly durability: 'durable' | 'degraded' | 'unchanged'
  /** Bytes of shares that had to be sent, those of small files put before included. */
  readonly sentBytes: number
  /** States that were written at once and that this commit joined; 1 if there was no more than one. */
  readonly joined: number
  /** Where states were joined: paths that are conflict copies now, up to {@link MAX_CONFLICTS_TOLD}. */
  readonly conflicts: readonly Path[]
}

export const MAX_CONFLICTS_TOLD = 1000

/** One change of a folder. */
export interface Commit {
  /** ms since 1970 */
  readonly timeMs: number
  /** What its user calls the device that made it; may be empty. */
  readonly device: string
  /** The folder as it was after it. */
  view(): FolderView
}

/** What a path was from one commit on. */
export interface PathVersion {
  readonly timeMs: number
  readonly device: string
  /** Undefined: it was not there. */
  readonly shown: Shown | undefined
}

/** A folder with the power that one has over it, and a path within it. */
export type LocatedPath =
  | { readonly power: 'write'; readonly folder: FolderWriter; readonly path: Path }
  | { readonly power: 'read'; readonly folder: FolderReader; readonly path: Path }
