import { verifyKeyOf } from '../../crypto/block-keys.ts'
import { compareBytes } from '../../foundation/bytes.ts'
import { assert } from '../../foundation/error.ts'
import type { BlockFrame } from '../../grid/blocks/frame.ts'
import { checkVerifyKey, type BlockReference } from '../../grid/files/index-node.ts'
import { TAG_BYTES, tagHex } from '../../protocol/version-vector.ts'
import type { DotSpan } from '../dots.ts'
import type { Directory, Entry } from '../entry.ts'
import { BrokenFolderError, TooManyVersionsError } from '../errors.ts'
import { bitOf, placeOf, type Name } from '../names.ts'
import { weightOf } from './entry-codec.ts'
import {
  compareEntries,
  decodeNode,
  encodeBranch,
  encodeLeaf,
  formOf,
  isBare,
  MAX_VERSIONS,
  type BranchChild,
  type LoosePart,
  type Node,
  type NodeContext,
  type Part,
  type StoredPart,
} from './node-codec.ts'
import { BRANCH_BITS, halfPosition, isAtBranch, MAX_DEPTH, type Position } from './position.ts'
import { RecentLeaves } from './recent-leaves.ts'
import { memoryOf, type TreeStore } from './store.ts'
import {
  equalTotals,
  fitsLeaf,
  groupByName,
  summarize,
  sumSummaries,
  type Summary,
} from './summary.ts'

/** Brings entries in any order into their canonical part. */
export async function partOf(
  store: TreeStore,
  entries: readonly Entry[],
  position: Position,
): Promise<Part> {
  const sorted = entries.toSorted(compareEntries)
  const summary = summarize(sorted)
  if (fitsLeaf(summary)) return { kind: 'loose', entries: sorted, summary }
  const names = groupByName(sorted).map((entries) => {
    const weight = entries.reduce((sum, entry) => sum + weightOf(entry), 0)
    return { place: placeOf((entries[0] as Entry).name), weight, entries }
  })
  names.sort((a, b) => compareBytes(a.place, b.place))
  return await partOfNames(store, names, position)
}

