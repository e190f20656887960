import { parentOf, type PathText } from './trees.ts'

/** A directory that is somewhere else now, with most of what was in it. */
export interface DirectoryMove {
  readonly from: PathText
  readonly to: PathText
}

/** What goes and what comes between two trees. */
export interface GoingAndComing {
  /** Files and links; what they map to tells contents apart. */
  readonly going: ReadonlyMap<PathText, string>
  readonly coming: ReadonlyMap<PathText, string>
  readonly goingDirectories: ReadonlySet<PathText>
  readonly comingDirectories: ReadonlySet<PathText>
}

/** Of many files with one name and content, as empty ones may be, so many are looked at for each that comes. */
const MAX_ALIKE = 8

/**
 * Directories that were moved, by what is in them: at least half of the files that go from one come again below the other,
 * under the same names. None of them lies in another one or where another one was. Moves are guessed here and no more:
 * whoever carries them out looks at what is there.
 */
export function findDirectoryMoves(moving: GoingAndComing): DirectoryMove[] {
  if (moving.goingDirectories.size === 0 || moving.comingDirectories.size === 0) return []
  const sizes = sizesOf(moving)
  const found = votesFor(moving)
    .filter(({ files, from }) => 2 * files >= (sizes.get(from) ?? 0))
    .sort((a, b) => b.files - a.files || (a.from + a.to < b.from + b.to ? -1 : 1))
  const apart = new Apart()
  return found.filter(({ from, to }) => {
    if (!apart.isApart(from) || !apart.isApart(to) || isBelow(from, to) || isBelow(to, from))
      return false
    apart.add(from)
    apart.add(to)
    return true
  })
}

/** How many files go from each directory. */
function sizesOf({ going }: GoingAndComing): Map<PathText, number> {
  const sizes = new Map<PathText, number>()
  for (const path of going.keys()) {
    for (let at = parentOf(path); at !== undefined; at = parentOf(at)) {
      sizes.set(at, (sizes.get(at) ?? 0) + 1)
    }
  }
  return sizes
}

/** Each file that comes where another one goes speaks for one move: the one that is highest up. */
function votesFor(moving: GoingAndComing): (DirectoryMove & { files: number })[] {
  const alike = new Map<string, PathText[]>()
  for (const [path, content] of moving.going) {
    const key = keyOf(path, content)
    const same = alike.get(key)
    if (same === undefined) alike.set(key, [path])
    else if (same.length < MAX_ALIKE) same.push(path)
  }
  const votes = new Map<string, DirectoryMove & { files: number }>()
  for (const [path, content] of moving.coming) {
    for (const was of alike.get(keyOf(path, content)) ?? []) {
      const move = moveBetween(was, path, moving)
      if (move === undefined) continue
      const key = `${move.from}\0${move.to}`
      const vote = votes.get(key) ?? { ...move, files: 0 }
      vote.files++
      votes.set(key, vote)
    }
  }
  return [...votes.values()]
}

function moveBetween(
  was: PathText,
  is: PathText,
  { goingDirectories, comingDirectories }: GoingAndComing,
): DirectoryMove | undefined {
  let move: DirectoryMove | undefined
  let [from, to] = [was as PathText | undefined, is as PathText | undefined]
  // As far up as both have the same names.
  while (from !== undefined && to !== undefined && nameOf(from) === nameOf(to)) {
    from = parentOf(from)
    to = parentOf(to)
    if (from === undefined || to === undefined || from === to) break
    if (goingDirectories.has(from) && comingDirectories.has(to)) move = { from, to }
  }
  return move
}

/** Paths of which none lies in another. */
class Apart {
  readonly #paths = new Set<PathText>()
  readonly #above = new Set<PathText>()

  isApart(path: PathText): boolean {
    if (this.#above.has(path)) return false
    for (let at: PathText | undefined = path; at !== undefined; at = parentOf(at)) {
      if (this.#paths.has(at)) return false
    }
    return true
  }

  add(path: PathText): void {
    this.#paths.add(path)
    for (let at = parentOf(path); at !== undefined; at = parentOf(at)) this.#above.add(at)
  }
}

/** Finds the directory that a path lies in or is, of several that lie apart. */
export function directoryOf<T>(
  path: PathText,
  directories: ReadonlyMap<PathText, T>,
): T | undefined {
  for (let at: PathText | undefined = path; at !== undefined; at = parentOf(at)) {
    const found = directories.get(at)
    if (found !== undefined) return found
  }
  return undefined
}

/** Where a path comes to lie that is in a directory that moves, or is it. */
export function movedPath(path: PathText, { from, to }: DirectoryMove): PathText {
  return `${to}${path.slice(from.length)}` as PathText
}

function isBelow(path: PathText, directory: PathText): boolean {
  return path.startsWith(`${directory}/`)
}

function keyOf(path: PathText, content: string): string {
  return `${nameOf(path)}/${content}`
}

function nameOf(path: PathText): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
