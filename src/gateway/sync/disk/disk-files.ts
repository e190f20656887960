import { unlessGone } from './careful.ts'
import type { FileStats, FileSystem, ReadableHandle } from './file-system.ts'
import { isExecutable, signatureOf } from './signature.ts'
import type { OpenedFile, Signature, StagedFile } from './sync-disk.ts'
import type { ContentHash } from '../trees.ts'

const READ_BYTES = 256 * 1024

/** A file that is being read, of whatever file system. */
export class DiskFile implements OpenedFile {
  readonly #files: FileSystem
  readonly #handle: ReadableHandle
  readonly #at: string
  readonly #signature: Signature
  readonly #sizeBytes: number
  readonly mtimeMs: number
  readonly isExecutable: boolean

  private constructor(
    files: FileSystem,
    { handle, at, stats }: { handle: ReadableHandle; at: string; stats: FileStats },
  ) {
    this.#files = files
    this.#handle = handle
    this.#at = at
    this.#signature = signatureOf(stats)
    this.#sizeBytes = Number(stats.size)
    this.mtimeMs = Number(stats.mtimeMs)
    this.isExecutable = isExecutable(stats)
  }

  /** @returns undefined if there is no such file */
  static async open(files: FileSystem, at: string): Promise<DiskFile | undefined> {
    const handle = await unlessGone(files.open(at))
    if (handle === undefined) return undefined
    try {
      const stats = await handle.stat()
      if (stats.isFile()) return new DiskFile(files, { handle, at, stats })
    } catch (thrown) {
      await handle.close()
      throw thrown
    }
    await handle.close()
    return undefined
  }

  get chunks(): AsyncIterable<Uint8Array> {
    return readFrom(this.#handle, Math.min(this.#sizeBytes + 1, READ_BYTES))
  }

  async isUnchanged(): Promise<boolean> {
    // As a promise, so that what the system refuses is met by whoever waits.
    const stats = await unlessGone((async () => this.#files.lstatNow(this.#at))())
    return stats !== undefined && signatureOf(stats) === this.#signature
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close()
  }
}

async function* readFrom(handle: ReadableHandle, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (;;) {
    // What is handed on may be kept, so that each piece has bytes of its own.
    const bytes = new Uint8Array(pieceBytes)
    const length = await handle.read(bytes)
    if (length === 0) return
    yield bytes.subarray(0, length)
  }
}

/** What was fetched, and waits among the temporaries. */
export class SystemStagedFile implements StagedFile {
  readonly at: string
  readonly hash: ContentHash
  /** It is in its place, and no temporary any more. */
  isPlaced = false
  readonly #files: FileSystem
  readonly #onLeft: () => void

  /** @param about.onLeft is told that it could not be removed */
  constructor(
    files: FileSystem,
    { at, hash, onLeft }: { at: string; hash: ContentHash; onLeft: () => void },
  ) {
    this.#files = files
    this.at = at
    this.hash = hash
    this.#onLeft = onLeft
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isPlaced) return
    await this.#files.unlink(this.at).catch(this.#onLeft)
  }
}
