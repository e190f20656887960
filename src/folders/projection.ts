import { utf8 } from '../foundation/bytes.ts'
import { assert } from '../foundation/error.ts'
import type { Dots } from './dots.ts'
import type { Entry, Version } from './entry.ts'
import { checkName, compareNames, MAX_NAME_BYTES, type Name } from './names.ts'
import type { Node } from './tree/node-codec.ts'
import { TOP } from './tree/position.ts'
import { lookUp, nameEntriesOf, readLeaves } from './tree/read.ts'
import type { TreeStore } from './tree/store.ts'
import { groupByName } from './tree/summary.ts'
import { contentsOf, dotsOf, type SharedContent } from './versions.ts'

/**
 * What people see of a directory. A name with a directory is that directory; else it is the newest of its contents
 * (by time, then dot). Every other content appears as a copy beside it, `name (conflict <device> <time>).ext`. This
 * is a function of the entries alone, hence the same on every device, and no copy is stored under its name.
 */
export interface Copy {
  /** The name that it is shown under: no entry's, and no other copy's. */
  readonly shownAs: Name
  /** The name that it is a version of. */
  readonly name: Name
  readonly content: SharedContent
}

/** What keeps the name, and what must be shown as copies, the newest first. */
export function splitContents(entries: readonly Entry[]): {
  readonly keeper: { readonly entry: Entry; readonly dots: Dots } | undefined
  readonly copies: readonly SharedContent[]
} {
  const [only] = entries
  if (only !== undefined && entries.length === 1) {
    return { keeper: { entry: only, dots: only.dots }, copies: [] }
  }
  const { versions, directory } = nameEntriesOf(entries)
  const contents = contentsOf(versions)
  if (directory !== undefined) {
    return { keeper: { entry: directory, dots: directory.dots }, copies: contents }
  }
  const [newest, ...copies] = contents
  return { keeper: newest && { entry: newest.shown, dots: dotsOf(newest) }, copies }
}

/**
 * The copies in one directory, in the order of their names' bytes. Reads only nodes that have copies, and looks up the
 * names that they would take.
 */
export async function projectCopies(store: TreeStore, node: Node): Promise<readonly Copy[]> {
  if (node.summary.copies === 0) return []
  const conflicts: { name: Name; copies: readonly SharedContent[] }[] = []
  const hasCopies = (part: { summary: { copies: number } }): boolean => part.summary.copies > 0
  for await (const entries of readLeaves(store, node, TOP, hasCopies)) {
    for (const group of groupByName(entries)) {
      const [first] = group
      const { copies } = splitContents(group)
      if (first !== undefined && copies.length > 0) conflicts.push({ name: first.name, copies })
    }
  }
  conflicts.sort((a, b) => compareNames(a.name, b.name))
  const shown = new Map<Name, Copy>()
  const isTaken = async (name: Name): Promise<boolean> => {
    if (shown.has(name)) return true
    const { versions, directory } = await lookUp(store, node, name)
    return versions.length > 0 || directory !== undefined
  }
  for (const { name, copies } of conflicts) {
    for (const content of copies) {
      const shownAs = await freeCopyName(content.shown, isTaken)
      shown.set(shownAs, { shownAs, name, content })
    }
  }
  return [...shown.values()].sort((a, b) => compareNames(a.shownAs, b.shownAs))
}

/** The first of a version's names as a copy that is not taken. */
export async function freeCopyName(
  version: Version,
  isTaken: (name: Name) => Promise<boolean>,
): Promise<Name> {
  // Ends, as every number gives another name and a directory has finitely many.
  for (let number = 1; ; number++) {
    const name = copyName(version, number)
    if (!(await isTaken(name))) return name
  }
}

/**
 * `stem (conflict <device> <YYYY-MM-DD HHMMSS>).ext` in UTC; a number from 2 on follows the time where there are
 * several. The stem is cut between characters so that the name has at most 255 bytes.
 */
export function copyName({ name, device, mtimeMs }: Version, number: number): Name {
  const extension = EXTENSION.exec(name)?.[0] ?? ''
  const stem = name.slice(0, name.length - extension.length)
  const words = ['conflict', device, timeText(mtimeMs), number === 1 ? '' : String(number)]
  const mark = ` (${words.filter((word) => word !== '').join(' ')})${extension}`
  const room = MAX_NAME_BYTES - utf8(mark).length
  assert(room > 0, 'a mark of conflict leaves room for a name')
  return checkName(cutToBytes(stem, room) + mark)
}

/** What follows the last dot, if it is short, has no blank and does not begin the name. */
const EXTENSION = /(?<=.)\.[^\s.]{1,16}$/su

function timeText(mtimeMs: number): string {
  const [date = '', time = ''] = new Date(mtimeMs).toISOString().split('T')
  return `${date} ${time.slice(0, 8).replaceAll(':', '')}`
}

function cutToBytes(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text
  let kept = ''
  let bytes = 0
  for (const character of text) {
    bytes += utf8(character).length
    if (bytes > maxBytes) break
    kept += character
  }
  return kept
}
