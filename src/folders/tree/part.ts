import { verifyKeyOf } from '../../crypto/block-keys.ts'
import { mapConcurrently } from '../../foundation/concurrency.ts'
import { assert } from '../../foundation/error.ts'
import type { BlockFrame } from '../../grid/blocks/frame.ts'
import type { DotSpan } from '../dots.ts'
import type { Directory, Entry } from '../entry.ts'
import { BrokenFolderError, TooManyVersionsError } from '../errors.ts'
import { placeOf } from '../names.ts'
import {
  compareEntries,
  decodeNode,
  encodeBranch,
  encodeLeaf,
  FAN_OUT,
  formOf,
  MAX_DEPTH,
  type Node,
  type StoredPart,
} from './node-codec.ts'
import { NODES_AT_ONCE, type TreeStore } from './store.ts'
import {
  EMPTY_SUMMARY,
  equalTotals,
  fitsLeaf,
  groupByName,
  summarize,
  sumSummaries,
  type Summary,
} from './summary.ts'

/**
 * All entries of a directory whose places begin with one prefix: stored, or loose where it is still open whether they
 * become a leaf of their own or part of a larger one. Loose entries always fit a leaf.
 */
export type Part = StoredPart | LoosePart

export interface LoosePart {
  readonly kind: 'loose'
  readonly entries: readonly Entry[]
  readonly summary: Summary
}

export const EMPTY_PART: LoosePart = { kind: 'loose', entries: [], summary: EMPTY_SUMMARY }

/** Versions of one name. Devices that see each other's keep few; this many fit a block whatever is in them. */
export const MAX_VERSIONS = 128

/** Where a part lies. */
export interface Position {
  /** The digits that the places of all its names begin with. */
  readonly prefix: string
  /** Whether the directory is the root of a folder, whose topmost node nobody tells its dots. */
  readonly isInRoot: boolean
}

export const TOP: Position = { prefix: '', isInRoot: false }
export const ROOT_TOP: Position = { prefix: '', isInRoot: true }

export function childPosition({ prefix, isInRoot }: Position, digit: number): Position {
  return { prefix: prefix + digit.toString(FAN_OUT), isInRoot }
}

/** Brings entries in any order into their canonical part. */
export async function partOf(
  store: TreeStore,
  entries: readonly Entry[],
  position: Position,
): Promise<Part> {
  return await sortedPartOf(store, entries.toSorted(compareEntries), position)
}

/** Joins what lies under the sixteen digits after a prefix; writes what is final now. */
export async function composePart(
  store: TreeStore,
  children: readonly Part[],
  position: Position,
): Promise<Part> {
  const summary = sumSummaries(children.map((child) => child.summary).filter(hasNames))
  if (fitsLeaf(summary)) {
    const filled = children.filter((child) => hasNames(child.summary))
    const lists = await mapConcurrently(filled, NODES_AT_ONCE, async (child) => {
      return await entriesOfPart(store, child, childPosition(position, children.indexOf(child)))
    })
    const entries = lists.flat().sort(compareEntries)
    return { kind: 'loose', entries, summary }
  }
  const stored = await mapConcurrently(children, NODES_AT_ONCE, async (child, digit) =>
    hasNames(child.summary)
      ? await storePart(store, child, childPosition(position, digit))
      : undefined,
  )
  const frame = encodeBranch(stored, position.prefix, formAt(position, summary.dots))
  return await put(store, frame, summary)
}

/** Writes a part as the whole of a directory. */
export async function storeDirectory(
  store: TreeStore,
  part: Part,
  position: Position,
): Promise<Directory> {
  const { reference, verifyKey, summary } = await storePart(store, part, position)
  const { files, copies, sizeBytes, newestMs, height, dots } = summary
  const totals = { files, copies, sizeBytes, newestMs, height, dots }
  return { reference, verifyKey, totals }
}

/**
 * The same store for work that comes back to nodes again and again: a part that was opened stays decoded for as long
 * as the part is held, that is, until the work is done.
 */
export function remembering(store: TreeStore): TreeStore {
  const same: TreeStore = {
    put: async (node) => await store.put(node),
    get: async (reference) => await store.get(reference),
  }
  MEMORIES.set(same, new WeakMap())
  return same
}

