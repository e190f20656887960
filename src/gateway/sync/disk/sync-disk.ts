import type { Branded } from '../../../foundation/bytes.ts'
import type { ChosenPaths, Selection } from '../selection.ts'
import type { ContentHash, LocalNode, PathText } from '../trees.ts'
import type { FileWork } from '../work.ts'

/**
 * The directory that is synced, as the engine sees it. Paths are the grid's; a disk that cannot hold such a name writes it
 * in another way. Nothing outside the directory is ever touched, and symbolic links are never followed.
 */
export interface SyncDisk {
  /** Something may have changed in a directory of the disk; anywhere if none is named. */
  noteChange(directory?: string): void
  /** Looks at everything that may have changed since it did so last. @throws RootMissingError, SystemFailureError: the directory itself cannot be read */
  scan(options: ScanOptions): Promise<Scan>
  /** To be read whole; undefined if there is no such file any more. */
  open(path: PathText): Promise<OpenedFile | undefined>
  /** Brings a content onto the disk, not to its place yet: there it would be durable. @throws SystemFailureError */
  stage(content: IncomingFile): Promise<StagedFile>
  /** What is kept of contents that did not come whole goes, but for these. @throws SystemFailureError */
  dropUnfinished(wanted: ReadonlySet<ContentName>): Promise<void>
  /** Each of the following does nothing and says `changed` where the disk is not as expected. */
  place(staged: StagedFile, path: PathText, options: Guard): Promise<DiskOutcome>
  placeSymlink(target: string, path: PathText, options: Guard): Promise<DiskOutcome>
  /** There must be nothing at `to`. */
  move(from: PathText, to: PathText, options: Guard): Promise<DiskOutcome>
  remove(path: PathText, options: Guard): Promise<DiskOutcome>
  /** Takes a file or link out of sight and keeps it, among what the program keeps for itself in the directory. */
  setAside(path: PathText, options: Guard): Promise<DiskOutcome>
  makeDirectory(path: PathText): Promise<DiskOutcome>
  /** With all that is in it by then. There must be nothing at `to`. */
  moveDirectory(from: PathText, to: PathText): Promise<DiskOutcome>
  /** Only if it is empty. */
  removeDirectory(path: PathText): Promise<DiskOutcome>
  /** What was done so far survives a power cut once this resolves. */
  flush(): Promise<void>
}

export interface ScanOptions {
  /** What a file was when it was last read. */
  readonly known: (path: PathText) => KnownFile | undefined
  /** What was last read of a file with that signature, under whatever path: it may be in a directory that was moved. */
  readonly knownBySignature: (signature: Signature) => ContentHash | undefined
  /** Whether a content is kept elsewhere, so that a copy which a crash left behind may go. */
  readonly isKnown: (hash: ContentHash) => boolean
  /** What of the folder the directory is to have. */
  readonly chosen: ChosenPaths
  /** Of each file that must be read. */
  readonly onRead?: ((sizeBytes: number) => FileWork) | undefined
  readonly signal: AbortSignal
}

export interface KnownFile {
  readonly signature: Signature | undefined
  readonly hash: ContentHash
}

/** Changes whenever a file does, and costs no reading of it: size, times, inode and mode. */
export type Signature = Branded<string, 'Signature'>

export interface Scan {
  readonly tree: ReadonlyMap<PathText, ScannedNode>
  /** By which the scan left things out: what was chosen, and the rules in the directory. */
  readonly selection: Selection
  readonly problems: readonly DiskProblem[]
  /** Files and directories whose names the disk cannot hold as they are, by those that they have on it instead. */
  readonly escaped: readonly string[]
}

export type ScannedNode =
  Exclude<LocalNode, { kind: 'file' }> | (Extract<LocalNode, { kind: 'file' }> & ScannedFile)

export interface ScannedFile {
  readonly signature: Signature
  /** So new that another write may leave the signature as it is: to be read again next time. */
  readonly isRacy: boolean
  readonly sizeBytes: number
  readonly mtimeMs: number
  /** As of {@link HashedSource}, where it was read in this scan and was agreed to be something else. */
  readonly frameHashes?: Uint8Array | undefined
}

/** Something that cannot be synced as it is, for its user to see. */
export interface DiskProblem {
  /** As the disk has it, from the synced directory. */
  readonly at: string
  /** Completes "… is left out:". */
  readonly why: string
}

export interface OpenedFile extends AsyncDisposable {
  readonly chunks: AsyncIterable<Uint8Array>
  readonly signature: Signature
  readonly mtimeMs: number
  readonly isExecutable: boolean
  /** Of all that is in it now. */
  hash(signal: AbortSignal): Promise<ContentHash>
  /** Some of it; undefined if the file is not what it was when it was opened, or cannot be read. */
  read(range: { readonly offset: number; readonly length: number }): Promise<Uint8Array | undefined>
  /** Whether it is still as it was when it was opened. */
  isUnchanged(): Promise<boolean>
}

export interface IncomingFile {
  readonly sizeBytes: number
  /** The content from a byte on. */
  readonly chunks: (offsetBytes: number) => AsyncIterable<Uint8Array>
  /** By which what has come of it before an interruption is found again; with none it comes anew. */
  readonly name?: ContentName | undefined
  readonly mtimeMs: number
  readonly isExecutable: boolean
}

/** Tells contents that are fetched apart; equal ones have equal names. */
export type ContentName = Branded<string, 'ContentName'>

/** A content that waits for its place. Disposing of it removes what was not placed, unless it may be asked for again by its name. */
export interface StagedFile extends AsyncDisposable {
  readonly hash: ContentHash
  /** It is not what it should be. */
  discard(): Promise<void>
}

export interface Guard {
  /** What must be there: a file with this signature, a link with this target, or nothing. */
  readonly expects: { readonly signature: Signature } | { readonly target: string } | undefined
  /** A file that must be there as well, since it has what is about to go. */
  readonly keptAt?: { readonly path: PathText; readonly signature: Signature } | undefined
}

export type DiskOutcome =
  | {
      readonly kind: 'done'
      /** Of the file, if it is what was put there. */
      readonly signature?: Signature | undefined
      /** As of {@link ScannedFile}. */
      readonly isRacy?: boolean | undefined
    }
  | { readonly kind: 'changed' }
  /** A file was away from its place for a moment, and its directory is gone by now: its absence is not its user's doing. */
  | { readonly kind: 'unclear' }
