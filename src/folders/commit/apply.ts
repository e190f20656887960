import type { Dot } from '../../protocol/version-vector.ts'
import type { Dots } from '../dots.ts'
import type { Version } from '../entry.ts'
import {
  InvalidNameError,
  IntoItselfError,
  IsADirectoryError,
  NotADirectoryError,
  PathNotFoundError,
} from '../errors.ts'
import { checkPath, formatPath, type Name, type Path } from '../names.ts'
import { freeCopyName } from '../projection.ts'
import { areSameContent, contentsOf, identityOf, type SharedContent } from '../versions.ts'
import { DraftDirectory, NOTHING, type DraftName } from './draft.ts'
import type { Edit, MoveEdit, PutEdit, RemoveEdit, SetEdit } from './edits.ts'
import type { VersionMaker } from './version-maker.ts'

/** Applies one edit to the draft of a folder's root. @throws as {@link ./commit.ts | commitEdits} says */
export async function applyEdit(
  root: DraftDirectory,
  edit: Edit,
  maker: VersionMaker,
): Promise<void> {
  switch (edit.kind) {
    case 'put':
      return await applyPut(root, edit, maker)
    case 'make-directory':
      await openDirectories(root, edit.path)
      return
    case 'remove':
      return await applyRemove(root, edit)
    case 'move':
    case 'copy':
      return await applyMove(root, edit)
    case 'set':
      return await applySet(root, edit)
  }
}

async function applyPut(
  root: DraftDirectory,
  { path, content, replaces }: PutEdit,
  maker: VersionMaker,
): Promise<void> {
  const { parents, name } = split(path)
  const parent = await openDirectories(root, parents)
  if (content.kind === 'directory') {
    await place(parent, { name, path }, parent.directoryFrom(content.directory))
    return
  }
  const version = maker.make(name, content)
  if (replaces === undefined) {
    await place(parent, { name, path }, version)
    return
  }
  const { versions, directory } = await parent.get(name)
  const others = withoutDots(versions, replaces)
  parent.set(name, { versions: withVersion(others, version), directory })
}

async function applyRemove(root: DraftDirectory, { path, replaces }: RemoveEdit): Promise<void> {
  const { parents, name } = split(path)
  const parent = await findDirectory(root, parents, path)
  if (replaces !== undefined) {
    const { versions, directory } = await parent.get(name)
    parent.set(name, { versions: withoutDots(versions, replaces), directory })
    return
  }
  const taken = await take(parent, name)
  if (taken === undefined) throw new PathNotFoundError(formatPath(path))
}

async function applyMove(root: DraftDirectory, { kind, from, to }: MoveEdit): Promise<void> {
  const source = split(from)
  const target = split(to)
  const sourceParent = await findDirectory(root, source.parents, from)
  const moved = await find(sourceParent, source.name)
  if (moved === undefined) throw new PathNotFoundError(formatPath(from))
  if (formatPath(from) === formatPath(to)) return
  const isInside = from.every((name, at) => to[at] === name)
  if (isInside && !isVersion(moved)) throw new IntoItselfError(formatPath(from))
  const targetParent = await openDirectories(root, target.parents)
  let arriving: Version | DraftDirectory
  if (isVersion(moved)) {
    arriving = targetParent.stamp({ ...moved, name: target.name })
  } else {
    arriving = moved.clone()
    arriving.stampAll()
  }
  if (kind === 'move') await take(sourceParent, source.name)
  await place(targetParent, { name: target.name, path: to }, arriving)
}

async function applySet(
  root: DraftDirectory,
  { path, mtimeMs, isExecutable }: SetEdit,
): Promise<void> {
  const { parents, name } = split(path)
  const parent = await findDirectory(root, parents, path)
  const found = await find(parent, name)
  if (found === undefined) throw new PathNotFoundError(formatPath(path))
  if (!isVersion(found)) throw new IsADirectoryError(formatPath(path))
  const timed = { ...found, name, mtimeMs: mtimeMs ?? found.mtimeMs }
  const hasFlag = timed.kind === 'file' || timed.kind === 'literal'
  const version = hasFlag ? { ...timed, isExecutable: isExecutable ?? timed.isExecutable } : timed
  await place(parent, { name, path }, parent.stamp(version))
}

/** The directory at a path; those that are missing are made. */
async function openDirectories(root: DraftDirectory, path: Path): Promise<DraftDirectory> {
  let directory = root
  for (const [at, name] of checkPath(path).entries()) {
    const draft = await directory.get(name)
    let next = draft.directory
    if (next === undefined) {
      const isFile = draft.versions.length > 0 || (await copyAt(directory, name)) !== undefined
      if (isFile) {
        throw new NotADirectoryError(formatPath(path.slice(0, at + 1)), { isInTheWay: true })
      }
      next = directory.newDirectory()
      directory.set(name, { versions: [], directory: next })
    } else {
      next.adopt()
    }
    directory = next
  }
  return directory
}

