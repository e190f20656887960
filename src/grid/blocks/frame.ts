import { allocateBytes, viewOf } from '../../foundation/bytes.ts'
import { assert } from '../../foundation/error.ts'
import { blockId, type BlockId } from '../../protocol/block-id.ts'
import { BLOCK_CAPACITY_BYTES } from '../../protocol/limits.ts'
import { paddedBytes } from '../../protocol/padding.ts'
import { slotKey, type SlotKey } from '../../protocol/slot-key.ts'
import { BrokenFileError } from '../errors.ts'

/**
 * The plaintext of a block: `hdr ‖ V ‖ R`.
 *
 *     hdr = 01 00 00 00 ‖ u32 |V| ‖ u32 |R|                           12 B
 *     V   = links, 65 B each: u8 type ‖ locator 32 ‖ verify key 32
 *     R   = u8 kind ‖ u8 level ‖ u16 0 ‖ u32 content length ‖ content ‖ zeros
 *
 * R is filled up so that |V| and the content together take pad(|V| + content) bytes; what is visible from outside
 * depends on that alone. A block has one canonical frame, and readers refuse every other.
 */
export interface BlockFrame {
  readonly kind: number
  readonly level: number
  readonly links: readonly Link[]
  readonly content: Uint8Array
}

/**
 * Names a child for those who may verify: where it is, and the key to its own links. `history` leads to an older
 * state, so that what is kept of the past can be told from what makes up the present.
 */
export type Link = BlockLink | HistoryLink | SlotLink

export interface BlockLink {
  readonly type: 'block'
  readonly id: BlockId
  readonly verifyKey: Uint8Array
}

export interface HistoryLink {
  readonly type: 'history'
  readonly id: BlockId
  readonly verifyKey: Uint8Array
}

export interface SlotLink {
  readonly type: 'slot'
  readonly slot: SlotKey
  readonly verifyKey: Uint8Array
}

/** Numbers of block kinds in the format. */
export const KIND_DATA = 0
export const KIND_FILE_INDEX = 1
export const KIND_BRANCH = 2
export const KIND_LEAF = 3
export const KIND_HISTORY = 4

export const HEADER_BYTES = 12
export const LINK_BYTES = 65
export const CONTENT_HEADER_BYTES = 8
/** Their places are the numbers of the format. */
const LINK_TYPES: readonly Link['type'][] = ['block', 'slot', 'history']
/** A block's id and a slot's key have one length. */
const LOCATOR_BYTES = 32
const FRAME_VERSION = 0x01000000

/** |R| for so many bytes of links and of content. */
function contentSectionBytes(linkBytes: number, contentBytes: number): number {
  return CONTENT_HEADER_BYTES + paddedBytes(linkBytes + contentBytes) - linkBytes
}

/** A frame in one piece of memory, with views of its three sections. */
export interface EncodedFrame {
  readonly whole: Uint8Array
  readonly header: Uint8Array
  readonly links: Uint8Array
  readonly content: Uint8Array
}

/**
 * A frame whose content is still to be filled in: the caller writes `contentBytes` bytes at
 * {@link contentOf}. Padding is zero.
 */
export function frameFor(
  { kind, level, links }: Omit<BlockFrame, 'content'>,
  contentBytes: number,
  memory?: Uint8Array,
): EncodedFrame {
  const linkBytes = links.length * LINK_BYTES
  assert(linkBytes + contentBytes <= BLOCK_CAPACITY_BYTES, 'a block holds at most 1 MiB')
  const sectionBytes = contentSectionBytes(linkBytes, contentBytes)
  const frameBytes = HEADER_BYTES + linkBytes + sectionBytes
  const frame = viewsOf((memory ?? allocateBytes(frameBytes)).subarray(0, frameBytes), linkBytes)
  const header = viewOf(frame.header)
  header.setUint32(0, FRAME_VERSION)
  header.setUint32(4, linkBytes)
  header.setUint32(8, sectionBytes)
  encodeLinks(links, frame.links)
  const content = viewOf(frame.content)
  content.setUint8(0, kind)
  content.setUint8(1, level)
  content.setUint16(2, 0)
  content.setUint32(4, contentBytes)
  frame.content.fill(0, CONTENT_HEADER_BYTES + contentBytes)
  return frame
}

