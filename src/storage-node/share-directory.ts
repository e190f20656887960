import { closeSync, fsync, open, openSync, read, writev } from 'node:fs'
import { readdir, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { allocateBytes } from '../foundation/bytes.ts'
import { makeDirectories } from '../foundation/directories.ts'
import { systemCodeOf } from '../foundation/error.ts'
import type { NewFile, ShareFiles } from './disk.ts'

// The callback functions cost half the processor time of FileHandle's. What never waits for the drive (to close a file
// that is synced, to open a folder just used) is done on the spot: the way to the thread pool costs far more.
const openFile = promisify(open)
const syncFile = promisify(fsync)
const writeFile = promisify(writev)
const readFile = promisify(read)

const FILE_NAME = /^[0-9a-f]{2}[0-9a-f-]*$/

/**
 * Share files in up to 256 folders under one. A file is written in place, since none counts before the index says so;
 * a file is synced by itself, and a folder once for all files of a group, so that a name is as durable as its bytes.
 */
export class ShareDirectory implements ShareFiles {
  readonly #root: string

  private constructor(root: string) {
    this.#root = root
  }

  static async open(root: string): Promise<ShareDirectory> {
    await makeDirectories(root)
    return new ShareDirectory(root)
  }

  async write(files: readonly NewFile[]): Promise<void> {
    // All settle before this rejects: nothing of a failed group is still being written when it is cleared away.
    const outcomes = await Promise.allSettled(files.map((file) => this.#writeFile(file)))
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
    const folders = new Set(files.map(({ name }) => this.#folderOf(name)))
    await Promise.all([...folders].map((folder) => syncFolder(folder)))
  }

  async read(
    name: string,
    { offset, length }: { readonly offset: number; readonly length: number },
  ): Promise<Uint8Array | undefined> {
    const file = await unlessAbsent(openFile(this.#pathOf(name), 'r'))
    if (file === undefined) return undefined
    try {
      const bytes = allocateBytes(length)
      let filled = 0
      while (filled < length) {
        const { bytesRead } = await readFile(file, bytes, filled, length - filled, offset + filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return bytes.subarray(0, filled)
    } finally {
      closeSync(file)
    }
  }

  async remove(name: string): Promise<void> {
    await rm(this.#pathOf(name), { force: true })
  }

  async list(folder: number): Promise<string[]> {
    const path = join(this.#root, folder.toString(16).padStart(2, '0'))
    // What else people and systems put into folders (`.DS_Store`) is none of ours to remove.
    return ((await unlessAbsent(readdir(path))) ?? []).filter((name) => FILE_NAME.test(name))
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#root)
    return bavail * bsize
  }

  async #writeFile({ name, parts }: NewFile): Promise<void> {
    const file = await this.#create(name)
    try {
      await writeAll(file, parts)
      await syncFile(file)
    } finally {
      closeSync(file)
    }
  }

  async #create(name: string): Promise<number> {
    const existing = await unlessAbsent(openFile(this.#pathOf(name), 'wx', 0o600))
    if (existing !== undefined) return existing
    await makeDirectories(this.#folderOf(name))
    await syncFolder(this.#root)
    return await openFile(this.#pathOf(name), 'wx', 0o600)
  }

  #folderOf(name: string): string {
    return join(this.#root, name.slice(0, 2))
  }

  #pathOf(name: string): string {
    return join(this.#folderOf(name), name)
  }
}

async function writeAll(file: number, parts: readonly Uint8Array[]): Promise<void> {
  let rest: readonly Uint8Array[] = parts
  while (rest.length > 0) {
    const { bytesWritten } = await writeFile(file, rest)
    rest = withoutFirst(rest, bytesWritten)
  }
}

/** What a short write left over. */
function withoutFirst(parts: readonly Uint8Array[], count: number): Uint8Array[] {
  const rest: Uint8Array[] = []
  let skip = count
  for (const part of parts) {
    if (skip < part.length) rest.push(part.subarray(skip))
    skip = Math.max(0, skip - part.length)
  }
  return rest
}

async function unlessAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Makes the names in a folder durable. Windows knows no such thing: it refuses to open or to sync a folder. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const descriptor = openSync(folder, 'r')
    try {
      await syncFile(descriptor)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    const refused = ['EPERM', 'EISDIR', 'EACCES'].includes(systemCodeOf(error) ?? '')
    if (!(process.platform === 'win32' && refused)) throw error
  }
}
