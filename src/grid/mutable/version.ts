import { sha256 } from '../../crypto/hash.ts'
import { equalBytes, toHex } from '../../foundation/bytes.ts'
import { HayloftError } from '../../foundation/error.ts'
import type { BlockReference } from '../files/index-node.ts'
import type { SlotBase } from '../slots/client.ts'
import type { SlotContents } from '../slots/contents.ts'

/** One content that a file has, or had. */
export interface FileVersion {
  readonly content: FileContent
  readonly sizeBytes: number
  readonly modifiedMs: number
  /** Of the device that wrote it, if it has one. */
  readonly device: string | undefined
}

/** Where a content is: in blocks of its own, or, a small one, in what tells of it. */
export type FileContent =
  | { readonly kind: 'blocks'; readonly root: BlockReference }
  | { readonly kind: 'inline'; readonly bytes: Uint8Array }

/** The file is not what the writer last saw. */
export class FileChangedError extends HayloftError {
  readonly code = 'file-changed'

  constructor() {
    super('The file was not written: it has changed since it was read. Look at what it is now.')
  }
}

/** 32 bytes that are the same for equal contents which are stored in the same way: the root's id, or a SHA-256. */
export function contentName(content: FileContent): Uint8Array {
  return content.kind === 'blocks' ? content.root.id : sha256(content.bytes)
}

/** Undefined for a state that is none of a file. */
export function versionOf({
  kind,
  root,
  inline,
  sizeBytes = 0,
  modifiedMs = 0,
  device,
}: SlotContents): FileVersion | undefined {
  if (kind !== 'file') return undefined
  if (inline !== undefined) {
    return { content: { kind: 'inline', bytes: inline }, sizeBytes, modifiedMs, device }
  }
  if (root === undefined) return undefined
  return { content: { kind: 'blocks', root }, sizeBytes, modifiedMs, device }
}

export function newestFirst(a: FileVersion, b: FileVersion): number {
  const order = b.modifiedMs - a.modifiedMs
  if (order !== 0) return order
  return toHex(contentName(a.content)) < toHex(contentName(b.content)) ? 1 : -1
}

/** @throws FileChangedError */
export function checkUnchanged(base: SlotBase, expected: FileVersion | undefined): void {
  if (expected === undefined) return
  const only = onlyVersion(base)
  const isExpected =
    only?.modifiedMs === expected.modifiedMs && isSameContent(only.content, expected.content)
  if (!isExpected) throw new FileChangedError()
}

/** Whether the file has this content, and no other beside it. */
export function hasContent(base: SlotBase, content: FileContent): boolean {
  const only = onlyVersion(base)
  return only !== undefined && isSameContent(only.content, content)
}

function onlyVersion({ heads }: SlotBase): FileVersion | undefined {
  const [only] = heads
  return heads.length === 1 && only !== undefined ? versionOf(only.contents) : undefined
}

function isSameContent(a: FileContent, b: FileContent): boolean {
  return equalBytes(contentName(a), contentName(b))
}
