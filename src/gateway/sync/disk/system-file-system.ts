import {
  closeSync,
  constants,
  fsync,
  ftruncate,
  futimesSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs'
import { mkdir, open, rm, rmdir, statfs, symlink, unlink } from 'node:fs/promises'
import { promisify } from 'node:util'
import { systemCodeOf } from '../../../foundation/error.ts'
import { fileTimeSeconds } from '../../../foundation/file-times.ts'
import type { FileSystem, WritableHandle } from './file-system.ts'
import { openToRead, SMALL_BYTES } from './small-files.ts'

/**
 * The system's own. What only changes names or the little that a small file holds is done right away: a trip to the thread
 * pool for each costs several times as much. What may wait for the disk goes there.
 */
export const SYSTEM_FILE_SYSTEM: FileSystem = {
  // As promises, so that what the system refuses is met by whoever waits.
  link: async (from, to) => {
    await Promise.resolve(linkSync(from, to))
  },
  rename: async (from, to) => {
    await Promise.resolve(renameSync(from, to))
  },
  symlink: async (target, at) => {
    await symlink(target, at)
  },
  mkdir: async (at) => {
    await mkdir(at)
  },
  rmdir: async (at) => {
    await rmdir(at)
  },
  unlink: unlinkIfThere,
  clear: async (at) => {
    await rm(at, { recursive: true, force: true })
  },
  open: openToRead,
  create: async (at, { isExecutable }) =>
    await Promise.resolve(new WritableFile(openSync(at, 'wx', isExecutable ? 0o777 : 0o666), 0)),
  reopen,
  freeBytes: async (at) => {
    const { bavail, bsize, blocks } = await statfs(at)
    // Some network disks tell nothing but zeros.
    return blocks === 0 ? Infinity : bavail * bsize
  },
  syncDirectory,
  lstatNow: (at) => lstatSync(at, { bigint: true }),
  readlinkNow: (at) => readlinkSync(at),
  listNow: (at) => readdirSync(at, { encoding: 'buffer' }),
  renameNow: renameSync,
}

/** As for reading: see {@link openToRead}. */
const WRITING =
  process.platform === 'win32'
    ? 'r+'
    : constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK

const writeLater = promisify(write)
const syncLater = promisify(fsync)
const truncateLater = promisify(ftruncate)

class WritableFile implements WritableHandle {
  readonly #descriptor: number
  #position: number

  constructor(descriptor: number, position: number) {
    this.#descriptor = descriptor
    this.#position = position
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const length = bytes.length - at
      const piece = [bytes, at, length, this.#position] as const
      const bytesWritten =
        length <= SMALL_BYTES
          ? writeSync(this.#descriptor, ...piece)
          : (await writeLater(this.#descriptor, ...piece)).bytesWritten
      at += bytesWritten
      this.#position += bytesWritten
    }
  }

  async setTimes({ atimeMs, mtimeMs }: { atimeMs: number; mtimeMs: number }): Promise<void> {
    await Promise.resolve(futimesSync(this.#descriptor, atimeMs / 1000, fileTimeSeconds(mtimeMs)))
  }

  async sync(): Promise<void> {
    await syncLater(this.#descriptor)
  }

  async close(): Promise<void> {
    await Promise.resolve(closeSync(this.#descriptor))
  }
}

async function reopen(at: string, lengthBytes: number): Promise<WritableHandle> {
  const descriptor = openSync(at, WRITING)
  try {
    await truncateLater(descriptor, lengthBytes)
    return new WritableFile(descriptor, lengthBytes)
  } catch (thrown) {
    closeSync(descriptor)
    throw thrown
  }
}

async function unlinkIfThere(at: string): Promise<void> {
  try {
    // What has another name is quick to go; to free the bytes of a file may take as long as a disk takes.
    if (lstatSync(at).nlink > 1) unlinkSync(at)
    else await unlink(at)
  } catch (thrown) {
    if (systemCodeOf(thrown) !== 'ENOENT') throw thrown
  }
}

async function syncDirectory(at: string): Promise<void> {
  // Windows cannot open a directory, and makes renames durable by itself.
  if (process.platform === 'win32') return
  const directory = await open(at, 'r')
  try {
    await directory.sync()
  } catch (thrown) {
    // Some file systems cannot sync a directory; there is nothing better to be had on them.
    if (!['EINVAL', 'ENOTSUP', 'EBADF'].includes(systemCodeOf(thrown) ?? '')) throw thrown
  } finally {
    await directory.close()
  }
}
