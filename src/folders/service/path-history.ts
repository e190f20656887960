import { NotEnoughSharesError } from '../../grid/errors.ts'
import { NotADirectoryError } from '../errors.ts'
import type { Path } from '../names.ts'
import type { Shown } from '../read.ts'
import { versionOf } from './shown-version.ts'
import type { Commit, PathVersion } from './folder.ts'
import type { FolderView } from './view.ts'

/** What a path was, the last first, of all commits, the last first: each that shows something else than the one before. */
export async function* versionsAt(
  commits: AsyncIterable<Commit>,
  path: Path,
): AsyncGenerator<PathVersion> {
  let last: { readonly version: string | undefined; readonly told: PathVersion } | undefined
  for await (const commit of commits) {
    const shown = await shownThen(commit.view(), path)
    // What cannot be read tells nothing.
    if (shown === 'unknown') continue
    const version = shown && versionOf(shown)
    if (last !== undefined && last.version !== version) yield last.told
    last = { version, told: { timeMs: commit.timeMs, device: commit.device, shown } }
  }
  // That it was not there to begin with is no change.
  if (last?.version !== undefined) yield last.told
}

async function shownThen(view: FolderView, path: Path): Promise<Shown | undefined | 'unknown'> {
  try {
    return await view.stat(path)
  } catch (error) {
    if (error instanceof NotADirectoryError) return undefined
    if (error instanceof NotEnoughSharesError) return 'unknown'
    throw error
  }
}
