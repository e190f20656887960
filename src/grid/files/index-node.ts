import { verifyKeyOf } from '../../crypto/block-keys.ts'
import { allocateBytes, equalBytes, viewOf } from '../../foundation/bytes.ts'
import type { BlockId } from '../../protocol/block-id.ts'
import { BLOCK_CAPACITY_BYTES } from '../../protocol/limits.ts'
import { KIND_DATA, KIND_FILE_INDEX, type BlockFrame } from '../blocks/frame.ts'
import { BrokenFileError } from '../errors.ts'

/** Names a block for those who may read it: 64 bytes, K ‖ id. */
export interface BlockReference {
  readonly key: Uint8Array
  readonly id: BlockId
}

/** A child of a file's index: a block and how many bytes of the file lie under it. */
export interface FileChild extends BlockReference {
  readonly sizeBytes: number
}

/** A child as an index block that was read names it. */
export interface LinkedChild extends FileChild {
  /** What the link says to verifiers. */
  readonly verifyKey: Uint8Array
}

/** Children of one index block. */
export const INDEX_FAN_OUT = 1024
/** 1,024 to the fourth MiB are more than 2^53 bytes, the most that a size here can say. */
export const MAX_LEVEL = 4
const CHILD_BYTES = 8 + 32

/** The frame of an index block over children that are all of level `level` − 1. */
export function indexFrame(level: number, children: readonly FileChild[]): BlockFrame {
  const content = allocateBytes(children.length * CHILD_BYTES)
  const view = viewOf(content)
  children.forEach(({ key, sizeBytes }, at) => {
    view.setBigUint64(at * CHILD_BYTES, BigInt(sizeBytes))
    content.set(key, at * CHILD_BYTES + 8)
  })
  const links = children.map(({ key, id }) => ({
    type: 'block' as const,
    id,
    verifyKey: verifyKeyOf(key),
  }))
  return { kind: KIND_FILE_INDEX, level, links, content }
}

/** Children of an opened index block. @throws BrokenFileError */
export function childrenOf({ level, links, content }: BlockFrame): LinkedChild[] {
  if (level < 1 || level > MAX_LEVEL) throw new BrokenFileError('an index is too deep')
  if (
    links.length < 1 ||
    links.length > INDEX_FAN_OUT ||
    content.length !== links.length * CHILD_BYTES
  ) {
    throw new BrokenFileError('an index does not fit its links')
  }
  const view = viewOf(content)
  return links.map((link, at) => {
    if (link.type !== 'block')
      throw new BrokenFileError('a file links to something other than a block')
    const sizeBytes = Number(view.getBigUint64(at * CHILD_BYTES))
    if (sizeBytes < 1 || sizeBytes > maxBytesUnder(level - 1)) {
      throw new BrokenFileError('an index gives an impossible size')
    }
    const key = content.subarray(at * CHILD_BYTES + 8, (at + 1) * CHILD_BYTES)
    return { id: link.id, key, sizeBytes, verifyKey: link.verifyKey }
  })
}

/**
 * What readers follow must be what verifiers follow: whoever wrote another key into the link than the one that follows
 * from the child's own made something that can be read for now, and that nobody can check or keep.
 * @throws BrokenFileError
 */
export function checkVerifyKey({ key }: Pick<BlockReference, 'key'>, verifyKey: Uint8Array): void {
  if (!equalBytes(verifyKeyOf(key), verifyKey)) {
    throw new BrokenFileError('a key does not fit its link')
  }
}

/** @throws BrokenFileError unless the frame may stand where an index says a child of that level and size is */
export function checkChild(
  frame: BlockFrame,
  { level, sizeBytes }: { level: number; sizeBytes: number },
): void {
  const isData = frame.kind === KIND_DATA
  if (frame.level !== level || isData !== (level === 0)) {
    throw new BrokenFileError('a block is not of the kind that its index says')
  }
  if (fileBytesUnder(frame) !== sizeBytes) {
    throw new BrokenFileError('a block has not the size that its index says')
  }
}

/** Bytes of the file that lie in or under a block. @throws BrokenFileError */
export function fileBytesUnder(frame: BlockFrame): number {
  if (frame.kind === KIND_FILE_INDEX) {
    return childrenOf(frame).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  }
  if (frame.kind !== KIND_DATA || frame.links.length > 0 || frame.level !== 0) {
    throw new BrokenFileError('a block is of an unknown kind')
  }
  return frame.content.length
}

function maxBytesUnder(level: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, BLOCK_CAPACITY_BYTES * INDEX_FAN_OUT ** level)
}
