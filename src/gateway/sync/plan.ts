import { decideLeaf, type LeafStep, type Triple } from './decide.ts'
import { holdOf, type Hold } from './hold.ts'
import { pairMoves } from './moves.ts'
import { moveDirectories } from './pull-directories.ts'
import type { Selection } from './selection.ts'
import type { BookStep, Pull, Push } from './steps.ts'
import {
  isAsAgreed,
  parentOf,
  type LocalTree,
  type PathText,
  type RemoteTree,
  type SyncedLeaf,
  type SyncedTree,
} from './trees.ts'

export interface Trees {
  readonly local: LocalTree
  readonly synced: SyncedTree
  readonly remote: RemoteTree
  /** What is left alone on both sides. */
  readonly selection?: Selection | undefined
  /** Directories that the disk would not have moved as a whole. */
  readonly stuck?: ReadonlySet<PathText> | undefined
}

/** What to do next. Nothing in it means that disk and grid agree, as far as they are to. */
export interface Plan {
  /** In any order; they become one commit. */
  readonly pushes: readonly Push[]
  /** To be done in this order: copies of conflicts first, what takes something away last. */
  readonly pulls: readonly Pull[]
  readonly books: readonly BookStep[]
  /** Why the pushes must not be done without asking. */
  readonly hold?: Hold | undefined
}

/**
 * Compares the three trees. Pure: the same trees give the same plan, so that after a crash, or when something has changed
 * meanwhile, one looks again and plans again. Steps that others must make room for are left for the next plan; each plan
 * that is carried out brings the trees closer together.
 */
export function plan(trees: Trees): Plan {
  const leaves: LeafStep[] = []
  const directories: Triple[] = []
  const below = new Below()
  for (const triple of triplesOf(trees)) {
    const step = decideLeaf(triple)
    if (step !== undefined) leaves.push(step)
    below.addLeaf(triple, step)
    if (triple.isLeftOut === true) continue
    const { local, synced, remote } = triple
    if ([local, synced, remote].some((node) => node?.kind === 'directory')) directories.push(triple)
  }
  // The deepest first, since a directory stays where one in it does.
  directories.sort((a, b) => depthOf(b.path) - depthOf(a.path))
  const steps = directories.flatMap((triple) => decideDirectory(triple, below) ?? [])
  return arrange(trees, [...leaves, ...steps])
}

type DirectoryStep = Extract<
  Push | Pull | BookStep,
  { kind: `${string}-directory` | `${string}-directory-removal` | 'agree' | 'forget' }
>

/** What will be left in directories once the steps for files are done. */
class Below {
  readonly #remote = new Set<PathText>()
  readonly #local = new Set<PathText>()
  readonly #opaque = new Set<PathText>()

  addLeaf({ path, local, remote, isLeftOut }: Triple, step: LeafStep | undefined): void {
    const parent = parentOf(path)
    if (parent === undefined) return
    if (isLeftOut === true) {
      if (local !== undefined) this.#opaque.add(parent)
      if (remote !== undefined) this.#remote.add(parent)
      return
    }
    const isLeaf = local?.kind === 'file' || local?.kind === 'symlink'
    if (local?.kind === 'opaque') this.#opaque.add(parent)
    if (isLeaf && step?.kind !== 'pull-removal') this.#local.add(parent)
    const isShown = remote !== undefined && remote.kind !== 'directory'
    if (isShown && step?.kind !== 'push-removal') this.#remote.add(parent)
  }

