import { equalDots, type Dots } from './dots.ts'
import { isVersion, type Directory, type Entry, type Totals } from './entry.ts'
import { NotADirectoryError, PathNotFoundError } from './errors.ts'
import { compareNames, formatPath, type Name, type Path } from './names.ts'
import type { BlockReference } from '../grid/files/index-node.ts'
import { projectCopies, splitContents } from './projection.ts'
import type { FolderState } from './state.ts'
import { EMPTY_PART, type Node } from './tree/node-codec.ts'
import { openDirectory, openFrozen, openRoot } from './tree/part.ts'
import {
  areSameDirectories,
  areSameEntries,
  diffNodes,
  lookUp,
  nameEntriesOf,
  readEntries,
} from './tree/read.ts'
import type { TreeStore } from './tree/store.ts'
import { groupByName } from './tree/summary.ts'
import { dotsOf } from './versions.ts'

/** What is shown under one name of a directory. */
export interface Shown {
  readonly name: Name
  /** As it is stored: of a conflict copy under the name that it is a version of. */
  readonly entry: Entry
  /** What a change of it replaces: the dots of all versions that have this content. Of a directory its own. */
  readonly dots: Dots
  /** Of a conflict copy the name that it is a version of. */
  readonly copyOf?: Name | undefined
}

/** What can be read: a state of a folder, or a directory that was frozen. */
export interface ReadableTree {
  readonly root: BlockReference
  /** Whether nothing but the reference is known of it. */
  readonly isFrozen?: boolean | undefined
}

/** Reads the topmost node. */
export async function openTree(store: TreeStore, { root, isFrozen }: ReadableTree): Promise<Node> {
  return isFrozen === true ? await openFrozen(store, root) : await openRoot(store, root)
}

/** What is at a path; undefined if nothing is. @throws NotADirectoryError if the path leads through a file */
export async function statPath(
  store: TreeStore,
  tree: ReadableTree,
  path: Path,
): Promise<Shown | undefined> {
  const name = path.at(-1)
  if (name === undefined) throw new NotADirectoryError('/')
  const parent = await findNode(store, tree, path.slice(0, -1))
  return parent && (await shownAt(store, parent, name))
}

/**
 * All that a directory shows, sorted by the bytes of names.
 * @throws PathNotFoundError, NotADirectoryError
 */
export async function listDirectory(
  store: TreeStore,
  tree: ReadableTree,
  path: Path,
): Promise<Shown[]> {
  return await listNode(store, await openAt(store, tree, path))
}

/**
 * Everything below a directory, each directory before what is in it, names sorted.
 * @throws PathNotFoundError, NotADirectoryError
 */
export async function* walkDirectory(
  store: TreeStore,
  tree: ReadableTree,
  path: Path,
): AsyncGenerator<Shown & { readonly path: Path }> {
  yield* walkNode(store, await openAt(store, tree, path), path)
}

/**
 * How much lies below a directory, every version of a name counted. Follows from one node, not from reading all.
 * @throws PathNotFoundError, NotADirectoryError
 */
export async function measureDirectory(
  store: TreeStore,
  tree: ReadableTree,
  path: Path,
): Promise<Omit<Totals, 'dots'>> {
  const { files, copies, sizeBytes, newestMs, height } = (await openAt(store, tree, path)).summary
  return { files, copies, sizeBytes, newestMs, height }
}

/** What changed under one name between two states; sorted as in a node. */
export interface PathDifference {
  readonly path: Path
  readonly before: readonly Entry[]
  readonly after: readonly Entry[]
}

/**
 * Where two states differ, down to the last name: of a directory that only one has, all that is in it. What they have
 * in common is not read. A directory comes before what is in it, and among the differences itself if it came, went,
 * or has other dots. Names of one directory come in no particular order.
 */
export async function* diffStates(
  store: TreeStore,
  { before, after }: { before: FolderState; after: FolderState },
): AsyncGenerator<PathDifference> {
  const nodes = {
    before: await openRoot(store, before.root),
    after: await openRoot(store, after.root),
  }
  yield* diffBelow(store, nodes, [])
}

async function* diffBelow(
  store: TreeStore,
  nodes: { before: Node; after: Node },
  path: Path,
): AsyncGenerator<PathDifference> {
  for await (const { name, before, after } of diffNodes(store, nodes)) {
    const here = [...path, name]
    const { directory: older } = nameEntriesOf(before)
    const { directory: newer } = nameEntriesOf(after)
    const isOnlyBelow =
      older !== undefined &&
      newer !== undefined &&
      equalDots(older.dots, newer.dots) &&
      areSameEntries(before.filter(isVersion), after.filter(isVersion))
    if (!isOnlyBelow) yield { path: here, before, after }
    if (older && newer && areSameDirectories(older, newer)) continue
    if (older === undefined && newer === undefined) continue
    const below = {
      before: older === undefined ? EMPTY_PART : await openDirectory(store, older),
      after: newer === undefined ? EMPTY_PART : await openDirectory(store, newer),
    }
    yield* diffBelow(store, below, here)
  }
}

async function* walkNode(
  store: TreeStore,
  node: Node,
  path: Path,
): AsyncGenerator<Shown & { readonly path: Path }> {
  for (const shown of await listNode(store, node)) {
    const here = [...path, shown.name]
    yield { ...shown, path: here }
    if (shown.entry.kind !== 'directory') continue
    // Ends, as a directory's height is checked to be less than that of the one which it is in.
    yield* walkNode(store, await openDirectory(store, shown.entry), here)
  }
}

async function listNode(store: TreeStore, node: Node): Promise<Shown[]> {
  const entries = await readEntries(store, node)
  const shown: Shown[] = []
  for (const group of groupByName(entries)) {
    const { keeper } = splitContents(group)
    if (keeper === undefined) continue
    const { entry, dots } = keeper
    shown.push({ name: entry.name, entry, dots })
  }
  const copies = await projectCopies(store, node)
  if (copies.length === 0) return shown
  for (const { shownAs, name, content } of copies) {
    shown.push({ name: shownAs, entry: content.shown, dots: dotsOf(content), copyOf: name })
  }
  return shown.sort((a, b) => compareNames(a.name, b.name))
}

async function shownAt(store: TreeStore, node: Node, name: Name): Promise<Shown | undefined> {
  const { versions, directory } = await lookUp(store, node, name)
  const { keeper } = splitContents(directory ? [directory, ...versions] : versions)
  if (keeper !== undefined) return { name, ...keeper }
  const copy = (await projectCopies(store, node)).find(({ shownAs }) => shownAs === name)
  if (copy === undefined) return undefined
  const { name: copyOf, content } = copy
  return { name, entry: content.shown, dots: dotsOf(content), copyOf }
}

async function openAt(store: TreeStore, tree: ReadableTree, path: Path): Promise<Node> {
  const node = await findNode(store, tree, path)
  if (node === undefined) throw new PathNotFoundError(formatPath(path))
  return node
}

async function findNode(
  store: TreeStore,
  tree: ReadableTree,
  path: Path,
): Promise<Node | undefined> {
  let node = await openTree(store, tree)
  for (const [at, name] of path.entries()) {
    const shown = await shownAt(store, node, name)
    if (shown === undefined) return undefined
    if (shown.entry.kind !== 'directory') {
      throw new NotADirectoryError(formatPath(path.slice(0, at + 1)))
    }
    node = await openDirectory(store, shown.entry satisfies Directory)
  }
  return node
}
