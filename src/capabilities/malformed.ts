import { HayloftError } from '../foundation/error.ts'

/**
 * A text that is no capability this version can use. Neither message nor fields repeat the text: at most its
 * human-readable part, where that begins as one of ours, and one character that no capability holds.
 */
export class MalformedCapabilityError extends HayloftError {
  readonly code = 'capability-malformed'
  readonly reason: MalformedReason
  /** Where it goes wrong, if that is known: 1 is the first character. */
  readonly position: number | undefined

  constructor(reason: MalformedReason, message: string, position?: number) {
    super(message)
    this.reason = reason
    this.position = position
  }
}

/** Why a text is refused; stable, for programs. */
export type MalformedReason =
  | 'empty'
  | 'foreign'
  | 'no-kind'
  | 'unknown-kind'
  | 'kind-not-yet-usable'
  | 'recovery-key'
  | 'invite'
  | 'device-word'
  | 'white-space'
  | 'mixed-case'
  | 'character'
  | 'length'
  | 'mistyped'
  | 'version'
  | 'padding'
  | 'contents'