/** Joins the two halves of what lies at a position; writes what is final now. */
export async function composePart(
  store: TreeStore,
  halves: readonly [Part, Part],
  position: Position,
): Promise<Part> {
  const summary = sumSummaries(halves.map((half) => half.summary).filter(({ names }) => names > 0))
  if (fitsLeaf(summary)) {
    const entries = await entriesBelow(store, halves, position)
    return { kind: 'loose', entries: entries.sort(compareEntries), summary }
  }
  if (!isAtBranch(position)) return { kind: 'inner', halves, summary }
  const range = { first: 0, width: 2 ** BRANCH_BITS }
  const children = await storeChildren(store, { kind: 'inner', halves, summary }, range, position)
  const form = formOf(contextAt(position, summary.dots).dots)
  return await put(store, encodeBranch(children, position.prefix, form), summary)
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

/** Reads what a part holds. */
export async function openPart(store: TreeStore, part: Part, position: Position): Promise<Node> {
  if (part.kind !== 'stored') return part
  const memory = memoryOf(store)
  let opened = memory?.get(part)
  if (opened === undefined) {
    opened = openStored(store, part, position)
    memory?.set(part, opened)
  }
  return await opened
}

/** Reads the topmost node of a nested directory. */
export async function openDirectory(store: TreeStore, directory: Directory): Promise<Node> {
  const { reference, verifyKey, totals } = directory
  checkVerifyKey(reference, verifyKey)
  const node = nodeIn(await store.get(reference), { prefix: '', dots: totals.dots })
  if (!equalTotals(node.summary, totals)) throw notAsTold()
  return node
}

/** Reads the topmost node of a folder. */
export async function openRoot(store: TreeStore, root: BlockReference): Promise<Node> {
  return nodeIn(await store.get(root), { prefix: '', dots: undefined })
}

/**
 * Reads the topmost node of a directory of which nothing but the reference is known, as a snapshot has it. Where the
 * dots are left out of it, the entries get one that stands for no commit.
 */
export async function openFrozen(store: TreeStore, reference: BlockReference): Promise<Node> {
  const frame = await store.get(reference)
  const dots = isBare(frame) ? UNKNOWN_DOTS : undefined
  return decodeNode(frame, { prefix: '', dots })
}

const UNKNOWN_DOTS: DotSpan = {
  kind: 'one',
  dot: { tag: tagHex(new Uint8Array(TAG_BYTES)), counter: 1 },
}

/** The halves of a node that lies at a position. */
export function halvesOf(node: Node, { prefix }: Position): readonly [Part, Part] {
  if (node.kind === 'inner') return node.halves
  assert(prefix.length < MAX_DEPTH, 'different names have different places')
  const halves: [Entry[], Entry[]] = [[], []]
  let name: Name | undefined
  let half = halves[0]
  for (const entry of node.entries) {
    if (entry.name !== name) half = halves[bitOf(placeOf((name = entry.name)), prefix.length)]
    half.push(entry)
  }
  return [looseOf(halves[0]), looseOf(halves[1])]
}

function looseOf(entries: readonly Entry[]): LoosePart {
  return { kind: 'loose', entries, summary: summarize(entries) }
}

interface PlacedName {
  readonly place: Uint8Array
  readonly weight: number
  readonly entries: readonly Entry[]
}

/** @param names sorted by place */
async function partOfNames(
  store: TreeStore,
  names: readonly PlacedName[],
  position: Position,
): Promise<Part> {
  const weight = names.reduce((sum, name) => sum + name.weight, 0)
  if (fitsLeaf({ weight, names: names.length })) {
    return looseOf(names.flatMap(({ entries }) => entries).sort(compareEntries))
  }
  const depth = position.prefix.length
  assert(depth < MAX_DEPTH, 'different names have different places')
  const low = names.filter(({ place }) => bitOf(place, depth) === 0)
  const high = names.slice(low.length)
  const halves = await Promise.all([
    partOfNames(store, low, halfPosition(position, 0)),
    partOfNames(store, high, halfPosition(position, 1)),
  ])
  return await composePart(store, halves, position)
}

/** The entries of parts that fit one leaf together. */
async function entriesBelow(
  store: TreeStore,
  [low, high]: readonly [Part, Part],
  position: Position,
): Promise<Entry[]> {
  const lists = await Promise.all([
    entriesOf(store, low, halfPosition(position, 0)),
    entriesOf(store, high, halfPosition(position, 1)),
  ])
  return lists.flat()
}

async function entriesOf(
  store: TreeStore,
  part: Part,
  position: Position,
): Promise<readonly Entry[]> {
  if (part.summary.names === 0) return []
  const node = await openPart(store, part, position)
  return node.kind === 'loose' ? node.entries : await entriesBelow(store, node.halves, position)
}

/** Stores what lies under a range of a branch's digits, as its children. */
async function storeChildren(
  store: TreeStore,
  part: Part,
  { first, width }: { first: number; width: number },
  position: Position,
): Promise<BranchChild[]> {
  if (part.summary.names === 0) return []
  if (part.kind !== 'inner') return [{ first, width, part: await storePart(store, part, position) }]
  const half = width / 2
  const [low, high] = part.halves
  const lists = await Promise.all([
    storeChildren(store, low, { first, width: half }, halfPosition(position, 0)),
    storeChildren(store, high, { first: first + half, width: half }, halfPosition(position, 1)),
  ])
  return lists.flat()
}

async function storePart(store: TreeStore, part: Part, position: Position): Promise<StoredPart> {
  if (part.kind === 'stored') return part
  assert(part.kind === 'loose', 'what does not fit a leaf was stored as a branch')
  const { entries, summary } = part
  if (summary.names === 1 && entries.length > MAX_VERSIONS) {
    throw new TooManyVersionsError(
      `A name has more than ${MAX_VERSIONS} versions. Remove some of its conflict copies.`,
    )
  }
  const context = contextAt(position, summary.dots)
  const frame = encodeLeaf(entries, position.prefix, formOf(context.dots))
  RECENT_LEAVES.set(frame, context, part)
  return await put(store, frame, summary)
}

async function put(store: TreeStore, frame: BlockFrame, summary: Summary): Promise<StoredPart> {
  const reference = await store.put(frame)
  return { kind: 'stored', reference, verifyKey: verifyKeyOf(reference.key), summary }
}

async function openStored(
  store: TreeStore,
  { reference, verifyKey, summary }: StoredPart,
  { prefix }: Position,
): Promise<Node> {
  checkVerifyKey(reference, verifyKey)
  const node = nodeIn(await store.get(reference), { prefix, dots: summary.dots })
  const { weight, names } = node.summary
  const isAsTold = weight === summary.weight && names === summary.names
  if (!isAsTold || !equalTotals(node.summary, summary)) throw notAsTold()
  return node
}

function contextAt({ prefix, isInRoot }: Position, dots: DotSpan): NodeContext {
  return { prefix, dots: isInRoot && prefix === '' ? undefined : dots }
}

/** What a block says; a leaf that was written or read a moment ago is not decoded again. */
function nodeIn(frame: BlockFrame, context: NodeContext): Node {
  const recent = RECENT_LEAVES.get(frame, context)
  if (recent !== undefined) return recent
  const node = decodeNode(frame, context)
  if (node.kind === 'loose') RECENT_LEAVES.set(frame, context, node)
  return node
}

const RECENT_LEAVES = new RecentLeaves()

function notAsTold(): BrokenFolderError {
  return new BrokenFolderError('a node is not what its parent says')
}