async function findDirectory(
  root: DraftDirectory,
  parents: Path,
  path: Path,
): Promise<DraftDirectory> {
  let directory = root
  for (const [at, name] of checkPath(parents).entries()) {
    const { versions, directory: next } = await directory.get(name)
    if (next === undefined) {
      if (versions.length > 0) throw new NotADirectoryError(formatPath(parents.slice(0, at + 1)))
      throw new PathNotFoundError(formatPath(path))
    }
    directory = next
  }
  return directory
}

/** What is shown under a name. */
async function find(
  parent: DraftDirectory,
  name: Name,
): Promise<Version | DraftDirectory | undefined> {
  const { versions, directory } = await parent.get(name)
  if (directory !== undefined) return directory
  const [newest] = contentsOf(versions)
  return newest?.shown ?? (await copyAt(parent, name))?.content.shown
}

/** Takes away what is shown under a name, and settles the conflict that it was part of. */
async function take(
  parent: DraftDirectory,
  name: Name,
): Promise<Version | DraftDirectory | undefined> {
  const { versions, directory } = await parent.get(name)
  const contents = contentsOf(versions)
  const [newest, ...others] = contents
  if (directory !== undefined || newest !== undefined) {
    parent.set(name, NOTHING)
    await settle(parent, name, directory === undefined ? others : contents)
    return directory ?? newest?.shown
  }
  const copy = await copyAt(parent, name)
  if (copy === undefined) return undefined
  const draft = await parent.get(copy.name)
  const remaining = draft.versions.filter((version) => !copy.content.versions.includes(version))
  parent.set(copy.name, { ...draft, versions: remaining })
  return copy.content.shown
}

/** @throws IsADirectoryError if one is in the way */
async function place(
  parent: DraftDirectory,
  { name, path }: { name: Name; path: Path },
  arriving: Version | DraftDirectory,
): Promise<void> {
  const { directory } = await parent.get(name)
  if (directory !== undefined) throw new IsADirectoryError(formatPath(path))
  await take(parent, name)
  parent.set(
    name,
    isVersion(arriving) ? { versions: [arriving] } : { versions: [], directory: arriving },
  )
}

/** Makes copies ordinary files under the names that they are shown by. */
async function settle(
  parent: DraftDirectory,
  name: Name,
  contents: readonly SharedContent[],
): Promise<void> {
  if (contents.length === 0) return
  const copies = (await parent.copies()).filter((copy) => copy.name === name)
  const isTaken = async (other: Name): Promise<boolean> =>
    other === name || !isNothing(await parent.get(other))
  for (const { shown } of contents) {
    const copy = copies.find(({ content }) => areSameContent(content.shown, shown))
    const isFree = copy !== undefined && !(await isTaken(copy.shownAs))
    const target = isFree ? copy.shownAs : await freeCopyName(shown, isTaken)
    parent.set(target, { versions: [parent.stamp({ ...shown, name: target })] })
  }
}

/** The copy that was shown under a name before the commit, if it is still there. */
async function copyAt(
  parent: DraftDirectory,
  shownAs: Name,
): Promise<{ readonly name: Name; readonly content: SharedContent } | undefined> {
  const copy = (await parent.copies()).find((copy) => copy.shownAs === shownAs)
  if (copy === undefined) return undefined
  const { versions } = await parent.get(copy.name)
  const content = contentsOf(versions).find((each) =>
    areSameContent(each.shown, copy.content.shown),
  )
  return content && { name: copy.name, content }
}

/**
 * Of one content a name has one dot of a writer at most, the newest, since what is shown of a content tells no more: an older one
 * would be there still when all that is shown is replaced.
 */
function withVersion(versions: readonly Version[], added: Version): Version[] {
  const identity = identityOf(added)
  const others = versions.flatMap((version) => {
    if (identityOf(version) === identity) return []
    return areSameContent(version, added) ? withoutWriters(version, added.dots) : [version]
  })
  return [...others, added]
}

function withoutWriters(version: Version, writers: Dots): Version[] {
  const dots = new Map(version.dots)
  for (const tag of writers.keys()) dots.delete(tag)
  return dots.size === 0 ? [] : [{ ...version, dots }]
}

function withoutDots(versions: readonly Version[], replaced: readonly Dot[]): Version[] {
  return versions.flatMap((version) => {
    const dots = new Map(version.dots)
    for (const { tag, counter } of replaced) if (dots.get(tag) === counter) dots.delete(tag)
    return dots.size === 0 ? [] : [{ ...version, dots }]
  })
}

function isNothing({ versions, directory }: DraftName): boolean {
  return versions.length === 0 && directory === undefined
}

function isVersion(found: Version | DraftDirectory): found is Version {
  return !(found instanceof DraftDirectory)
}

function split(path: Path): { parents: Path; name: Name } {
  const names = checkPath(path)
  const name = names.at(-1)
  if (name === undefined) {
    throw new InvalidNameError('The folder itself has no name that could be changed here.')
  }
  return { parents: names.slice(0, -1), name }
}
