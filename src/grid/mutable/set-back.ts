import { HayloftError } from '../../foundation/error.ts'
import { NotEnoughSharesError } from '../errors.ts'
import type { OlderHeads } from '../slots/client.ts'
import type { OpenedRecord } from '../slots/seal.ts'
import { setBackSentence, type SetBack, type SetBackState } from '../slots/set-back.ts'
import { newestFirst, versionOf, type FileVersion } from './version.ts'

/**
 * Storage nodes have gone back to an older content of a file that changes, as backups do, and the newer one that was seen is on
 * none of them.
 */
export class FileSetBackError extends HayloftError {
  readonly code = 'file-set-back'
  /** What was seen before and cannot be read any more. */
  readonly newer: SetBackState | undefined
  /** What can be gone back to; undefined if that is nothing at all. */
  readonly older: SetBackState | undefined

  constructor(setBack: SetBack, options?: ErrorOptions) {
    super(setBackSentence('file', setBack), options)
    this.newer = setBack.newer
    this.older = setBack.older
  }
}

/** What became of accepting an older content. */
export interface AcceptedVersion {
  readonly kept: SetBackState | undefined
  readonly gone: SetBackState | undefined
  readonly durability: 'durable' | 'degraded'
}

/** Where a version cannot be had, and nodes are known to have gone back from it, that is told instead. */
export function explained(
  error: unknown,
  version: FileVersion,
  { heads, sinceMs }: OlderHeads,
): unknown {
  if (!(error instanceof NotEnoughSharesError)) return error
  const older = toldOf(versionsOf(heads)[0])
  return new FileSetBackError({ newer: toldOf(version), older, sinceMs }, { cause: error })
}

/** The newest first. */
export function versionsOf(heads: readonly OpenedRecord[]): FileVersion[] {
  return heads.flatMap(({ contents }) => versionOf(contents) ?? []).sort(newestFirst)
}

export function toldOf(version: FileVersion | undefined): SetBackState | undefined {
  return version && { timeMs: version.modifiedMs, device: version.device ?? '' }
}