/** Reads what a part holds one level down. */
export async function openPart(store: TreeStore, part: Part, position: Position): Promise<Node> {
  if (part.kind === 'loose') return { ...part, kind: 'leaf' }
  const memory = MEMORIES.get(store)
  let opened = memory?.get(part)
  if (opened === undefined) {
    opened = openStored(store, part, position)
    memory?.set(part, opened)
  }
  return await opened
}

const MEMORIES = new WeakMap<TreeStore, WeakMap<StoredPart, Promise<Node>>>()

async function openStored(store: TreeStore, part: StoredPart, { prefix }: Position): Promise<Node> {
  const node = decodeNode(await store.get(part.reference), { prefix, dots: part.summary.dots })
  const { weight, names } = part.summary
  if (node.summary.weight !== weight || node.summary.names !== names) throw notAsTold()
  return checkTotals(node, part.summary)
}

/** Reads the topmost node of a nested directory. */
export async function openDirectory(store: TreeStore, directory: Directory): Promise<Node> {
  const { reference, totals } = directory
  const node = decodeNode(await store.get(reference), { prefix: '', dots: totals.dots })
  return checkTotals(node, totals)
}

/** Reads the topmost node of a folder. */
export async function openRoot(
  store: TreeStore,
  { reference }: Pick<Directory, 'reference'>,
): Promise<Node> {
  return decodeNode(await store.get(reference), { prefix: '', dots: undefined })
}

/** A node's children as parts, the loose ones of a leaf by their next digits. */
export function childrenOf(node: Node, { prefix }: Position): readonly Part[] {
  if (node.kind === 'branch') return node.children.map((child) => child ?? EMPTY_PART)
  assert(prefix.length < MAX_DEPTH, 'different names have different places')
  const lists = Array.from({ length: FAN_OUT }, (): Entry[] => [])
  for (const entries of groupByName(node.entries)) {
    const [first] = entries
    if (first === undefined) continue
    const digit = Number.parseInt(placeOf(first.name).charAt(prefix.length), FAN_OUT)
    for (const entry of entries) lists[digit]?.push(entry)
  }
  return lists.map((entries) => ({ kind: 'loose', entries, summary: summarize(entries) }))
}

async function sortedPartOf(
  store: TreeStore,
  entries: readonly Entry[],
  position: Position,
): Promise<Part> {
  const summary = summarize(entries)
  if (fitsLeaf(summary)) return { kind: 'loose', entries, summary }
  const children = childrenOf({ kind: 'leaf', entries, summary }, position)
  const parts = await mapConcurrently(children, NODES_AT_ONCE, async (child, digit) =>
    child.kind === 'stored'
      ? child
      : await sortedPartOf(store, child.entries, childPosition(position, digit)),
  )
  return await composePart(store, parts, position)
}

async function entriesOfPart(
  store: TreeStore,
  part: Part,
  position: Position,
): Promise<readonly Entry[]> {
  const node = await openPart(store, part, position)
  if (node.kind === 'branch') throw notAsTold()
  return node.entries
}

async function storePart(store: TreeStore, part: Part, position: Position): Promise<StoredPart> {
  if (part.kind === 'stored') return part
  const { entries, summary } = part
  if (summary.names === 1 && entries.length > MAX_VERSIONS) {
    throw new TooManyVersionsError(
      `A name has more than ${MAX_VERSIONS} versions. Remove some of its conflict copies.`,
    )
  }
  const form = formAt(position, summary.dots)
  return await put(store, encodeLeaf(entries, position.prefix, form), summary)
}

async function put(store: TreeStore, frame: BlockFrame, summary: Summary): Promise<StoredPart> {
  const reference = await store.put(frame)
  return { kind: 'stored', reference, verifyKey: verifyKeyOf(reference.key), summary }
}

function formAt({ prefix, isInRoot }: Position, dots: DotSpan): 'full' | 'bare' {
  return formOf(isInRoot && prefix === '' ? undefined : dots)
}

function checkTotals(node: Node, totals: Parameters<typeof equalTotals>[0]): Node {
  if (!equalTotals(node.summary, totals)) throw notAsTold()
  return node
}

function notAsTold(): BrokenFolderError {
  return new BrokenFolderError('a node is not what its parent says')
}

function hasNames(summary: Pick<Summary, 'names'>): boolean {
  return summary.names > 0
}
