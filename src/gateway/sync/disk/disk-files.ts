import { startSha256 } from '../../../crypto/hash.ts'
import { allocateBytes, toHex } from '../../../foundation/bytes.ts'
import { describeSystemFailure } from '../../../foundation/system-failure.ts'
import { unlessGone } from './careful.ts'
import type { FileStats, FileSystem, ReadableHandle } from './file-system.ts'
import { isExecutable, signatureOf } from './signature.ts'
import type { OpenedFile, Signature } from './sync-disk.ts'
import type { ContentHash } from '../trees.ts'

const READ_BYTES = 256 * 1024

/** A file that is being read, of whatever file system. */
export class DiskFile implements OpenedFile {
  readonly #files: FileSystem
  readonly #handle: ReadableHandle
  readonly #at: string
  readonly signature: Signature
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
    this.signature = signatureOf(stats)
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

  async hash(signal: AbortSignal): Promise<ContentHash> {
    return await hashOf(this.#handle, this.#sizeBytes, signal)
  }

  async read({
    offset,
    length,
  }: {
    offset: number
    length: number
  }): Promise<Uint8Array | undefined> {
    try {
      const bytes = allocateBytes(length)
      const isWhole = await fill(this.#handle, bytes, offset)
      return isWhole && (await this.isUnchanged()) ? bytes : undefined
    } catch (thrown) {
      if (describeSystemFailure(thrown, 'it') === undefined) throw thrown
      return undefined
    }
  }

  async isUnchanged(): Promise<boolean> {
    // As a promise, so that what the system refuses is met by whoever waits.
    const stats = await unlessGone((async () => this.#files.lstatNow(this.#at))())
    return stats !== undefined && signatureOf(stats) === this.signature
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

/** Reads from a place until `into` is full. @returns whether there were as many bytes */
export async function fill(
  file: ReadableHandle,
  into: Uint8Array,
  position: number,
): Promise<boolean> {
  for (let filled = 0; filled < into.length;) {
    const came = await file.read(into.subarray(filled), position + filled)
    if (came === 0) return false
    filled += came
  }
  return true
}

/** Gets the same bytes, and how many there were with them. */
export type ChunkReader = (bytes: Uint8Array, endBytes: number) => void

/**
 * SHA-256 of all that an open file has, from its beginning.
 */
export async function hashOf(
  handle: ReadableHandle,
  sizeBytes: number,
  signal?: AbortSignal,
  onChunk?: ChunkReader,
): Promise<ContentHash> {
  const hash = startSha256()
  // Most files are small, and memory that is only cleared costs more than reading them.
  const buffer = new Uint8Array(Math.min(sizeBytes + 1, READ_BYTES))
  for (let position = 0; ;) {
    signal?.throwIfAborted()
    const length = await handle.read(buffer, position)
    if (length === 0) return toHex(hash.digest()) as ContentHash
    hash.update(buffer.subarray(0, length))
    position += length
    onChunk?.(buffer.subarray(0, length), position)
  }
}
