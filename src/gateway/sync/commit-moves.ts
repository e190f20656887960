import type { Edit, NewVersion } from '../../folders/commit/edits.ts'
import { includesDots } from '../../folders/dots.ts'
import type { Entry } from '../../folders/entry.ts'
import {
  directoryOf,
  findDirectoryMoves,
  movedPath,
  type DirectoryMove,
  type GoingAndComing,
} from './directory-moves.ts'
import { isDirectory, statIn, type EditedView } from './edited-view.ts'
import { contentKeyOf } from './remote-tree.ts'
import type { PushContent, PushRemoval, ReadyPush } from './steps.ts'
import { contentTextOf, parentOf, pathOf, pathText, type PathText } from './trees.ts'

/** Edits that move whole directories, and the pushes that these do not cover. */
export interface MovedDirectories {
  readonly edits: readonly Edit[]
  readonly rest: readonly ReadyPush[]
}

type ReadyContent = PushContent & { readonly content: NewVersion }

/** What pushes say of each path. */
interface Pushed {
  readonly puts: ReadonlyMap<PathText, ReadyContent>
  readonly removals: ReadonlyMap<PathText, PushRemoval>
  readonly directories: GoingAndComing
}

/**
 * Where pushes take a directory from one place and make it anew at another, it is moved by reference: one edit for all that
 * is in it, and the folder's tree keeps what it has of it. The folder becomes exactly what the pushes one by one would make
 * of it; so a directory in which it shows anything else, or where something is in the way, is left to them.
 */
export async function movingDirectories(
  view: EditedView,
  pushes: readonly ReadyPush[],
): Promise<MovedDirectories> {
  const pushed = pushedBy(pushes)
  const edits: Edit[] = []
  const covered = new Set<PathText>()
  const moved = new Map<PathText, true>()
  for (const move of findDirectoryMoves(pushed.directories)) {
    const adjusting = await adjustmentsOf(view, move, pushed)
    if (adjusting === undefined) continue
    edits.push({ kind: 'move', from: pathOf(move.from), to: pathOf(move.to) }, ...adjusting.edits)
    for (const path of adjusting.covered) covered.add(path)
    moved.set(move.from, true)
  }
  if (edits.length === 0) return { edits, rest: pushes }
  const rest = pushes.filter(({ kind, path }) => {
    // A file may have the name of a directory that was moved away.
    const isRemoval = kind === 'push-removal' || kind === 'push-directory-removal'
    return !covered.has(path) && !(isRemoval && directoryOf(path, moved) !== undefined)
  })
  return { edits, rest }
}

function pushedBy(pushes: readonly ReadyPush[]): Pushed {
  const puts = new Map<PathText, ReadyContent>()
  const removals = new Map<PathText, PushRemoval>()
  const going = new Map<PathText, string>()
  const coming = new Map<PathText, string>()
  const goingDirectories = new Set<PathText>()
  const comingDirectories = new Set<PathText>()
  for (const push of pushes) {
    const { path } = push
    if (push.kind === 'push-directory') comingDirectories.add(path)
    else if (push.kind === 'push-directory-removal') goingDirectories.add(path)
    else if (push.copyOf !== undefined) continue
    else if (push.kind === 'push-removal') {
      removals.set(path, push)
      going.set(path, contentTextOf(push.was))
    } else {
      puts.set(path, push)
      coming.set(path, contentText(push.content))
    }
  }
  return { puts, removals, directories: { going, coming, goingDirectories, comingDirectories } }
}

/** What is to be done to a directory after it was moved. @returns undefined if it must not be, or is too much else */
async function adjustmentsOf(
  view: EditedView,
  move: DirectoryMove,
  { puts, removals, directories }: Pushed,
): Promise<{ readonly edits: readonly Edit[]; readonly covered: readonly PathText[] } | undefined> {
  if (!(await isFree(view, move.to)) || !(await isDirectory(view, move.from))) return undefined
  const edits: Edit[] = []
  const covered: PathText[] = [move.to]
  const taken = new Map<PathText, true>()
  let [kept, files] = [0, 0]
  for await (const shown of view.walk(pathOf(move.from))) {
    const path = pathText(shown.path)
    const target = movedPath(path, move)
    const isCopy = shown.copyOf !== undefined
    if (shown.entry.kind === 'directory') {
      if (!directories.goingDirectories.has(path)) return undefined
      if (directoryOf(target, taken) !== undefined) continue
      if (directories.comingDirectories.has(target)) covered.push(target)
      else {
        taken.set(target, true)
        edits.push({ kind: 'remove', path: pathOf(target) })
      }
      continue
    }
    const removal = removals.get(path)
    // Whatever else somebody has put there is theirs, and stays.
    if (isCopy || removal === undefined || !includesDots(removal.replaces, shown.dots))
      return undefined
    files++
    if (directoryOf(target, taken) !== undefined) continue
    const put = puts.get(target)
    if (put !== undefined) covered.push(target)
    if (put !== undefined && saysSame(shown.entry, put.content)) kept++
    else if (put === undefined) edits.push({ kind: 'remove', path: pathOf(target) })
    else edits.push({ kind: 'put', path: pathOf(target), content: put.content })
  }
  return kept === 0 || 2 * kept < files ? undefined : { edits, covered }
}

/** Nothing is there, nor a file on the way. */
async function isFree(view: EditedView, path: PathText): Promise<boolean> {
  if ((await statIn(view, path)) !== undefined) return false
  for (let at = parentOf(path); at !== undefined; at = parentOf(at)) {
    const shown = await statIn(view, at)
    if (shown !== undefined) return shown.entry.kind === 'directory'
  }
  return true
}

function saysSame(entry: Entry, content: NewVersion): boolean {
  const isVersion = entry.kind === 'file' || entry.kind === 'literal' || entry.kind === 'symlink'
  if (!isVersion || contentText(entry) !== contentText(content)) return false
  return entry.kind === 'symlink' || entry.mtimeMs === content.mtimeMs
}

function contentText(content: NewVersion | Entry): string {
  switch (content.kind) {
    case 'file':
    case 'literal': {
      const { isExecutable = false } = content
      return contentTextOf({ kind: 'file', key: contentKeyOf(content), isExecutable })
    }
    case 'symlink':
      return contentTextOf(content)
    case 'directory':
    case 'linked-file':
    case 'linked-folder':
      return ''
  }
}
