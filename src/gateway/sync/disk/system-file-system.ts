import { constants, lstatSync, readdirSync, readlinkSync, renameSync } from 'node:fs'
import {
  link,
  mkdir,
  open,
  rename,
  rm,
  rmdir,
  symlink,
  unlink,
  type FileHandle,
  statfs,
} from 'node:fs/promises'
import { systemCodeOf } from '../../../foundation/error.ts'
import type { FileSystem, WritableHandle } from './file-system.ts'
import { openToRead } from './small-files.ts'

/** The system's own. */
export const SYSTEM_FILE_SYSTEM: FileSystem = {
  link,
  rename,
  symlink: async (target, at) => {
    await symlink(target, at)
  },
  mkdir: async (at) => {
    await mkdir(at)
  },
  rmdir: async (at) => {
    await rmdir(at)
  },
  unlink: async (at) => {
    // Cheaper than `rm`, which looks at what it is first.
    await unlink(at).catch((thrown: unknown) => {
      if (systemCodeOf(thrown) !== 'ENOENT') throw thrown
    })
  },
  clear: async (at) => {
    await rm(at, { recursive: true, force: true })
  },
  open: openToRead,
  create: async (at, { isExecutable }) =>
    new WritableFile(await open(at, 'wx', isExecutable ? 0o777 : 0o666), 0),
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

class WritableFile implements WritableHandle {
  readonly #file: FileHandle
  #position: number

  constructor(file: FileHandle, position: number) {
    this.#file = file
    this.#position = position
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const length = bytes.length - at
      const { bytesWritten } = await this.#file.write(bytes, at, length, this.#position)
      at += bytesWritten
      this.#position += bytesWritten
    }
  }

  async setTimes({ atimeMs, mtimeMs }: { atimeMs: number; mtimeMs: number }): Promise<void> {
    await this.#file.utimes(atimeMs / 1000, secondsOf(mtimeMs))
  }

  async sync(): Promise<void> {
    await this.#file.sync()
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

async function reopen(at: string, lengthBytes: number): Promise<WritableHandle> {
  const file = await open(at, WRITING)
  try {
    await file.truncate(lengthBytes)
    return new WritableFile(file, lengthBytes)
  } catch (thrown) {
    await file.close()
    throw thrown
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

/** So that the system, which cuts to microseconds, does not take it for the millisecond before. */
function secondsOf(timeMs: number): number {
  return (timeMs + 0.0005) / 1000
}
