import { chmod, open, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { toHex } from '../foundation/bytes.ts'
import { makeDirectories } from '../foundation/directories.ts'
import { systemCodeOf } from '../foundation/error.ts'
import { systemRandomness } from '../foundation/system.ts'
import { describingFailures } from '../foundation/system-failure.ts'

/** Only the owner may read a home: addresses and members are nobody else's business, and keys least of all. */
export const PRIVATE_FILE = 0o600
const PRIVATE_DIRECTORY = 0o700

/** Replaces a file whole: a crash at any moment leaves the old contents or the new. */
export async function writePrivateFile(path: string, contents: Uint8Array | string): Promise<void> {
  await describingFailures(`The file ${path}`, async () => {
    const temporary = temporaryBeside(path)
    try {
      const file = await open(temporary, 'wx', PRIVATE_FILE)
      try {
        await file.writeFile(contents)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, path)
    } catch (thrown) {
      await rm(temporary, { force: true })
      throw thrown
    }
    await syncDirectory(dirname(path))
  })
}

/** A name in the same directory, hence on the same disk, that nobody can foresee. */
export function temporaryBeside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${toHex(systemRandomness.bytes(6))}.part`)
}

/** Makes a rename or removal in it durable. */
export async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open a directory, and makes renames durable by itself.
  if (process.platform === 'win32') return
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** One that is there already keeps its mode: somebody else may use it too, and what we put there is private itself. */
export async function makePrivateDirectory(path: string): Promise<void> {
  await describingFailures(`The directory ${path}`, async () => {
    const isNew = await makeDirectories(path, { mode: PRIVATE_DIRECTORY })
    if (isNew) await chmod(path, PRIVATE_DIRECTORY)
  })
}

/** @returns undefined if there is no such file */
export async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  return await describingFailures(`The file ${path}`, async () => {
    try {
      return new Uint8Array(await readFile(path))
    } catch (thrown) {
      if (systemCodeOf(thrown) === 'ENOENT') return undefined
      throw thrown
    }
  })
}
