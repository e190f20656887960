import { join } from 'node:path'
import { makeDirectories } from '../foundation/directories.ts'
import type { Disk } from './disk.ts'
import { LevelStore } from './level-store.ts'
import { ShareDirectory, syncFolder } from './share-directory.ts'

/**
 * The disk of a node whose files lie under `home`: `index/` for rows, `shares/` for files. One process at a time.
 * @throws NodeAlreadyRunningError
 */
export async function openSystemDisk(home: string): Promise<Disk> {
  // The store would make its directory itself, by Node's own way.
  await makeDirectories(join(home, 'index'))
  const rows = await LevelStore.open(join(home, 'index'))
  const files = await ShareDirectory.open(join(home, 'shares'))
  // The names of the two are as durable as what will lie in them.
  await syncFolder(home)
  return {
    rows,
    files,
    async [Symbol.asyncDispose]() {
      await rows.close()
    },
  }
}
