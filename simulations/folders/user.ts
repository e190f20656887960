import type { Edit, NewVersion } from '../../src/folders/commit/edits.ts'
import { parsePath } from '../../src/folders/names.ts'
import type { FolderView } from '../../src/folders/service/view.ts'
import type { SeededRandomness } from '../randomness.ts'
import { copiesIn, type Data, type Draft } from '../merge/oracle.ts'
import { directoriesOf } from '../merge/scenario.ts'
import type { Action } from '../merge/user.ts'

/** Makes up what a user does next, given what they have seen of the folder. */
export function drawActions(
  randomness: SeededRandomness,
  { seen, device, timeMs }: { seen: readonly Draft[]; device: string; timeMs: () => number },
): Action[] {
  const count = randomness.pick([1, 1, 1, 2, 3])
  return Array.from({ length: count }, (): Action => {
    const path = drawPath(randomness, seen)
    switch (randomness.below(10)) {
      case 0:
        return { kind: 'make-directory', path }
      case 1:
      case 2:
        return { kind: 'remove', path: drawKnown(randomness, seen) }
      case 3:
        return { kind: 'move', from: drawKnown(randomness, seen), to: path }
      case 4:
        return { kind: 'copy', from: drawKnown(randomness, seen), to: path }
      case 5:
        return { kind: 'set', path, mtimeMs: timeMs() }
      default: {
        const data = { text: drawText(randomness), mtimeMs: timeMs(), device }
        // Such a change is based on what is shown, so it comes alone.
        const kind = count === 1 && randomness.chance(0.3) ? 'put-over-shown' : 'put'
        return { kind, path, data }
      }
    }
  })
}

/** @param versions what the contents that actions put were stored as */
export async function editOf(
  view: FolderView,
  action: Action,
  versions: ReadonlyMap<Data, NewVersion>,
): Promise<Edit> {
  switch (action.kind) {
    case 'put':
    case 'put-over-shown': {
      const path = parsePath(action.path)
      const content = versions.get(action.data) as NewVersion
      if (action.kind === 'put') return { kind: 'put', path, content }
      const shown = await view.stat(path).catch(() => undefined)
      const isVersion = shown !== undefined && shown.entry.kind !== 'directory'
      const dots = isVersion && shown.copyOf === undefined ? [...shown.entry.dots] : []
      return {
        kind: 'put',
        path,
        content,
        replaces: dots.map(([tag, counter]) => ({ tag, counter })),
      }
    }
    case 'make-directory':
    case 'remove':
      return { kind: action.kind, path: parsePath(action.path) }
    case 'move':
    case 'copy':
      return { kind: action.kind, from: parsePath(action.from), to: parsePath(action.to) }
    case 'set':
      return { kind: 'set', path: parsePath(action.path), mtimeMs: action.mtimeMs }
  }
}

/** One of few contents, so that devices put the same, or a new one; at the edges of where contents are kept. */
function drawText(randomness: SeededRandomness): string {
  const sizeBytes = randomness.pick(SIZES_BYTES)
  if (sizeBytes === 0) return 'empty 0'
  const name = randomness.chance(0.3) ? randomness.below(3) : `new-${randomness.below(1e9)}`
  return `${name} ${sizeBytes}`
}

const SIZES_BYTES = [
  0, 12, 12, 12, 100, 100, 1_023, 1_024, 1_025, 1_025, 5_000, 20_000, 65_536, 65_537, 150_000,
]
const DIRECTORY_NAMES = ['d', 'e']
const NAMES = ['d', 'f.txt', 'g', 'h.tar.gz', 'i']

/** One of few, so that devices meet; often one that is there, or shown there. */
function drawPath(randomness: SeededRandomness, seen: readonly Draft[]): string {
  if (seen.length > 0 && randomness.chance(0.5)) return drawKnown(randomness, seen)
  const depth = randomness.pick([1, 1, 1, 2, 2, 3])
  const names = Array.from({ length: depth - 1 }, () => randomness.pick(DIRECTORY_NAMES))
  return [...names, randomness.pick(NAMES)].join('/')
}

function drawKnown(randomness: SeededRandomness, seen: readonly Draft[]): string {
  const copies = directoriesOf(seen).flatMap((path) => Array.from(copiesIn(seen, path).keys()))
  if (copies.length > 0 && randomness.chance(0.4)) return randomness.pick(copies)
  return seen.length === 0 ? randomness.pick(NAMES) : randomness.pick(seen).path
}
