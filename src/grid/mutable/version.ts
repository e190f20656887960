import { toHex } from '../../foundation/bytes.ts'
import type { BlockReference } from '../files/index-node.ts'
import type { SlotContents } from '../slots/contents.ts'

/** One content that a file has, or had. */
export interface FileVersion {
  readonly root: BlockReference
  readonly sizeBytes: number
  readonly modifiedMs: number
  /** Of the device that wrote it, if it has one. */
  readonly device: string | undefined
}

/** Undefined if it is the state of something else. */
export function versionOf({ kind, root, ...rest }: SlotContents): FileVersion | undefined {
  if (kind !== 'file' || root === undefined) return undefined
  const { sizeBytes = 0, modifiedMs = 0, device } = rest
  return { root, sizeBytes, modifiedMs, device }
}

export function newestFirst(a: FileVersion, b: FileVersion): number {
  const order = b.modifiedMs - a.modifiedMs
  if (order !== 0) return order
  return toHex(a.root.id) < toHex(b.root.id) ? 1 : -1
}
