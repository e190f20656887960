import type { Trees } from './plan.ts'
import type { Push } from './steps.ts'

/** So many files are gone from the disk that somebody must say that they meant it. */
export interface Hold {
  readonly removals: number
  readonly files: number
}

/** What an emptied or wrongly mounted directory would look like, and what hardly anybody does on purpose. */
const MAX_REMOVALS = 1_000
/** In a small folder, removing most of it is nothing unusual. */
const FEW_REMOVALS = 10

/** @returns undefined if the removals may go on */
export function holdOf({ local, synced }: Trees, pushes: readonly Push[]): Hold | undefined {
  const removals = pushes.filter(({ kind }) => kind === 'push-removal')
  if (removals.length <= FEW_REMOVALS) return undefined
  // What is still there under another path was moved and not removed.
  const present = new Set<string>()
  for (const node of local.values()) if (node.kind === 'file') present.add(node.hash)
  let gone = 0
  for (const { path } of removals) {
    const node = synced.get(path)
    if (node?.kind !== 'file' || !present.has(node.hash)) gone++
  }
  let files = 0
  for (const { kind } of synced.values()) if (kind !== 'directory') files++
  const isMany = gone > MAX_REMOVALS || (gone > FEW_REMOVALS && 2 * gone > files)
  return isMany ? { removals: gone, files } : undefined
}
