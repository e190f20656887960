import type { Dot } from '../../protocol/version-vector.ts'
import type { Edit, NewVersion } from '../../folders/commit/edits.ts'
import { isVersion, type Version } from '../../folders/entry.ts'
import type { Shown } from '../../folders/read.ts'
import { includesDots, NO_DOTS, type Dots } from '../../folders/dots.ts'
import { movingDirectories, type MovedDirectories } from './commit-moves.ts'
import { isDirectory, statIn, type EditedView } from './edited-view.ts'
import type { PushContent, PushRemoval, ReadyPush } from './steps.ts'
import { contentKeyOf } from './remote-tree.ts'
import { parentOf, pathOf, pathText, type PathText } from './trees.ts'

/**
 * The edits that bring pushes into a folder as it is by then, whatever others have made of it since it was compared. They
 * take away nothing but the dots that the pushes were based on, and no directory that holds anything else.
 */
export async function editsOf(view: EditedView, pushes: readonly ReadyPush[]): Promise<Edit[]> {
  return await editsAround(view, pushes, await movingDirectories(view, pushes))
}

/** The same where some of it is to be done by moving directories. */
export async function editsAround(
  view: EditedView,
  pushes: readonly ReadyPush[],
  { edits: moves, rest }: MovedDirectories,
): Promise<Edit[]> {
  const removals = rest.filter((push) => push.kind === 'push-removal')
  const puts = await withoutShown(view, rest)
  const asides = await findAsides(view, rest)
  return [
    // First, since what they are moved from may go as well.
    ...moves,
    ...(await removingFiles(view, [...removals, ...puts.filter(isOfCopy)])),
    ...(await removingDirectories(view, rest, pushes)),
    ...asides.map(({ path, dots }): Edit => removing(path, dots)),
    ...making(rest),
    ...puts.map(putting),
    // After its directory: the name then has both, and the directory is what it shows.
    ...asides.map(({ to, version }): Edit => {
      return { kind: 'put', path: pathOf(to), content: version, replaces: [] }
    }),
  ]
}

/**
 * The conflict copies that a folder shows may be in a directory before it is synced. To put them under these names would
 * make files of their own of them, and the copies would be shown again beside them.
 */
async function withoutShown(
  view: EditedView,
  pushes: readonly ReadyPush[],
): Promise<(PushContent & { content: NewVersion })[]> {
  const puts = []
  for (const push of pushes) {
    if (push.kind !== 'push') continue
    if (push.mayBeShown !== true || !(await isShownCopy(view, push))) puts.push(push)
  }
  return puts
}

async function isShownCopy(
  view: EditedView,
  { path, content }: { readonly path: PathText; readonly content: NewVersion },
): Promise<boolean> {
  const shown = await statIn(view, path)
  if (shown?.copyOf === undefined || !isFileLike(shown.entry) || !isFileLike(content)) return false
  const isSameContent = contentKeyOf(shown.entry) === contentKeyOf(content)
  return isSameContent && shown.entry.isExecutable === (content.isExecutable ?? false)
}

function isFileLike<T extends { readonly kind: string }>(
  version: T,
): version is Extract<T, { kind: 'file' | 'literal' }> {
  return version.kind === 'file' || version.kind === 'literal'
}

function isOfCopy({ copyOf }: PushContent): boolean {
  return copyOf !== undefined
}

async function removingFiles(
  view: EditedView,
  pushes: readonly (PushRemoval | PushContent)[],
): Promise<Edit[]> {
  const edits: Edit[] = []
  for (const { path, copyOf, replaces } of pushes) {
    const place = copyOf ?? path
    if (await isInDirectory(view, place)) edits.push(removing(place, replaces))
  }
  return edits
}

/** A directory goes if all that it shows goes with it, by whatever push. */
async function removingDirectories(
  view: EditedView,
  pushes: readonly ReadyPush[],
  all: readonly ReadyPush[],
): Promise<Edit[]> {
  const directories = pushes.filter(isDirectoryRemoval)
  const removals = all.filter((push) => push.kind === 'push-removal')
  const going = new Map(removals.map(({ path, replaces }) => [path, replaces]))
  const removable = new Set(all.filter(isDirectoryRemoval).map(({ path }) => path))
  const gone = new Set<PathText>()
  const edits: Edit[] = []
  // From the top: what is in a directory that goes needs no edit of its own.
  for (const { path } of directories.toSorted((a, b) => a.path.length - b.path.length)) {
    if (isBelowOne(path, gone) || !(await isDirectory(view, path))) continue
    if (!(await isEmptied(view, path, { going, removable }))) continue
    gone.add(path)
    edits.push({ kind: 'remove', path: pathOf(path) })
  }
  return edits
}

