import type { Edit, NewVersion } from '../../src/folders/commit/edits.ts'
import { parsePath } from '../../src/folders/names.ts'
import type { FolderView } from '../../src/folders/service/view.ts'
import type { TagHex } from '../../src/protocol/version-vector.ts'
import type { SeededRandomness } from '../randomness.ts'
import { copiesIn, nameAt, type Data, type Draft, type Element } from '../merge/oracle.ts'
import { directoriesOf } from '../merge/scenario.ts'
import type { Action, PutOverSeen } from '../merge/user.ts'

/** What users do in a simulated folder. */
export type FolderAction = Action | PutOverSeen

/** Makes up what a user does next, given what they have seen of the folder. */
export function drawActions(
  randomness: SeededRandomness,
  { seen, device, timeMs }: { seen: readonly Element[]; device: string; timeMs: () => number },
): FolderAction[] {
  const count = randomness.pick([1, 1, 1, 2, 3])
  return Array.from({ length: count }, (): FolderAction => {
    const path = drawPath(randomness, seen)
    // In a folder that looks empty there is nothing to remove or move.
    switch (seen.length === 0 ? MAKES : randomness.below(10)) {
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
        // Such changes are based on what is shown, so they come alone.
        if (count > 1 || randomness.chance(0.2)) return { kind: 'put', path, data }
        if (randomness.chance(0.3)) return { kind: 'put-over-shown', path, data }
        return { kind: 'put-over-seen', path, data, seen: commitsAt(seen, path) }
      }
    }
  })
}

/** @param versions what the contents that actions put were stored as */
export async function editOf(
  view: FolderView,
  action: FolderAction,
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
    case 'put-over-seen': {
      const content = versions.get(action.data) as NewVersion
      const replaces = [...action.seen].map((commit) => {
        const [tag = '', counter] = commit.split(' ')
        return { tag: tag as TagHex, counter: Number(counter) }
      })
      return { kind: 'put', path: parsePath(action.path), content, replaces }
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

/** The commits that put what is shown first at a path. */
function commitsAt(seen: readonly Element[], path: string): ReadonlySet<string> {
  const [shown] = nameAt(seen, path).contents
  return new Set(shown?.elements.map((element) => (element as Element).addedBy))
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
/** Of the kinds of actions, one that puts a file. */
const MAKES = 9
const HOT_PATH = 'list.txt'
const NAMES = ['d', 'f.txt', 'g', 'h.tar.gz', 'i']

/** One of few, so that devices meet; often one that is there, or shown there. */
export function drawPath(randomness: SeededRandomness, seen: readonly Draft[]): string {
  // Where all meet.
  if (randomness.chance(0.35)) return HOT_PATH
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
