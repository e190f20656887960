import { compareBytes } from '../../foundation/bytes.ts'
import { assert } from '../../foundation/error.ts'
import { KIND_BRANCH, KIND_LEAF, type BlockFrame, type Link } from '../../grid/blocks/frame.ts'
import type { BlockReference } from '../../grid/files/index-node.ts'
import { isStoredDotless, singleDot, EMPTY_SPAN, type DotSpan } from '../dots.ts'
import { decodeSpan, encodeSpan, MAX_SPAN_BYTES } from '../encoding/dots-codec.ts'
import { Reader } from '../encoding/reader.ts'
import { Writer } from '../encoding/writer.ts'
import { MAX_MTIME_MS, MIN_MTIME_MS, type Entry } from '../entry.ts'
import { BrokenFolderError } from '../errors.ts'
import { compareNames, MAX_PATH_NAMES, placeOf } from '../names.ts'
import { bareBytes, writeEntry, type Form } from './entry-codec.ts'
import { readEntry } from './entry-decoder.ts'
import { fitsLeaf, sumSummaries, summarize, type Summary } from './summary.ts'

/** A node of a directory's trie: all entries whose names begin, in their places, with the node's prefix. */
export type Node = LeafNode | BranchNode

export interface LeafNode {
  readonly kind: 'leaf'
  /** Sorted by name, then by bare bytes. */
  readonly entries: readonly Entry[]
  readonly summary: Summary
}

export interface BranchNode {
  readonly kind: 'branch'
  /** One for each next hexadecimal digit, absent where no name has it. */
  readonly children: readonly (StoredPart | undefined)[]
  readonly summary: Summary
}

/** A node that the store has, and what its parent says of it. */
export interface StoredPart {
  readonly kind: 'stored'
  readonly reference: BlockReference
  readonly verifyKey: Uint8Array
  readonly summary: Summary
}

export const FAN_OUT = 16
/** Digits of a place. Two names that share all of them have never been found. */
export const MAX_DEPTH = 64

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

export function encodeBranch(
  children: readonly (StoredPart | undefined)[],
  prefix: string,
  form: Form,
): BlockFrame {
  assert(children.length === FAN_OUT, 'a branch has a place for every digit')
  const writer = new Writer()
  writer.u8(FORMS.indexOf(form))
  writer.u16(children.reduce((bits, child, digit) => bits | (child ? 1 << digit : 0), 0))
  const links: Link[] = []
  for (const child of children) {
    if (child === undefined) continue
    const { reference, verifyKey, summary } = child
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

const FORMS: readonly Form[] = ['full', 'bare']

function readLeaf(
  reader: Reader,
  links: Links,
  { prefix, dots, form }: NodeContext & { form: Form },
): LeafNode {
  const stamp =
    form === 'bare' && dots?.kind === 'one' ? { dots: singleDot(dots.dot), span: dots } : undefined
  const surroundings = { form, stamp, takeLink: () => links.take() }
  const entries: Entry[] = []
  let previous: Entry | undefined
  // Ends, as an entry takes at least one byte of a node that has at most 1 MiB.
  while (!reader.isAtEnd) {
    const entry = readEntry(reader, surroundings)
    if (previous !== undefined) checkOrder(previous, entry)
    if (prefix !== '' && !placeOf(entry.name).startsWith(prefix)) {
      throw new BrokenFolderError('an entry lies in the wrong place')
    }
    entries.push((previous = entry))
  }
  const summary = summarize(entries)
  if (!fitsLeaf(summary)) throw new BrokenFolderError('a leaf is too large')
  if (entries.length === 0 && prefix !== '') throw new BrokenFolderError('a leaf has no entry')
  return { kind: 'leaf', entries, summary }
}

function readBranch(
  reader: Reader,
  links: Links,
  { dots, form }: NodeContext & { form: Form },
): BranchNode {
  const bits = reader.u16()
  const children = Array.from({ length: FAN_OUT }, (_, digit) => {
    if ((bits & (1 << digit)) === 0) return undefined
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
    const link = links.take()
    if (link.type !== 'block') throw new BrokenFolderError('a branch leads out of its directory')
    const span = form === 'full' ? readSpan(reader) : (dots ?? EMPTY_SPAN)
    if (span.kind === 'empty' || numbers.names === 0) {
      throw new BrokenFolderError('a branch has an empty child')
    }
    const summary = { ...numbers, dots: span }
    const reference = { key, id: link.id }
    return { kind: 'stored' as const, reference, verifyKey: link.verifyKey, summary }
  })
  const present = children.filter((child) => child !== undefined)
  const summary = sumSummaries(present.map((child) => child.summary))
  if (fitsLeaf(summary)) throw new BrokenFolderError('a branch should be a leaf')
  return { kind: 'branch', children, summary }
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
