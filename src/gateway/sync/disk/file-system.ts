import type { BigIntStats } from 'node:fs'

/**
 * What a synced disk asks of the system, so that a simulated one can take its place. Paths are absolute; failures are the
 * system's own, with its codes. Symbolic links are never followed.
 */
export interface FileSystem {
  /** Fails with EEXIST if there is something at `to`. */
  link(from: string, to: string): Promise<void>
  /** Replaces a file that is at `to`. */
  rename(from: string, to: string): Promise<void>
  symlink(target: string, at: string): Promise<void>
  mkdir(at: string): Promise<void>
  rmdir(at: string): Promise<void>
  /** One file or link, if it is there. */
  unlink(at: string): Promise<void>
  /** All that is at a path, if anything. */
  clear(at: string): Promise<void>
  /** Fails where there is no file but a link, and does not wait for a pipe's writer. */
  open(at: string): Promise<ReadableHandle>
  /** Makes a file; fails with EEXIST if there is something. */
  create(at: string, options: { readonly isExecutable: boolean }): Promise<WritableHandle>
  /** Opens a file that was made before, cuts it to a length, and goes on from there. */
  reopen(at: string, lengthBytes: number): Promise<WritableHandle>
  /** What more the disk of a directory can take, in bytes; Infinity where it does not tell. */
  freeBytes(at: string): Promise<number>
  /** Makes the names in a directory durable. */
  syncDirectory(at: string): Promise<void>

  // Done at once: several times as fast as by a trip to the thread pool each, and nothing of ours comes in between.
  lstatNow(at: string): FileStats
  readlinkNow(at: string): string
  /** Names as the disk has them, of whatever bytes. */
  listNow(at: string): Uint8Array[]
  /** Replaces a file that is at `to`. */
  renameNow(from: string, to: string): void
}

/** What is looked at of a file's stats. */
export type FileStats = Pick<
  BigIntStats,
  | 'size'
  | 'ino'
  | 'nlink'
  | 'mode'
  | 'mtimeMs'
  | 'mtimeNs'
  | 'ctimeMs'
  | 'ctimeNs'
  | 'isFile'
  | 'isDirectory'
  | 'isSymbolicLink'
  | 'isFIFO'
  | 'isSocket'
>

export interface ReadableHandle {
  stat(): Promise<FileStats>
  /** From a place, or from where the last one without any ended. @returns how many bytes came, 0 at the end */
  read(into: Uint8Array, position?: number): Promise<number>
  close(): Promise<void>
}

export interface WritableHandle {
  write(bytes: Uint8Array): Promise<void>
  /** In ms since 1970. */
  setTimes(times: { readonly atimeMs: number; readonly mtimeMs: number }): Promise<void>
  /** Makes what was written durable. */
  sync(): Promise<void>
  close(): Promise<void>
}
