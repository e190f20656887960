import { HayloftError } from '../foundation/error.ts'

/**
 * What a storage node needs of a disk, so that simulations can run it on one that loses power, fills up or rots.
 * Failures reject with whatever the system throws; its `code` (`ENOSPC`, `EDQUOT`, `EIO`, …) is all that is looked at.
 */
export interface Disk extends AsyncDisposable {
  readonly rows: KeyValueStore
  readonly files: ShareFiles
}

/**
 * A sorted map from byte strings to byte strings.
 *
 * Durable: all of a {@link write} once it resolved. A crash before that leaves all of it or nothing, whichever, and
 * never one write without those that resolved before it. Whether one that rejected has happened all the same is open
 * until {@link recover} resolves, and settled from then on.
 */
export interface KeyValueStore {
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  /** Values in the order of `keys`. */
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>
  /** Carries out the changes in order, as one. After one that rejected, all may reject until {@link recover}. */
  write(changes: readonly RowChange[]): Promise<void>
  /** Makes the store fit for writing again after a write that rejected; rejects if it cannot, and may be tried again. */
  recover(): Promise<void>
  /** The first `limit` rows with `from` ≤ key < `to`, in the order of keys as bytes. */
  range(bounds: {
    readonly from: Uint8Array
    readonly to: Uint8Array
    readonly limit: number
  }): Promise<Row[]>
  /** Waits for what is under way and lets go of the lock. */
  close(): Promise<void>
}

export interface Row {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Without a value, the row is deleted. */
export interface RowChange {
  readonly key: Uint8Array
  readonly value?: Uint8Array
}

/**
 * Files that are written once, whole, and never changed. A name is lower-case hexadecimal digits and hyphens, starts
 * with two digits (the folder it lies in), and is never used twice.
 *
 * Durable: the files of a {@link write} once it resolved. A crash, or a write that rejects, may leave any of its files
 * there in full, in part or not at all: whoever writes keeps account of which files count.
 * A removal need not be durable: the file may be back after a crash.
 */
export interface ShareFiles {
  write(files: readonly NewFile[]): Promise<void>
  /** The bytes from `offset` on, fewer than `length` at the end of the file; undefined if there is no such file. */
  read(
    name: string,
    range: { readonly offset: number; readonly length: number },
  ): Promise<Uint8Array | undefined>
  /** Succeeds if the file is gone already. */
  remove(name: string): Promise<void>
  /** Names of all files in the folder of that number, 0 to 255, in any order. */
  list(folder: number): Promise<string[]>
  /** Bytes that may still be written to this disk. */
  freeBytes(): Promise<number>
}

export interface NewFile {
  readonly name: string
  /** The contents, in pieces. */
  readonly parts: readonly Uint8Array[]
}

export const SHARE_FOLDERS = 256

/** Another process has this node's files open. */
export class NodeAlreadyRunningError extends HayloftError {
  readonly code = 'node-already-running'

  constructor(options?: ErrorOptions) {
    super(
      'A Hayloft node is already running in this home. Stop it first, or give this one a home of its own.',
      options,
    )
  }
}

/** A system error that means: there is no room. */
export function isNoSpace(systemCode: string | undefined): boolean {
  return systemCode === 'ENOSPC' || systemCode === 'EDQUOT' || systemCode === 'EFBIG'
}
