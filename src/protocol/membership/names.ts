import { HayloftError } from '../../foundation/error.ts'
import { MAX_NAME_CHARACTERS } from './limits.ts'

/** A name of a person, device, household or grid that nobody could read, or that would read as another. */
export class InvalidMemberNameError extends HayloftError {
  readonly code = 'member-name-invalid'
}

/**
 * Names: 1 to 64 characters in Unicode normal form C that can be shown on one line and read in one way.
 *
 * @param noun - what it names, for the sentence: `name`, `zone`
 * @throws InvalidMemberNameError that does not repeat the name
 */
export function checkMemberName(text: string, noun: string): string {
  const flaw = flawOfMemberName(text)
  if (flaw === undefined) return text
  throw new InvalidMemberNameError(`This cannot be a ${noun}: it ${flaw}.`)
}

/** @returns what is wrong with it, as the end of a sentence; undefined if nothing is */
export function flawOfMemberName(text: string): string | undefined {
  if (text === '') return 'is empty'
  if (UNREADABLE.test(text)) return 'holds control characters or ones that turn text around'
  if (text.normalize('NFC') !== text) return 'is not in Unicode normal form C'
  if (text.trim() !== text) return 'begins or ends with white space'
  // Each character has one or two units, so a text far too long need not be taken apart.
  if (text.length > 2 * MAX_NAME_CHARACTERS || Array.from(text).length > MAX_NAME_CHARACTERS) {
    return `is longer than ${MAX_NAME_CHARACTERS} characters`
  }
  return undefined
}

/** Controls, halves of characters, line ends, and what changes the direction of text (Unicode TR 9, 2.1 to 2.6). */
const UNREADABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u
