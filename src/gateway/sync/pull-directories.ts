import {
  directoryOf,
  findDirectoryMoves,
  movedPath,
  type DirectoryMove,
} from './directory-moves.ts'
import { replacedAtOnce } from './intents.ts'
import type { Selection } from './selection.ts'
import type { MovedNode, Pull } from './steps.ts'
import {
  contentTextOf,
  isAsShown,
  type PathText,
  type RemoteTree,
  type SyncedNode,
  type SyncedTree,
} from './trees.ts'

export interface MovingTrees {
  readonly synced: SyncedTree
  readonly remote: RemoteTree
  readonly selection?: Selection | undefined
  /** Directories that the disk would not have moved. */
  readonly stuck?: ReadonlySet<PathText> | undefined
}

/**
 * Where a directory is to go, and another one to come with the same in it, the directory is moved. What else is to be done in
 * either of them is left for the next plan. Such a directory holds nothing on the disk but what was agreed, as it would not
 * go otherwise; should a user change something in it meanwhile, that moves along.
 */
export function moveDirectories(pulls: readonly Pull[], trees: MovingTrees): readonly Pull[] {
  const found = findMoves(pulls).filter(({ from }) => trees.stuck?.has(from) !== true)
  if (found.length === 0) return pulls
  const steps = movesOf(found, trees)
  if (steps.length === 0) return pulls
  const concerned = new Map<PathText, true>()
  for (const { from, path } of steps) concerned.set(from, true).set(path, true)
  const isConcerned = (path: PathText): boolean => directoryOf(path, concerned) !== undefined
  const others = pulls.filter((step) => !isConcerned(step.path))
  return [...steps, ...others]
}

function findMoves(pulls: readonly Pull[]): DirectoryMove[] {
  const going = new Map<PathText, string>()
  const coming = new Map<PathText, string>()
  const goingDirectories = new Set<PathText>()
  const comingDirectories = new Set<PathText>()
  for (const step of pulls) {
    const { path } = step
    if (step.kind === 'pull-directory') comingDirectories.add(path)
    else if (step.kind === 'pull-directory-removal') goingDirectories.add(path)
    else if (step.kind === 'pull-removal') going.set(path, contentTextOf(step.expects))
    else if (step.kind === 'pull') coming.set(path, contentTextOf(step.node))
  }
  return findDirectoryMoves({ going, coming, goingDirectories, comingDirectories })
}

function movesOf(
  found: readonly DirectoryMove[],
  trees: MovingTrees,
): Extract<Pull, { kind: 'pull-directory-move' }>[] {
  const moves = new Map(found.map((move) => [move.from, { move, moved: [] as MovedNode[] }]))
  const others = new Set<PathText>()
  for (const [path, node] of trees.synced) {
    const within = directoryOf(path, moves)
    if (within === undefined) continue
    const { move, moved } = within
    const target = movedPath(path, move)
    if (canBecome(node, target, trees)) {
      moved.push({ from: path, path: target, becomes: becoming(node, target, trees) })
    } else others.add(move.from)
  }
  return [...moves.values()]
    .filter(({ move }) => !others.has(move.from))
    .map(({ move, moved }) => ({
      kind: 'pull-directory-move',
      from: move.from,
      path: move.to,
      moved,
    }))
}

/** Conflict copies belong to what they are copies of, and what is left out elsewhere does not go there. */
function canBecome(
  node: SyncedNode,
  target: PathText,
  { remote, selection }: MovingTrees,
): boolean {
  const isDirectory = node.kind === 'directory'
  const shown = remote.get(target)
  const isCopy = !isDirectory && node.copyOf !== undefined
  const isShownAsCopy =
    shown !== undefined && shown.kind !== 'directory' && shown.copyOf !== undefined
  return !isCopy && !isShownAsCopy && selection?.leavesOut(target, isDirectory) !== true
}

/** What the folder shows there, if it is the same; else something that it does not show any more. */
function becoming(node: SyncedNode, target: PathText, { remote }: MovingTrees): SyncedNode {
  if (node.kind === 'directory') return node
  const shown = remote.get(target)
  const isSame = shown !== undefined && shown.kind !== 'directory' && isAsShown(shown, node)
  return isSame ? { ...node, dots: shown.dots } : replacedAtOnce(node)
}