export function encodeFrame({ content, ...rest }: BlockFrame): EncodedFrame {
  const frame = frameFor(rest, content.length)
  frame.content.set(content, CONTENT_HEADER_BYTES)
  return frame
}

/** The same frame in memory of its own, or in `memory` if that is large enough. */
export function copyFrame({ whole, links }: EncodedFrame, memory?: Uint8Array): EncodedFrame {
  const room =
    memory !== undefined && memory.length >= whole.length ? memory : allocateBytes(whole.length)
  const copy = room.subarray(0, whole.length)
  copy.set(whole)
  return viewsOf(copy, links.length)
}

/** Memory that fits the frame of any data block, to be used again for one after another. */
export function dataFrameMemory(): Uint8Array {
  return allocateBytes(HEADER_BYTES + contentSectionBytes(0, BLOCK_CAPACITY_BYTES))
}

/** @throws BrokenFileError */
export function decodeHeader(
  header: Uint8Array,
  ciphertextBytes: number,
): { linkBytes: number; sectionBytes: number } {
  const view = viewOf(header)
  const linkBytes = view.getUint32(4)
  const sectionBytes = view.getUint32(8)
  if (view.getUint32(0) !== FRAME_VERSION)
    throw new BrokenFileError('a block has an unknown version')
  if (linkBytes % LINK_BYTES !== 0 || linkBytes > BLOCK_CAPACITY_BYTES) {
    throw new BrokenFileError('a block has an impossible number of links')
  }
  if (linkBytes + sectionBytes + SEALED_OVERHEAD_BYTES !== ciphertextBytes) {
    throw new BrokenFileError('the sections of a block do not fill it')
  }
  return { linkBytes, sectionBytes }
}

/** hdr and three AEAD tags. */
export const SEALED_OVERHEAD_BYTES = HEADER_BYTES + 3 * 16

/** Writes links one after another; `into` has {@link LINK_BYTES} for each. */
export function encodeLinks(links: readonly Link[], into: Uint8Array): void {
  links.forEach((link, at) => {
    const start = at * LINK_BYTES
    into[start] = LINK_TYPES.indexOf(link.type)
    into.set(link.type === 'slot' ? link.slot : link.id, start + 1)
    into.set(link.verifyKey, start + 1 + LOCATOR_BYTES)
  })
}

/** @param bytes a whole number of links @throws BrokenFileError */
export function decodeLinks(bytes: Uint8Array): Link[] {
  return Array.from({ length: bytes.length / LINK_BYTES }, (_, at): Link => {
    const link = bytes.subarray(at * LINK_BYTES, (at + 1) * LINK_BYTES)
    const type = LINK_TYPES[link[0] ?? -1]
    const locator = link.subarray(1, 1 + LOCATOR_BYTES)
    const verifyKey = link.subarray(1 + LOCATOR_BYTES)
    if (type === undefined) throw new BrokenFileError('a block has a link of an unknown type')
    return type === 'slot'
      ? { type, slot: slotKey(locator), verifyKey }
      : { type, id: blockId(locator), verifyKey }
  })
}

/** @throws BrokenFileError unless the section is the canonical one */
export function decodeContent(section: Uint8Array, linkBytes: number): Omit<BlockFrame, 'links'> {
  if (section.length < CONTENT_HEADER_BYTES)
    throw new BrokenFileError('a block has no content section')
  const view = viewOf(section)
  const length = view.getUint32(4)
  const fits = linkBytes + length <= BLOCK_CAPACITY_BYTES
  if (
    !fits ||
    section.length !== contentSectionBytes(linkBytes, length) ||
    view.getUint16(2) !== 0
  ) {
    throw new BrokenFileError('a block has an impossible size')
  }
  const end = CONTENT_HEADER_BYTES + length
  if (section.subarray(end).some((byte) => byte !== 0)) {
    throw new BrokenFileError('the padding of a block is not empty')
  }
  return {
    kind: view.getUint8(0),
    level: view.getUint8(1),
    content: section.subarray(CONTENT_HEADER_BYTES, end),
  }
}

function viewsOf(whole: Uint8Array, linkBytes: number): EncodedFrame {
  return {
    whole,
    header: whole.subarray(0, HEADER_BYTES),
    links: whole.subarray(HEADER_BYTES, HEADER_BYTES + linkBytes),
    content: whole.subarray(HEADER_BYTES + linkBytes),
  }
}
