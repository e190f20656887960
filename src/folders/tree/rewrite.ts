import { mapConcurrently } from '../../foundation/concurrency.ts'
import type { Dot } from '../../protocol/version-vector.ts'
import { isStoredDotless, singleDot, type DotSpan } from '../dots.ts'
import type { Directory, Entry } from '../entry.ts'
import { bitOf, placeOf, type Name } from '../names.ts'
import type { Node, Part } from './node-codec.ts'
import { composePart, openDirectory, openPart, partOf, storeDirectory } from './part.ts'
import { halfPosition, TOP, type Position } from './position.ts'
import { NODES_AT_ONCE, type TreeStore } from './store.ts'
import type { Summary } from './summary.ts'

/** What is to become of a part of a directory. */
export interface Rewrite {
  /** All entries that a name has afterwards; of names that are not here nothing changes. */
  readonly names: readonly NameChange[]
  /** The dot that everything else gets, at every depth: what is moved or copied is new where it comes to lie. */
  readonly stamp?: Dot | undefined
}

export interface NameChange {
  readonly name: Name
  readonly place: Uint8Array
  readonly entries: readonly Entry[]
}

export function nameChange(name: Name, entries: readonly Entry[]): NameChange {
  return { name, place: placeOf(name), entries }
}

/**
 * Changes a directory from its opened topmost node down. Reads only nodes on the way to a change, or with other dots
 * than the stamp; writes each node that differs once.
 */
export async function rewriteNode(
  store: TreeStore,
  node: Node,
  rewrite: Rewrite,
  position: Position,
): Promise<Part> {
  if (node.kind === 'loose') {
    const changed = new Set(rewrite.names.map(({ name }) => name))
    const kept = node.entries.filter(({ name }) => !changed.has(name))
    const stamped = await stampEntries(store, kept, rewrite.stamp)
    const added = rewrite.names.flatMap(({ entries }) => entries)
    return await partOf(store, [...stamped, ...added], position)
  }
  const { stamp } = rewrite
  const depth = position.prefix.length
  const [low, high] = node.halves
  const halves = await Promise.all([
    rewritePart(
      store,
      low,
      { names: changesAt(rewrite, depth, 0), stamp },
      halfPosition(position, 0),
    ),
    rewritePart(
      store,
      high,
      { names: changesAt(rewrite, depth, 1), stamp },
      halfPosition(position, 1),
    ),
  ])
  return await composePart(store, halves, position)
}

/** Gives everything in a directory one dot, its subdirectories included. Nothing is read or written if it has one. */
export async function stampDirectory(
  store: TreeStore,
  directory: Directory,
  dot: Dot,
): Promise<Directory> {
  const { totals } = directory
  if (isStoredDotless(totals.dots)) {
    return { ...directory, totals: { ...totals, dots: stampSpan(totals.dots, dot) } }
  }
  const node = await openDirectory(store, directory)
  const part = await rewriteNode(store, node, { names: [], stamp: dot }, TOP)
  return await storeDirectory(store, part, TOP)
}

async function rewritePart(
  store: TreeStore,
  part: Part,
  rewrite: Rewrite,
  position: Position,
): Promise<Part> {
  if (rewrite.names.length === 0) {
    const { stamp } = rewrite
    if (stamp === undefined || part.summary.names === 0) return part
    if (part.kind === 'stored' && isStoredDotless(part.summary.dots)) {
      return { ...part, summary: stampSummary(part.summary, stamp) }
    }
  }
  return await rewriteNode(store, await openPart(store, part, position), rewrite, position)
}

async function stampEntries(
  store: TreeStore,
  entries: readonly Entry[],
  stamp: Dot | undefined,
): Promise<readonly Entry[]> {
  if (stamp === undefined) return entries
  const dots = singleDot(stamp)
  return await mapConcurrently(entries, NODES_AT_ONCE, async (entry) =>
    entry.kind === 'directory'
      ? { ...entry, ...(await stampDirectory(store, entry, stamp)), dots }
      : { ...entry, dots },
  )
}

function stampSummary(summary: Summary, dot: Dot): Summary {
  return { ...summary, dots: stampSpan(summary.dots, dot) }
}

function stampSpan(span: DotSpan, dot: Dot): DotSpan {
  return span.kind === 'empty' ? span : { kind: 'one', dot }
}

function changesAt({ names }: Rewrite, depth: number, bit: 0 | 1): readonly NameChange[] {
  return names.filter(({ place }) => bitOf(place, depth) === bit)
}
