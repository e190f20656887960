import type { BigIntStats } from 'node:fs'
import { concatBytes, equalBytes, utf8 } from '../../foundation/bytes.ts'
import { MAX_MTIME_MS, MIN_MTIME_MS, type Entry } from '../../folders/entry.ts'
import type { NewVersion } from '../../folders/commit/edits.ts'
import type { FileSignature } from '../../home/local-files.ts'

/** What of a local file stands in a folder beside its content. */
export interface LocalState {
  readonly mtimeMs: number
  readonly isExecutable: boolean
}

export function stateOf({ mtimeMs, mode }: BigIntStats): LocalState {
  return {
    mtimeMs: Math.min(Math.max(Number(mtimeMs), MIN_MTIME_MS), MAX_MTIME_MS),
    isExecutable: (mode & OWNER_MAY_RUN) !== 0n,
  }
}

export function signatureOf({ size, mtimeNs, ctimeNs, ino }: BigIntStats): FileSignature {
  return { sizeBytes: size, mtimeNs, ctimeNs, inode: ino }
}

/** Bytes that tell the contents of files apart; undefined of what is none. */
export function contentTag(content: Entry | NewVersion): Uint8Array | undefined {
  if (content.kind === 'file') return concatBytes([utf8('file'), content.reference.key])
  return content.kind === 'literal' ? concatBytes([utf8('literal'), content.bytes]) : undefined
}

/** Whether an entry already says all that a put would. */
export function saysSame(entry: Entry, content: NewVersion): boolean {
  const [there, given] = [contentTag(entry), contentTag(content)]
  if (there === undefined || given === undefined || !equalBytes(there, given)) return false
  return hasState(entry, { mtimeMs: content.mtimeMs, isExecutable: isExecutable(content) })
}

export function hasState(entry: Entry, { mtimeMs, isExecutable: runs }: LocalState): boolean {
  return entry.kind !== 'directory' && entry.mtimeMs === mtimeMs && isExecutable(entry) === runs
}

function isExecutable(content: Entry | NewVersion): boolean {
  return 'isExecutable' in content && content.isExecutable === true
}

const OWNER_MAY_RUN = 0o100n
