import { compareBytes } from '../../foundation/bytes.ts'
import { KIND_BRANCH, KIND_LEAF, type BlockFrame, type Link } from '../../grid/blocks/frame.ts'
import type { BlockReference } from '../../grid/files/index-node.ts'
import { isStoredDotless, singleDot, type DotSpan } from '../dots.ts'
import { decodeSpan, encodeSpan, MAX_SPAN_BYTES } from '../encoding/dots-codec.ts'
import { Reader } from '../encoding/reader.ts'
import { Writer } from '../encoding/writer.ts'
import { MAX_MTIME_MS, MIN_MTIME_MS, type Entry } from '../entry.ts'
import { BrokenFolderError } from '../errors.ts'
import { compareNames, MAX_PATH_NAMES, placeOf } from '../names.ts'
import { ALLOWANCE_BYTES, bareBytes, writeEntry, type Form } from './entry-codec.ts'
import { entryOf } from './entry-decoder.ts'
import { Known, readFields } from './entry-fields.ts'
import { BRANCH_BITS, hasPrefix, MAX_DEPTH } from './position.ts'
import { EMPTY_SUMMARY, fitsLeaf, sumSummaries, summarize, type Summary } from './summary.ts'

/**
 * All entries of a directory whose places begin with one prefix: stored, or in memory as loose entries that fit a leaf
 * (and may yet become part of a larger one), or as two halves within a branch.
 */
export type Part = StoredPart | Node

/** A part as far as it is known. */
export type Node = LoosePart | InnerPart

/** A node that the store has, and what its parent says of it. */
export interface StoredPart {
  readonly kind: 'stored'
  readonly reference: BlockReference
  readonly verifyKey: Uint8Array
  readonly summary: Summary
}

export interface LoosePart {
  readonly kind: 'loose'
  /** Sorted by name, then by bare bytes. */
  readonly entries: readonly Entry[]
  readonly summary: Summary
}

/** Too much for a leaf: the part whose next bit is 0, and the one whose next bit is 1. */
export interface InnerPart {
  readonly kind: 'inner'
  readonly halves: readonly [Part, Part]
  readonly summary: Summary
}

export const EMPTY_PART: LoosePart = { kind: 'loose', entries: [], summary: EMPTY_SUMMARY }

/** @param entries sorted */
export function encodeLeaf(entries: readonly Entry[], prefix: string, form: Form): BlockFrame {
  const writer = new Writer()
  writer.u8(FORMS.indexOf(form))
  const links: Link[] = []
  for (const entry of entries) {
    writeEntry(writer, entry, form)
    const link = linkOf(entry)
    if (link !== undefined) links.push(link)
  }
  return { kind: KIND_LEAF, level: prefix.length, links, content: writer.finish() }
}

/**
 * A child of a branch: the names whose next four bits, as a number, are one of `width` beginning with `first`. More than
 * one only where all of them fit one leaf.
 */
export interface BranchChild {
  readonly first: number
  readonly width: number
  readonly part: StoredPart
}

/** @param children in order, none of them empty */
export function encodeBranch(
  children: readonly BranchChild[],
  prefix: string,
  form: Form,
): BlockFrame {
  const writer = new Writer()
  writer.u8(FORMS.indexOf(form))
  const links: Link[] = []
  for (const { first, width, part } of children) {
    const { reference, verifyKey, summary } = part
    writer.u8((first << BRANCH_BITS) | WIDTHS.indexOf(width))
    links.push({ type: 'block', id: reference.id, verifyKey })
    writer.bytes(reference.key)
    writer.int(summary.weight)
    writer.int(summary.names)
    writer.int(summary.files)
    writer.int(summary.copies)
    writer.int(summary.sizeBytes)
    if (summary.newestMs === undefined) writer.null()
    else writer.int(summary.newestMs)
    writer.int(summary.height)
    if (form === 'bare') continue
    const span = encodeSpan(summary.dots)
    if (span === undefined) writer.null()
    else writer.bytes(span)
  }
  return { kind: KIND_BRANCH, level: prefix.length, links, content: writer.finish() }
}