  /** What is left of a directory is left in its parent, too. */
  addDirectory(path: PathText, left: { local?: boolean; remote?: boolean }): void {
    const parent = parentOf(path)
    if (parent === undefined) return
    if (left.local === true) this.#local.add(parent)
    if (left.remote === true) this.#remote.add(parent)
    if (this.#opaque.has(path)) this.#opaque.add(parent)
  }

  isLeftLocally(path: PathText): boolean {
    return this.#local.has(path)
  }

  isLeftRemotely(path: PathText): boolean {
    return this.#remote.has(path)
  }

  /** Something in it is not synced at all, so that it cannot go and must not come back for that alone. */
  isHeld(path: PathText): boolean {
    return this.#opaque.has(path)
  }
}

function decideDirectory(triple: Triple, below: Below): DirectoryStep | undefined {
  const { path, local, synced, remote } = triple
  if (local?.kind === 'opaque') return undefined
  const isHere = local?.kind === 'directory'
  const isThere = remote?.kind === 'directory'
  const wasAgreed = synced?.kind === 'directory'
  if (isHere && isThere) {
    below.addDirectory(path, { local: true, remote: true })
    return wasAgreed ? undefined : { kind: 'agree', path, synced: { kind: 'directory' } }
  }
  if (isHere) {
    const isLeft = !wasAgreed || below.isLeftLocally(path)
    below.addDirectory(path, { local: isLeft })
    if (isLeft) return { kind: 'push-directory', path }
    return below.isHeld(path) ? undefined : { kind: 'pull-directory-removal', path }
  }
  if (isThere) {
    const isLeft = !wasAgreed || below.isLeftRemotely(path)
    below.addDirectory(path, { remote: isLeft })
    if (!isLeft) return { kind: 'push-directory-removal', path }
    // A file that is in the way goes first.
    return local === undefined ? { kind: 'pull-directory', path } : undefined
  }
  return wasAgreed && local === undefined && remote === undefined
    ? { kind: 'forget', path }
    : undefined
}

function arrange(trees: Trees, steps: readonly (LeafStep | DirectoryStep)[]): Plan {
  const pushes: Push[] = []
  const pulls: Pull[] = []
  const books: BookStep[] = []
  for (const step of steps) {
    switch (step.kind) {
      case 'push':
      case 'push-directory':
      case 'push-removal':
      case 'push-directory-removal':
        pushes.push(step)
        break
      case 'pull':
      case 'pull-directory':
      case 'pull-removal':
      case 'pull-directory-removal':
        pulls.push(step)
        break
      case 'agree':
      case 'forget':
        books.push(step)
        break
    }
  }
  const hasPlace = placesFor(pulls, trees)
  const placed = moveDirectories(pulls.filter(hasPlace), trees)
  const possible = pairMoves(keepContents(placed, trees)).sort(inOrder)
  return { pushes, pulls: possible, books, hold: holdOf(trees, pushes) }
}

/** Tells steps whose directory is on the disk, or made by others that have a place themselves. */
function placesFor(pulls: readonly Pull[], { local }: Trees): (step: Pull) => boolean {
  const made = new Set<PathText>()
  const hasPlace = ({ path }: Pull): boolean => {
    const parent = parentOf(path)
    return parent === undefined || local.get(parent)?.kind === 'directory' || made.has(parent)
  }
  const making = pulls.filter(({ kind }) => kind === 'pull-directory')
  for (const step of making.sort((a, b) => depthOf(a.path) - depthOf(b.path))) {
    if (hasPlace(step)) made.add(step.path)
  }
  return hasPlace
}

/**
 * What makes way for another content and becomes a conflict copy is not taken off the disk before the copy is on it, nor
 * the copy while the file that it was a version of is not what it is to be again.
 */
function keepContents(pulls: readonly Pull[], { local, remote, selection }: Trees): Pull[] {
  const copies = new Map<string, PathText>()
  for (const [path, node] of remote) {
    if (node.kind === 'file' && node.copyOf !== undefined)
      copies.set(`${node.copyOf} ${node.key}`, path)
  }
  const keeping = (step: Pull): Pull => {
    if (step.kind !== 'pull' && step.kind !== 'pull-removal') return step
    if (step.expects?.kind !== 'file') return step
    const shownAt =
      copies.get(`${step.path} ${step.expects.key}`) ?? originalOf(step.expects, remote)
    // What is left out never comes to be there.
    const isWanted = shownAt !== undefined && selection?.leavesOut(shownAt, false) !== true
    const keptAt = isWanted ? shownAt : undefined
    return keptAt === undefined ? step : { ...step, keptAt }
  }
  // While that file is written it cannot be read, and the copy waits until it can.
  const isOpaque = (path: PathText): boolean => local.get(path)?.kind === 'opaque'
  return pulls
    .map(keeping)
    .filter((step) => step.kind !== 'pull-removal' || !step.keptAt || !isOpaque(step.keptAt))
}

/** The file that a conflict copy is a version of, if the folder shows the same content there. */
function originalOf(
  { copyOf, key }: Extract<SyncedLeaf, { kind: 'file' }>,
  remote: RemoteTree,
): PathText | undefined {
  const shown = copyOf === undefined ? undefined : remote.get(copyOf)
  return shown?.kind === 'file' && shown.key === key ? copyOf : undefined
}

/** Directories from the top down, conflict copies, other contents, what goes, directories that go from the bottom up. */
function inOrder(a: Pull, b: Pull): number {
  const rank = rankOf(a) - rankOf(b)
  if (rank !== 0) return rank
  const depth = depthOf(a.path) - depthOf(b.path)
  if (depth !== 0) return a.kind === 'pull-directory-removal' ? -depth : depth
  return a.path < b.path ? -1 : 1
}

function rankOf(step: Pull): number {
  switch (step.kind) {
    case 'pull-directory':
    case 'pull-directory-move':
      return 0
    case 'pull':
    case 'pull-move':
      return step.node.copyOf === undefined ? 2 : 1
    case 'pull-removal':
      return 3
    case 'pull-directory-removal':
      return 4
  }
}

/** Every path that some tree has, but those below what is left alone. */
function* triplesOf(trees: Trees): Generator<Triple> {
  const { local, synced, remote } = trees
  const isLeftAlone = leftAlone(trees)
  const twice = findTwice(local, synced)
  for (const path of new Set([...local.keys(), ...synced.keys(), ...remote.keys()])) {
    const isLeftOut = isLeftAlone(path)
    if (isLeftOut === 'below') continue
    const isTwice = twice.has(path)
    yield {
      path,
      local: local.get(path),
      synced: synced.get(path),
      remote: remote.get(path),
      isTwice,
      isLeftOut,
    }
  }
}

/** Tells paths that are left out, and those below what the disk shows as opaque. */
function leftAlone({
  local,
  synced,
  remote,
  selection,
}: Trees): (path: PathText) => boolean | 'below' {
  const opaque = new Set<PathText>()
  for (const [path, node] of local) if (node.kind === 'opaque') opaque.add(path)
  const isDirectory = (path: PathText): boolean => {
    const kinds = [local.get(path), synced.get(path), remote.get(path)].map((node) => node?.kind)
    return kinds.includes('directory')
  }
  return (path) => {
    if (selection?.leavesOut(path, isDirectory(path)) === true) return true
    if (opaque.size === 0) return false
    for (let above = parentOf(path); above !== undefined; above = parentOf(above)) {
      if (opaque.has(above)) return 'below'
    }
    return false
  }
}

/** Paths whose content is that of a conflict copy too, or the other way round, where one of the two is as agreed. */
function findTwice(local: LocalTree, synced: SyncedTree): Set<PathText> {
  const twice = new Set<PathText>()
  for (const [path, copy] of synced) {
    if (copy.kind !== 'file' || copy.copyOf === undefined) continue
    const original = synced.get(copy.copyOf)
    if (original?.kind !== 'file' || original.hash !== copy.hash) continue
    if (isAsAgreed(local.get(copy.copyOf), original)) twice.add(path)
    if (isAsAgreed(local.get(path), copy)) twice.add(copy.copyOf)
  }
  return twice
}

function depthOf(path: PathText): number {
  let depth = 0
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) depth++
  return depth
}
