import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeDirectories } from '../../foundation/directories.ts'
import { systemCodeOf } from '../../foundation/error.ts'
import { syncFolder } from '../share-directory.ts'
import { MAX_PARCEL_BYTES, PARCEL_NAME } from './parcel.ts'

/** A directory of parcels on any disk: each file is there whole or not at all. */
export class ParcelDirectory {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  async has(name: string): Promise<boolean> {
    return (await unlessAbsent(stat(join(this.#root, name)))) !== undefined
  }

  /** Durable when it resolves. Clears away what it began if it fails. */
  async write(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#root, name)
    const unfinished = `${path}.part`
    await makeDirectories(dirname(path))
    try {
      const file = await open(unfinished, 'w', 0o600)
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(unfinished, path)
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => undefined)
      throw error
    }
    await syncFolder(dirname(path))
  }

  /** Names of all parcels, folder by folder. What else lies there is left alone. */
  async *names(): AsyncGenerator<string, void> {
    for (const folder of (await readdir(this.#root)).sort()) {
      if (!/^[0-9a-f]{2}$/.test(folder)) continue
      const files = (await unlessNoDirectory(readdir(join(this.#root, folder)))) ?? []
      for (const file of files.sort()) if (PARCEL_NAME.test(file)) yield `${folder}/${file}`
    }
  }

  /** @returns undefined for what is gone, or far larger than a parcel can be */
  async read(name: string): Promise<Uint8Array | undefined> {
    const path = join(this.#root, name)
    const found = await unlessAbsent(stat(path))
    if (found?.isFile() !== true || found.size > MAX_PARCEL_BYTES) return undefined
    return await unlessAbsent(readFile(path).then((bytes) => new Uint8Array(bytes)))
  }
}

async function unlessAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

async function unlessNoDirectory<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (systemCodeOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}
