import type { Capability } from '../../capabilities/capability.ts'
import type { HayloftError } from '../../foundation/error.ts'
import type { Download, GetOptions } from '../../grid/download.ts'
import type { Rollback } from '../../grid/slots/client.ts'
import type { Freshness } from '../../grid/slots/poll.ts'
import type { Totals } from '../entry.ts'
import type { Path } from '../names.ts'
import type { Shown } from '../read.ts'

/** A folder at one moment: now, at an older time, or frozen. Paths cross linked folders, as they are at that time. */
export interface FolderView {
  /**
   * What is shown at a path, a link as what it is; undefined if nothing is. The empty path gives the folder itself, as a
   * directory without a name.
   * @throws NotADirectoryError if the path leads through a file
   */
  stat(path: Path): Promise<Shown | undefined>
  /** What a directory or linked folder shows, sorted by the bytes of names. @throws PathNotFoundError, NotADirectoryError */
  list(path: Path): Promise<Shown[]>
  /** Everything below, each directory before what is in it. @throws PathNotFoundError, NotADirectoryError */
  walk(path: Path, options?: WalkOptions): AsyncIterable<Shown & { readonly path: Path }>
  /** Conflict copies below a directory. */
  conflicts(path: Path): AsyncIterable<Shown & { readonly path: Path }>
  /** How much lies below a directory, linked folders left out; reads one node. */
  measure(path: Path): Promise<Omit<Totals, 'dots'>>
  /** @throws PathNotFoundError, NotAFileError, NotEnoughSharesError, BrokenFileError here or from `chunks` */
  readFile(path: Path, options?: GetOptions): Promise<Download>
  /** The same of what {@link list}, {@link walk} or {@link stat} has shown. */
  readEntry(shown: Shown, options?: GetOptions): Promise<Download>
  /**
   * The capability of what is at a path: of a file, of a directory as it is now (frozen), of a linked folder or file.
   * @throws PathNotFoundError; PowerMissingError for more than the holder has; NotMergedError
   */
  capability(path: Path, power: Power): Promise<Capability>
}

/** What a folder is now, as far as nodes told. */
export interface FolderNow extends FolderView {
  readonly freshness: Freshness
  /** Nodes showed less than this device has seen before; what it remembers is part of this view. */
  readonly rollback?: Rollback | undefined
  /** States that make up this view: more than one after devices wrote at once, until one of them writes again. */
  readonly states: number
}

/** How far a walk goes. */
export interface WalkOptions {
  /** Go into linked folders, too; by default they are shown and not entered. */
  readonly links?: boolean | undefined
  /** Called for a linked folder that cannot be entered; without it the walk ends there. */
  readonly onUnreadable?: ((path: Path, error: HayloftError) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** What a capability is to be good for. */
export type Power = 'write' | 'read' | 'verify'
