import { fromHex, viewOf, type Branded } from '../../foundation/bytes.ts'
import { assert } from '../../foundation/error.ts'
import {
  MAX_CLOCK_TAGS,
  TAG_BYTES,
  tagHex,
  type TagHex,
  type VersionVector,
} from '../../protocol/version-vector.ts'
import { EMPTY_SPAN, MAX_SPAN_TAGS, type DotRange, type DotSpan } from '../dots.ts'
import { BrokenFolderError } from '../errors.ts'

/** `n × (tag 8 ‖ u32 counter)`, sorted by tag. */
export function encodeDots(dots: VersionVector): Uint8Array {
  assert(dots.size <= MAX_CLOCK_TAGS, 'dots have at most 64 tags')
  const bytes = new Uint8Array(dots.size * DOT_BYTES)
  const view = viewOf(bytes)
  let at = 0
  for (const [tag, counter] of sorted(dots)) {
    writeTag(bytes, at, tag)
    view.setUint32(at + TAG_BYTES, counter)
    at += DOT_BYTES
  }
  return bytes
}

/** @throws BrokenFolderError */
export function decodeDots(bytes: Uint8Array): VersionVector {
  if (bytes.length % DOT_BYTES !== 0 || bytes.length > MAX_DOTS_BYTES) {
    throw new BrokenFolderError('dots have an impossible length')
  }
  const view = viewOf(bytes)
  const dots = new Map<TagHex, number>()
  let previous = ''
  for (let at = 0; at < bytes.length; at += DOT_BYTES) {
    const tag = readTag(bytes, at, previous)
    const counter = view.getUint32(at + TAG_BYTES)
    if (counter === 0) throw new BrokenFolderError('a dot counts to zero')
    dots.set(tag, counter)
    previous = tag
  }
  return dots
}

/**
 * Empty for no dot, `tag 8 ‖ u32` for one that all entries have, else `n × (tag 8 ‖ u32 least ‖ u32 greatest)` sorted
 * by tag. Undefined stands for a scattered span.
 */
export function encodeSpan(span: DotSpan): Uint8Array | undefined {
  switch (span.kind) {
    case 'empty':
      return new Uint8Array(0)
    case 'one':
      return encodeDots(new Map([[span.dot.tag, span.dot.counter]]))
    case 'ranges':
      return encodeRanges(span.ranges)
    case 'scattered':
      return undefined
  }
}

/** @throws BrokenFolderError */
export function decodeSpan(bytes: Uint8Array): DotSpan {
  if (bytes.length === 0) return EMPTY_SPAN
  if (bytes.length === DOT_BYTES) {
    for (const [tag, counter] of decodeDots(bytes)) return { kind: 'one', dot: { tag, counter } }
  }
  if (bytes.length % RANGE_BYTES !== 0 || bytes.length > MAX_SPAN_BYTES) {
    throw new BrokenFolderError('a span of dots has an impossible length')
  }
  const view = viewOf(bytes)
  const ranges = new Map<TagHex, DotRange>()
  let previous = ''
  for (let at = 0; at < bytes.length; at += RANGE_BYTES) {
    const tag = readTag(bytes, at, previous)
    const least = view.getUint32(at + TAG_BYTES)
    const greatest = view.getUint32(at + TAG_BYTES + 4)
    if (least === 0 || greatest < least) throw new BrokenFolderError('a span of dots is empty')
    ranges.set(tag, { least, greatest })
    previous = tag
  }
  return { kind: 'ranges', ranges }
}

const DOT_BYTES = TAG_BYTES + 4
const RANGE_BYTES = TAG_BYTES + 8
export const MAX_DOTS_BYTES = MAX_CLOCK_TAGS * DOT_BYTES
export const MAX_SPAN_BYTES = MAX_SPAN_TAGS * RANGE_BYTES

function encodeRanges(ranges: ReadonlyMap<TagHex, DotRange>): Uint8Array {
  const bytes = new Uint8Array(ranges.size * RANGE_BYTES)
  const view = viewOf(bytes)
  let at = 0
  for (const [tag, { least, greatest }] of sorted(ranges)) {
    writeTag(bytes, at, tag)
    view.setUint32(at + TAG_BYTES, least)
    view.setUint32(at + TAG_BYTES + 4, greatest)
    at += RANGE_BYTES
  }
  return bytes
}

/** Hexadecimal digits sort as the bytes that they stand for. */
function sorted<T>(byTag: ReadonlyMap<TagHex, T>): (readonly [TagHex, T])[] {
  const pairs = [...byTag]
  return pairs.length < 2 ? pairs : pairs.sort(([a], [b]) => (a < b ? -1 : 1))
}

function writeTag(into: Uint8Array, at: number, tag: Branded<string, 'TagHex'>): void {
  const bytes = fromHex(tag)
  assert(bytes?.length === TAG_BYTES, 'a tag is 16 hexadecimal digits')
  into.set(bytes, at)
}

function readTag(bytes: Uint8Array, at: number, previous: string): TagHex {
  const tag = tagHex(bytes.subarray(at, at + TAG_BYTES))
  if (tag <= previous) throw new BrokenFolderError('tags are not sorted')
  return tag
}
