import { HayloftError } from '../../foundation/error.ts'

/** A directory or folder cannot be synced, or is not. */
export class SyncRefusedError extends HayloftError {
  readonly code: SyncRefusal

  constructor(code: SyncRefusal, message: string) {
    super(message)
    this.code = code
  }
}

/** Stable, for programs. */
export type SyncRefusal = 'sync-overlaps' | 'not-syncable' | 'not-synced'