/** What a reader knows of a node before it reads it. */
export interface NodeContext {
  readonly prefix: string
  /** The dots that its parent tells; undefined for the root of a folder, which is stored in full. */
  readonly dots: DotSpan | undefined
}

/** The form of a node, which follows from its dots, but that a folder's root has no parent to tell them. */
export function formOf(dots: DotSpan | undefined): Form {
  return dots !== undefined && isStoredDotless(dots) ? 'bare' : 'full'
}

/** Whether a node leaves the dots of its entries to its parent to tell. */
export function isBare({ content }: BlockFrame): boolean {
  return content[0] === FORMS.indexOf('bare')
}

/** @throws BrokenFolderError unless it is the one encoding of a node that may stand there */
export function decodeNode(frame: BlockFrame, context: NodeContext): Node {
  if (frame.level !== context.prefix.length || frame.level > MAX_DEPTH) {
    throw new BrokenFolderError('a node lies at another depth')
  }
  const reader = new Reader(frame.content)
  const form = FORMS[reader.u8()]
  if (form !== formOf(context.dots)) throw new BrokenFolderError('a node has its dots elsewhere')
  const links = new Links(frame.links)
  const node =
    frame.kind === KIND_LEAF
      ? readLeaf(reader, links, { ...context, form })
      : frame.kind === KIND_BRANCH
        ? readBranch(reader, links, { ...context, form })
        : undefined
  if (node === undefined) throw new BrokenFolderError('a node is of an unknown kind')
  if (!reader.isAtEnd || !links.isAtEnd) throw new BrokenFolderError('a node has something left')
  return node
}

/** Entries of one name. Devices that see each other's keep few; this many fit a block whatever is in them. */
export const MAX_VERSIONS = 128

const FORMS: readonly Form[] = ['full', 'bare']
const FAN_OUT = 2 ** BRANCH_BITS
/** A child of all 16 would be the leaf in the branch's place. */
const WIDTHS: readonly number[] = [1, 2, 4, 8]

function readLeaf(
  reader: Reader,
  links: Links,
  { prefix, dots, form }: NodeContext & { form: Form },
): LoosePart {
  const stamp =
    form === 'bare' && dots?.kind === 'one' ? { dots: singleDot(dots.dot), span: dots } : undefined
  const surroundings = { form, stamp, takeLink: () => links.take() }
  const known = new Known()
  const entries: Entry[] = []
  const weights: number[] = []
  let previous: Entry | undefined
  // Ends, as an entry takes at least one byte of a node that has at most 1 MiB.
  while (!reader.isAtEnd) {
    const start = reader.offset
    const raw = readFields(reader, known)
    const entry = entryOf(raw, surroundings)
    // There is one encoding of an entry, so that what was read tells its weight.
    weights.push(reader.offset - start - raw.dotsBytes + ALLOWANCE_BYTES)
    if (previous !== undefined) checkOrder(previous, entry)
    if (prefix !== '' && !hasPrefix(placeOf(entry.name), prefix)) {
      throw new BrokenFolderError('an entry lies in the wrong place')
    }
    entries.push((previous = entry))
  }
  const summary = summarize(entries, weights)
  if (!fitsLeaf(summary) || (summary.names === 1 && entries.length > MAX_VERSIONS)) {
    throw new BrokenFolderError('a leaf is too large')
  }
  if (entries.length === 0 && prefix !== '') throw new BrokenFolderError('a leaf has no entry')
  return { kind: 'loose', entries, summary }
}

function readBranch(
  reader: Reader,
  links: Links,
  { prefix, dots, form }: NodeContext & { form: Form },
): Node {
  if (prefix.length % BRANCH_BITS !== 0) throw new BrokenFolderError('a branch should be a leaf')
  const children: BranchChild[] = []
  let end = 0
  // Ends, as every child begins where the one before it ended or later.
  while (!reader.isAtEnd) {
    const range = reader.u8()
    const first = range >> BRANCH_BITS
    const width = WIDTHS[range & (FAN_OUT - 1)]
    if (width === undefined || first < end || first % width !== 0) {
      throw new BrokenFolderError('the children of a branch are not in order')
    }
    end = first + width
    const part = readChild(reader, links, form === 'bare' ? dots : undefined)
    if (width > 1 && !fitsLeaf(part.summary)) throw new BrokenFolderError('a leaf is too large')
    children.push({ first, width, part })
  }
  const part = partOfRange(children, { first: 0, width: FAN_OUT })
  if (part.kind !== 'inner') throw new BrokenFolderError('a branch has no children')
  return part
}

