import { formatPath } from '../names.ts'
import { FolderChangedError } from './errors.ts'
import type { Expectation } from './folder.ts'
import { versionOf } from './shown-version.ts'
import type { FolderView } from './view.ts'

/** That paths show what they are expected to. @throws FolderChangedError */
export async function checkUnchanged(
  view: Pick<FolderView, 'stat'>,
  expected: readonly Expectation[] = [],
): Promise<void> {
  for (const { path, version } of expected) {
    const shown = await view.stat(path)
    const found = shown && versionOf(shown)
    if (found !== version) throw new FolderChangedError(formatPath(path))
  }
}
