import { watch } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { makePrivateDirectory, writePrivateFile } from '../../home/files.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { syncDirectory } from '../../home/sync-status-file.ts'

/** Has the process that syncs look at both sides now, whether it has noticed a change or not. */
export async function orderLook(files: HomeFiles, id: string): Promise<void> {
  await makePrivateDirectory(syncDirectory(files, id))
  await writePrivateFile(join(syncDirectory(files, id), LOOK), '')
}

/** Calls for every order that is given. @returns what ends that */
export function watchOrders(files: HomeFiles, id: string, onOrder: () => void): () => void {
  const watcher = watch(syncDirectory(files, id), (_, name) => {
    if (name === LOOK || name === ALLOWANCE) onOrder()
  })
  return () => watcher.close()
}

const LOOK = 'look'
const ALLOWANCE = 'allow-removals'

/** The user meant to remove so many files: told to the process that syncs by a file. */
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
  return join(syncDirectory(files, id), ALLOWANCE)
}