function isDirectoryRemoval({ kind }: ReadyPush): boolean {
  return kind === 'push-directory-removal'
}

async function isEmptied(
  view: EditedView,
  path: PathText,
  { going, removable }: { going: ReadonlyMap<PathText, Dots>; removable: ReadonlySet<PathText> },
): Promise<boolean> {
  for await (const shown of view.walk(pathOf(path))) {
    const here = pathText(shown.path)
    if (shown.entry.kind === 'directory') {
      if (!removable.has(here)) return false
      continue
    }
    const replaces = going.get(here)
    if (replaces === undefined || !includesDots(replaces, shown.dots)) return false
  }
  return true
}

/** A version that stands where a directory is needed. */
interface Aside {
  readonly path: PathText
  /** Where it is from now on. */
  readonly to: PathText
  readonly version: Version
  readonly dots: Dots
}

/** Others may have put a file where a directory of ours is to be. It stays, as a conflict copy beside the directory. */
async function findAsides(view: EditedView, pushes: readonly ReadyPush[]): Promise<Aside[]> {
  const needed = new Set<PathText>()
  for (const push of pushes) {
    if (push.kind === 'push-directory') addWithParents(needed, push.path)
    const parent = push.kind === 'push' ? parentOf(push.path) : undefined
    if (parent !== undefined) addWithParents(needed, parent)
  }
  const removed = new Map<PathText, Dots>()
  for (const push of pushes) {
    if (push.kind !== 'push-removal') continue
    removed.set(push.copyOf ?? push.path, push.replaces)
  }
  const asides: Aside[] = []
  for (const path of needed) {
    let to = path
    for (const { entry, dots, name } of await versionsAt(view, path)) {
      const isGoing = includesDots(removed.get(path) ?? NO_DOTS, dots)
      if (!isVersion(entry) || isGoing) continue
      // What one commit puts has one dot. Two under one name would be told apart by nobody, so the others become files of
      // their own, under the names that they are shown by.
      if (asides.at(-1)?.path === path) to = pathText([...pathOf(path).slice(0, -1), name])
      asides.push({ path, to, version: entry, dots })
    }
  }
  return asides
}

/** All versions of a name that shows no directory. */
async function versionsAt(view: EditedView, path: PathText): Promise<Shown[]> {
  const shown = await statIn(view, path)
  if (shown === undefined || shown.entry.kind === 'directory') return []
  const parent = parentOf(path)
  const siblings = await view.list(parent === undefined ? [] : pathOf(parent))
  return [shown, ...siblings.filter(({ copyOf }) => copyOf === shown.name)]
}

function making(pushes: readonly ReadyPush[]): Edit[] {
  const paths = pushes.filter(({ kind }) => kind === 'push-directory').map(({ path }) => path)
  return paths.sort().map((path): Edit => ({ kind: 'make-directory', path: pathOf(path) }))
}

function putting({ path, content, replaces, copyOf }: PushContent & { content: NewVersion }): Edit {
  const own = copyOf === undefined ? dotList(replaces) : []
  return { kind: 'put', path: pathOf(path), content, replaces: own }
}

function removing(path: PathText, dots: Dots): Edit {
  return { kind: 'remove', path: pathOf(path), replaces: dotList(dots) }
}

function dotList(dots: Dots): Dot[] {
  return [...dots].map(([tag, counter]) => ({ tag, counter }))
}

async function isInDirectory(view: EditedView, path: PathText): Promise<boolean> {
  const parent = parentOf(path)
  return parent === undefined || (await isDirectory(view, parent))
}

function isBelowOne(path: PathText, directories: ReadonlySet<PathText>): boolean {
  for (let above = parentOf(path); above !== undefined; above = parentOf(above)) {
    if (directories.has(above)) return true
  }
  return false
}

function addWithParents(paths: Set<PathText>, path: PathText): void {
  for (let at: PathText | undefined = path; at !== undefined; at = parentOf(at)) paths.add(at)
}
