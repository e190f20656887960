import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import type { FileStats, ReadableHandle } from './file-system.ts'

/**
 * So much is read or written at once, without a trip to the thread pool, which costs ten times what such a file takes when the
 * system has it in memory, and is not much slower where it has not.
 */
export const SMALL_BYTES = 64 * 1024

/** Should a link or pipe have taken the file's place just now, it is neither followed nor waited for. Windows has neither. */
const READING =
  process.platform === 'win32'
    ? 'r'
    : constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** A small file is read whole right away. */
export async function openToRead(at: string): Promise<ReadableHandle> {
  return readSmall(at) ?? new ReadableFile(await open(at, READING))
}

/** @returns undefined if it is large */
function readSmall(at: string): ReadableHandle | undefined {
  const file = openSync(at, READING)
  try {
    const stats = fstatSync(file, { bigint: true })
    if (!stats.isFile()) return new SmallFile(stats, new Uint8Array())
    if (stats.size > SMALL_BYTES) return undefined
    // One more, which tells that there is an end.
    const bytes = new Uint8Array(Number(stats.size) + 1)
    let length = 0
    while (length < bytes.length) {
      const came = readSync(file, bytes, length, bytes.length - length, length)
      if (came === 0) return new SmallFile(stats, bytes.subarray(0, length))
      length += came
    }
    return undefined
  } finally {
    closeSync(file)
  }
}

/** What a file was when it was opened. */
class SmallFile implements ReadableHandle {
  readonly #stats: FileStats
  readonly #bytes: Uint8Array
  #position = 0

  constructor(stats: FileStats, bytes: Uint8Array) {
    this.#stats = stats
    this.#bytes = bytes
  }

  async stat(): Promise<FileStats> {
    return await Promise.resolve(this.#stats)
  }

  async read(into: Uint8Array, position?: number): Promise<number> {
    const start = position ?? this.#position
    const piece = this.#bytes.subarray(start, start + into.length)
    into.set(piece)
    if (position === undefined) this.#position += piece.length
    return await Promise.resolve(piece.length)
  }

  async close(): Promise<void> {
    await Promise.resolve()
  }
}

class ReadableFile implements ReadableHandle {
  readonly #file: FileHandle

  constructor(file: FileHandle) {
    this.#file = file
  }

  async stat(): Promise<FileStats> {
    return await this.#file.stat({ bigint: true })
  }

  async read(into: Uint8Array, position?: number): Promise<number> {
    return (await this.#file.read(into, 0, into.length, position ?? null)).bytesRead
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}
