import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { makePrivateDirectory, writePrivateFile } from '../../home/files.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { syncDirectory } from '../../home/sync-status-file.ts'

/** The user meant to remove so many files: kept in a file until the sync next looks, which may be another day. */
export async function allowRemovals(files: HomeFiles, id: string): Promise<void> {
  await makePrivateDirectory(syncDirectory(files, id))
  await writePrivateFile(orderPath(files, id), '')
}

/** Whether that was said since it was asked the last time. */
export async function takeAllowance(files: HomeFiles, id: string): Promise<boolean> {
  const path = orderPath(files, id)
  const isThere = await stat(path).then(
    () => true,
    () => false,
  )
  if (isThere) await rm(path, { force: true })
  return isThere
}

function orderPath(files: HomeFiles, id: string): string {
  return join(syncDirectory(files, id), 'allow-removals')
}
