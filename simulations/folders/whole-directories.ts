import { compareNames } from '../../src/folders/names.ts'
import { copiesIn, nameAt, type Data, type Draft } from '../merge/oracle.ts'
import { flattenElements } from '../merge/replica.ts'
import { Desk, parentOf, perform, Refused } from '../merge/user.ts'
import { isLink } from './shown.ts'

/**
 * What comes of making a directory a folder of its own, on the plain lists of all that folders hold.
 * @param options.device whose user does it: what is put anew carries its name
 * @param options.link what the link holds, given the newest time of what is in the directory
 * @throws Refused
 */
export function promoted(
  elements: readonly Draft[],
  {
    path,
    device,
    link,
  }: { path: string; device: string; link: (newestMs: number | undefined) => Data },
): { readonly parent: readonly Draft[]; readonly child: readonly Draft[] } {
  const found = shownAt(elements, path)
  if (found?.isDirectory !== true) throw new Refused('no directory')
  const inside = below(elements, path)
  let child = below(found.drafts, path).filter(
    ({ path, data }) => data === undefined || path.includes('/'),
  )
  for (const name of namesIn(inside)) {
    for (const data of versionsShown(inside, name)) child.push({ ...data, data: by(data, device) })
  }
  // The powers in links are sealed anew, as what one finds by walking through what is shown.
  for (const { path, data } of linksShown(inside)) {
    const put = { path, data: { ...data, device } }
    child = perform(child, { kind: 'put', ...put })
  }
  const times = inside.flatMap(({ data }) => data?.mtimeMs ?? [])
  const newestMs = times.length === 0 ? undefined : Math.max(...times)
  const without = perform(elements, { kind: 'remove', path })
  const parent = perform(without, { kind: 'put', path, data: link(newestMs) })
  return { parent, child }
}

/**
 * What comes of making a path, or with an empty one the whole folder, what it was then.
 * @throws Refused
 */
export function restored(
  now: readonly Draft[],
  then: readonly Draft[],
  { path, device }: { path: string; device: string },
): readonly Draft[] {
  const desk = new Desk(now)
  const replace = (path: string): void => {
    const wanted = shownAt(then, path)
    if (wanted === undefined) throw new Refused('it was not there')
    const present = shownAt(now, path)
    if (present !== undefined && areSame(present, wanted)) return
    if (present !== undefined && (present.isDirectory || wanted.isDirectory)) desk.take(path)
    desk.makeDirectories(parentOf(path))
    const drafts = wanted.isDirectory
      ? wanted.drafts
      : wanted.drafts.map((draft) => ({ path, data: by(draft, device) }))
    desk.place(path, drafts)
  }
  if (path !== '') {
    replace(path)
    return desk.elements
  }
  const present = namesShown(now)
  const past = namesShown(then)
  const gone = present.filter(({ name }) => past.every((other) => other.name !== name))
  for (const isCopy of [true, false]) {
    for (const one of gone) if (one.isCopy === isCopy) desk.take(one.name)
  }
  for (const { name } of past) replace(name)
  return desk.elements
}

/** Whether a path crosses a link, or begins where one is shown. */
export function crossesLink(elements: readonly Draft[], path: string): boolean {
  for (let parent = parentOf(path); parent !== ''; parent = parentOf(parent)) {
    if (isLink(new Desk(elements).find(parent)?.drafts[0]?.data)) return true
  }
  return false
}

/** What is below a directory, by paths from there. */
export function below(elements: readonly Draft[], directory: string): Draft[] {
  if (directory === '') return [...elements]
  const inside: Draft[] = []
  for (const draft of elements) {
    if (!draft.path.startsWith(`${directory}/`)) continue
    inside.push({ ...draft, path: draft.path.slice(directory.length + 1) })
  }
  return inside
}

/** Names directly in it, each once, sorted. */
function namesIn(elements: readonly Draft[]): string[] {
  const names = elements.map(({ path }) => path.split('/')[0] ?? '')
  return [...new Set(names)].sort(compareNames)
}

/** Every name that the topmost directory shows, sorted. */
function namesShown(elements: readonly Draft[]): { name: string; isCopy: boolean }[] {
  const names = namesIn(elements).map((name) => ({ name, isCopy: false }))
  const copies = [...copiesIn(elements, '').keys()].map((name) => ({ name, isCopy: true }))
  return [...names, ...copies].sort((a, b) => compareNames(a.name, b.name))
}

/** The files shown for one name of the topmost directory, by the paths that they are shown at. */
function versionsShown(elements: readonly Draft[], name: string): Draft[] {
  const { contents, isDirectory } = nameAt(elements, name)
  const [first] = contents
  const copies = [...copiesIn(elements, '')].filter(([, copy]) => copy.path === name)
  const shown = copies.map(([path, { data }]) => ({ path, data }))
  return isDirectory || first === undefined ? shown : [{ path: name, data: first.data }, ...shown]
}

/** Links, by the paths that they are shown at, in the order of a walk. */
function linksShown(elements: readonly Draft[]): { path: string; data: Data }[] {
  const links = elements.filter(({ data }) => isLink(data))
  const parents = [...new Set(links.map(({ path }) => parentOf(path)))].sort(compareNames)
  return parents.flatMap((parent) => {
    const inside = parent === '' ? elements : below(elements, parent)
    const shown = namesIn(inside).flatMap((name) => versionsShown(inside, name))
    const sorted = shown.toSorted((a, b) => compareNames(a.path, b.path))
    return sorted.flatMap(({ path, data }) =>
      data !== undefined && isLink(data)
        ? [{ path: parent === '' ? path : `${parent}/${path}`, data }]
        : [],
    )
  })
}

interface ShownAt {
  readonly isDirectory: boolean
  /** As something new, of a directory all that is in it. */
  readonly drafts: readonly Draft[]
  /** Tells it from what looks alike and was put by another commit; of a directory alone. */
  readonly lines: readonly string[]
}

/** What is shown at a path. @throws Refused if the path leads through a file */
function shownAt(elements: readonly Draft[], path: string): ShownAt | undefined {
  for (let parent = parentOf(path); parent !== ''; parent = parentOf(parent)) {
    const { contents, isDirectory } = nameAt(elements, parent)
    if (contents.length > 0 && !isDirectory) throw new Refused('it leads through a file')
  }
  const found = new Desk(elements).find(path)
  return found && { ...found, lines: flattenElements(below(elements, path)) }
}

function areSame(a: ShownAt, b: ShownAt): boolean {
  if (a.isDirectory !== b.isDirectory) return false
  if (a.isDirectory) return a.lines.join('\n') === b.lines.join('\n')
  const [one, other] = [a.drafts[0]?.data, b.drafts[0]?.data]
  return one?.text === other?.text && one?.mtimeMs === other?.mtimeMs
}

function by({ data }: Draft, device: string): Data {
  return { ...(data as Data), device }
}
