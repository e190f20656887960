import { NotADirectoryError } from '../../folders/errors.ts'
import type { Shown } from '../../folders/read.ts'
import type { FolderView } from '../../folders/service/view.ts'
import { pathOf, type PathText } from './trees.ts'

/** What edits are made from. */
export type EditedView = Pick<FolderView, 'stat' | 'list' | 'walk'>

export async function isDirectory(view: EditedView, path: PathText): Promise<boolean> {
  return (await statIn(view, path))?.entry.kind === 'directory'
}

/** Undefined also where the path leads through a file. */
export async function statIn(view: EditedView, path: PathText): Promise<Shown | undefined> {
  try {
    return await view.stat(pathOf(path))
  } catch (error) {
    if (error instanceof NotADirectoryError) return undefined
    throw error
  }
}
