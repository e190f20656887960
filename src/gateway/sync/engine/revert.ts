import type { Scan } from '../disk/sync-disk.ts'
import type { RecordChange } from '../records/records.ts'
import type { Push } from '../steps.ts'
import { parentOf, type PathText } from '../trees.ts'
import type { SyncContext } from './context.ts'

/**
 * Undoes changes that may not go to the folder: what was put or changed is set aside, and what was agreed is forgotten, so that
 * the next plan brings what the folder has.
 * @returns whether there was anything to undo
 */
export async function revertAll(
  { disk, records, scan }: Pick<SyncContext, 'disk' | 'records'> & { readonly scan: Scan },
  pushes: readonly Push[],
  paths: readonly PathText[] | 'all',
): Promise<boolean> {
  const chosen = pushes.filter(({ path }) => paths === 'all' || isWithin(path, paths))
  const changes: RecordChange[] = []
  // Those within directories before the directories.
  for (const push of chosen.toSorted((a, b) => b.path.length - a.path.length)) {
    const { path } = push
    if (push.kind === 'push') {
      const { node } = push
      const scanned = scan.tree.get(path)
      const signature = scanned?.kind === 'file' ? scanned.signature : undefined
      const expects = node.kind === 'symlink' ? { target: node.target } : signature && { signature }
      await disk.setAside(path, { expects })
    } else if (push.kind === 'push-directory') await disk.removeDirectory(path)
    changes.push({ path, row: { is: undefined } })
  }
  await disk.flush()
  await records.write(changes)
  return chosen.length > 0
}

function isWithin(path: PathText, roots: readonly PathText[]): boolean {
  for (let at: PathText | undefined = path; at !== undefined; at = parentOf(at)) {
    if (roots.includes(at)) return true
  }
  return false
}
