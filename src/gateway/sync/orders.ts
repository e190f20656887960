import { readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { makePrivateDirectory, writePrivateFile } from '../../home/files.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { syncDirectory } from '../../home/sync-status-file.ts'
import type { PathText } from './trees.ts'

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

/** The user wants changes undone that may not go to the folder: of some paths, with all below them, or all. */
export async function orderRevert(
  files: HomeFiles,
  id: string,
  paths: readonly string[] | 'all',
): Promise<void> {
  await makePrivateDirectory(syncDirectory(files, id))
  await writePrivateFile(revertPath(files, id), JSON.stringify(paths))
}

/** What was ordered since it was asked the last time. */
export async function takeReverts(
  files: HomeFiles,
  id: string,
): Promise<readonly PathText[] | 'all' | undefined> {
  const path = revertPath(files, id)
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  await rm(path, { force: true })
  const paths: unknown = JSON.parse(text)
  if (paths === 'all') return 'all'
  return Array.isArray(paths) ? paths.map((each) => String(each) as PathText) : undefined
}

function revertPath(files: HomeFiles, id: string): string {
  return join(syncDirectory(files, id), 'revert')
}