function readChild(reader: Reader, links: Links, stamp: DotSpan | undefined): StoredPart {
  const key = reader.bytes({ min: 32, max: 32 })
  const numbers = {
    weight: reader.uint(Number.MAX_SAFE_INTEGER),
    names: reader.uint(Number.MAX_SAFE_INTEGER),
    files: reader.uint(Number.MAX_SAFE_INTEGER),
    copies: reader.uint(Number.MAX_SAFE_INTEGER),
    sizeBytes: reader.uint(Number.MAX_SAFE_INTEGER),
    newestMs: reader.isNull() ? undefined : reader.int({ min: MIN_MTIME_MS, max: MAX_MTIME_MS }),
    height: reader.uint(MAX_PATH_NAMES),
  }
  const dots = stamp ?? readSpan(reader)
  if (dots.kind === 'empty' || numbers.names === 0) {
    throw new BrokenFolderError('a branch has an empty child')
  }
  const link = links.take()
  if (link.type !== 'block') throw new BrokenFolderError('a branch leads out of its directory')
  const reference = { key, id: link.id }
  return { kind: 'stored', reference, verifyKey: link.verifyKey, summary: { ...numbers, dots } }
}

/** Children in memory as the halves of halves that they stand for. @throws BrokenFolderError if two should be one */
function partOfRange(
  children: readonly BranchChild[],
  { first, width }: { first: number; width: number },
): Part {
  const within = children.filter((child) => child.first >= first && child.first < first + width)
  const [only] = within
  if (only === undefined) return EMPTY_PART
  if (only.width === width) return only.part
  const half = width / 2
  const halves = [
    partOfRange(within, { first, width: half }),
    partOfRange(within, { first: first + half, width: half }),
  ] as const
  const summary = sumSummaries(halves.map((part) => part.summary).filter(({ names }) => names > 0))
  if (fitsLeaf(summary)) throw new BrokenFolderError('a branch holds what fits a leaf')
  return { kind: 'inner', halves, summary }
}

function readSpan(reader: Reader): DotSpan {
  if (reader.isNull()) return { kind: 'scattered' }
  return decodeSpan(reader.bytes({ max: MAX_SPAN_BYTES }))
}

/** The order of entries in a leaf. */
export function compareEntries(a: Entry, b: Entry): number {
  return compareNames(a.name, b.name) || compareBytes(bareBytes(a), bareBytes(b))
}

function checkOrder(previous: Entry, entry: Entry): void {
  const areTwoDirectories =
    previous.name === entry.name && previous.kind === 'directory' && entry.kind === 'directory'
  if (areTwoDirectories || compareEntries(previous, entry) >= 0) {
    throw new BrokenFolderError('the entries of a leaf are not in order')
  }
}

function linkOf(entry: Entry): Link | undefined {
  switch (entry.kind) {
    case 'file':
    case 'directory':
      return { type: 'block', id: entry.reference.id, verifyKey: entry.verifyKey }
    case 'linked-folder':
    case 'linked-file':
      return { type: 'slot', slot: entry.slot, verifyKey: entry.verifyKey }
    case 'literal':
    case 'symlink':
      return undefined
  }
}

/** A node's links, which its entries or children take one after another. */
class Links {
  readonly #links: readonly Link[]
  #next = 0

  constructor(links: readonly Link[]) {
    this.#links = links
  }

  get isAtEnd(): boolean {
    return this.#next === this.#links.length
  }

  take(): Link {
    const link = this.#links[this.#next++]
    if (link === undefined) throw new BrokenFolderError('a node has too few links')
    return link
  }
}
