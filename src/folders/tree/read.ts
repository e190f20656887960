import { equalBytes } from '../../foundation/bytes.ts'
import { mapConcurrently, mapInOrder } from '../../foundation/concurrency.ts'
import { equalSpans, type DotSpan } from '../dots.ts'
import type { Directory, DirectoryEntry, Entry, Version } from '../entry.ts'
import { isVersion } from '../entry.ts'
import { compareNames, placeOf, type Name } from '../names.ts'
import { FAN_OUT, type Node, type StoredPart } from './node-codec.ts'
import { childPosition, childrenOf, openPart, TOP, type Part, type Position } from './part.ts'
import { NODES_AT_ONCE, type TreeStore } from './store.ts'
import { groupByName } from './summary.ts'
import { equalDots } from '../dots.ts'
import { equalVersions } from '../versions.ts'

/** All that a directory has under one name. */
export interface NameEntries {
  readonly versions: readonly Version[]
  readonly directory?: DirectoryEntry | undefined
}

/** Reads a node a level, from the opened topmost one down. */
export async function lookUp(store: TreeStore, top: Node, name: Name): Promise<NameEntries> {
  let node = top
  let position = TOP
  let place: string | undefined
  // Ends, as every step adds a digit to the prefix, and no node lies deeper than a place has digits.
  while (node.kind === 'branch') {
    place ??= placeOf(name)
    const digit = Number.parseInt(place.charAt(position.prefix.length), FAN_OUT)
    const child = node.children[digit]
    if (child === undefined) return { versions: [] }
    position = childPosition(position, digit)
    node = await openPart(store, child, position)
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
  if (node.kind === 'leaf') {
    yield node.entries
    return
  }
  const wanted = [...childrenOf(node, position).entries()].filter(
    ([, part]) => part.summary.names > 0 && isWanted(part),
  )
  const opened = mapInOrder(wanted, NODES_AT_ONCE, async ([digit, part]) => {
    const below = childPosition(position, digit)
    return { below, node: await openPart(store, part, below) }
  })
  for await (const { below, node } of opened) yield* readLeaves(store, node, below, isWanted)
}

/** All entries of a directory, sorted by name. */
export async function readEntries(store: TreeStore, node: Node): Promise<readonly Entry[]> {
  if (node.kind === 'leaf') return node.entries
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
  if (before.kind === 'leaf' && after.kind === 'leaf') {
    yield* diffEntries(before.entries, after.entries)
    return
  }
  const older = childrenOf(before, position)
  const newer = childrenOf(after, position)
  const pairs = older.flatMap((part, digit) => {
    const other = newer[digit]
    return other === undefined || areSameParts(part, other) ? [] : [{ part, other, digit }]
  })
  const opened = mapInOrder(pairs, NODES_AT_ONCE, async ({ part, other, digit }) => {
    const below = childPosition(position, digit)
    const [before, after] = await mapConcurrently([part, other], 2, async (part) => {
      return await openPart(store, part, below)
    })
    return { before: before as Node, after: after as Node, below }
  })
  for await (const { below, ...pair } of opened) yield* diffNodes(store, pair, below)
}

/** Whether two stored nodes hold the same entries: the same bytes, and the same dot where they leave it out. */
export function areSameStored(
  a: Pick<StoredPart, 'reference'> & { readonly dots: DotSpan },
  b: Pick<StoredPart, 'reference'> & { readonly dots: DotSpan },
): boolean {
  return equalBytes(a.reference.id, b.reference.id) && equalSpans(a.dots, b.dots)
}

export function areSameDirectories(a: Directory, b: Directory): boolean {
  return areSameStored({ ...a, dots: a.totals.dots }, { ...b, dots: b.totals.dots })
}

function areSameParts(a: Part, b: Part): boolean {
  if (a.kind === 'loose' || b.kind === 'loose') {
    return a.summary.names === 0 && b.summary.names === 0
  }
  return areSameStored({ ...a, dots: a.summary.dots }, { ...b, dots: b.summary.dots })
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
