import { equalBytes } from '../../foundation/bytes.ts'
import { mapInOrder } from '../../foundation/concurrency.ts'
import { equalSpans, type DotSpan } from '../dots.ts'
import type { Directory, DirectoryEntry, Entry, Version } from '../entry.ts'
import { isVersion } from '../entry.ts'
import { bitOf, compareNames, placeOf, type Name } from '../names.ts'
import type { Node, Part, StoredPart } from './node-codec.ts'
import { halvesOf, openPart } from './part.ts'
import { halfPosition, TOP, type Position } from './position.ts'
import type { TreeStore } from './store.ts'
import { groupByName } from './summary.ts'
import { equalDots } from '../dots.ts'
import { equalVersions } from '../versions.ts'

/** Leaves that a reader fetches before they are asked for. */
const LEAVES_AHEAD = 8

/** All that a directory has under one name. */
export interface NameEntries {
  readonly versions: readonly Version[]
  readonly directory?: DirectoryEntry | undefined
}

/** Reads a node a level, from the opened topmost one down. */
export async function lookUp(store: TreeStore, top: Node, name: Name): Promise<NameEntries> {
  let node = top
  let position = TOP
  let place: Uint8Array | undefined
  // Ends, as every step adds a bit to the prefix, and no node lies deeper than a place has bits.
  while (node.kind === 'inner') {
    place ??= placeOf(name)
    const bit = bitOf(place, position.prefix.length)
    position = halfPosition(position, bit)
    node = await openPart(store, node.halves[bit], position)
  }
  return nameEntriesOf(entriesNamed(node.entries, name))
}

export function nameEntriesOf(entries: readonly Entry[]): NameEntries {
  const directory = entries.find((entry) => entry.kind === 'directory')
  return { versions: entries.filter(isVersion), directory }
}

/**
 * The entries of a directory, a leaf at a time: leaves in the order of places, which looks random; within one by name.
 * A few leaves are read ahead.
 * @param isWanted leaves out parts before they are read
 */
export async function* readLeaves(
  store: TreeStore,
  node: Node,
  position: Position = TOP,
  isWanted: (part: Part) => boolean = () => true,
): AsyncGenerator<readonly Entry[]> {
  if (node.kind === 'loose') {
    yield node.entries
    return
  }
  const wanted = [...partsIn(node, position)].filter(
    ({ part }) => part.summary.names > 0 && isWanted(part),
  )
  const opened = mapInOrder(wanted, LEAVES_AHEAD, async ({ part, position }) => {
    return { node: await openPart(store, part, position), position }
  })
  for await (const { node, position } of opened) {
    yield* readLeaves(store, node, position, isWanted)
  }
}

/** All entries of a directory, sorted by name. */
export async function readEntries(store: TreeStore, node: Node): Promise<readonly Entry[]> {
  if (node.kind === 'loose') return node.entries
  const leaves: (readonly Entry[])[] = []
  for await (const entries of readLeaves(store, node)) leaves.push(entries)
  // Stable, so that the entries of one name keep their order.
  return leaves.flat().sort((a, b) => compareNames(a.name, b.name))
}

/** A name whose entries differ between two states of a directory. */
export interface NameDifference {
  readonly name: Name
  readonly before: readonly Entry[]
  readonly after: readonly Entry[]
}

/**
 * Where two states of a directory differ, in the order of {@link readLeaves}. What both have in common is not read.
 * Entries with other dots differ, and so do directories with anything else in them.
 */
export async function* diffNodes(
  store: TreeStore,
  { before, after }: { before: Node; after: Node },
  position: Position = TOP,
): AsyncGenerator<NameDifference> {
  if (before.kind === 'loose' && after.kind === 'loose') {
    yield* diffEntries(before.entries, after.entries)
    return
  }
  const older = halvesOf(before, position)
  const newer = halvesOf(after, position)
  for (const bit of [0, 1] as const) {
    if (areSameParts(older[bit], newer[bit])) continue
    const half = halfPosition(position, bit)
    const nodes = await Promise.all([
      openPart(store, older[bit], half),
      openPart(store, newer[bit], half),
    ])
    yield* diffNodes(store, { before: nodes[0], after: nodes[1] }, half)
  }
}

/** Whether two stored nodes hold the same entries: the same bytes, and the same dot where they leave it out. */
function areSameStored(
  a: Pick<StoredPart, 'reference'> & { readonly dots: DotSpan },
  b: Pick<StoredPart, 'reference'> & { readonly dots: DotSpan },
): boolean {
  return equalBytes(a.reference.id, b.reference.id) && equalSpans(a.dots, b.dots)
}

export function areSameDirectories(a: Directory, b: Directory): boolean {
  return areSameStored({ ...a, dots: a.totals.dots }, { ...b, dots: b.totals.dots })
}

/** Whether two parts are known to be the same without a look at their entries. */
export function areSameParts(a: Part, b: Part): boolean {
  if (a.kind !== 'stored' || b.kind !== 'stored') {
    return a.summary.names === 0 && b.summary.names === 0
  }
  return areSameStored({ ...a, dots: a.summary.dots }, { ...b, dots: b.summary.dots })
}

/** The parts within a branch, in order. */
function* partsIn(
  part: Part,
  position: Position,
): Generator<{ readonly part: Part; readonly position: Position }> {
  if (part.kind !== 'inner') {
    yield { part, position }
    return
  }
  yield* partsIn(part.halves[0], halfPosition(position, 0))
  yield* partsIn(part.halves[1], halfPosition(position, 1))
}

/** The entries of one name among sorted ones. */
function entriesNamed(entries: readonly Entry[], name: Name): readonly Entry[] {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >> 1
    const entry = entries[middle]
    if (entry !== undefined && compareNames(entry.name, name) < 0) low = middle + 1
    else high = middle
  }
  let end = low
  while (entries[end]?.name === name) end++
  return entries.slice(low, end)
}

function* diffEntries(
  before: readonly Entry[],
  after: readonly Entry[],
): Generator<NameDifference> {
  const older = new Map(groupByName(before).map((entries) => [entries[0]?.name, entries]))
  for (const entries of groupByName(after)) {
    const [first] = entries
    if (first === undefined) continue
    const known = older.get(first.name) ?? []
    older.delete(first.name)
    if (!areSameEntries(known, entries)) {
      yield { name: first.name, before: known, after: entries }
    }
  }
  for (const [name, entries] of older) {
    if (name !== undefined) yield { name, before: entries, after: [] }
  }
}

/** Whether two sorted lists hold the same entries with the same dots, and directories with the same in them. */
export function areSameEntries(a: readonly Entry[], b: readonly Entry[]): boolean {
  if (a.length !== b.length) return false
  return a.every((entry, at) => {
    const other = b[at]
    if (other === undefined || !equalDots(entry.dots, other.dots)) return false
    if (entry.kind === 'directory') {
      return other.kind === 'directory' && areSameDirectories(entry, other)
    }
    return other.kind !== 'directory' && equalVersions(entry, other)
  })
}
