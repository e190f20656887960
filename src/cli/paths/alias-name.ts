import { usageError } from '../failures.ts'

/** Long enough for any name, and short enough for a table. */
const MAX_ALIAS_CHARACTERS = 64

/** @returns the name. @throws CliError if no alias can be called so */
export function checkAliasName(text: string): string {
  if (/^[a-z]$/i.test(text)) {
    throw usageError(
      'An alias has at least two characters: one letter and a colon are a drive on Windows, as in C:\\photos.',
    )
  }
  if (text.length > MAX_ALIAS_CHARACTERS || !/^[a-z0-9][a-z0-9._-]*$/.test(text)) {
    throw usageError(
      `An alias begins with a lower-case letter or a digit, goes on with these and ".", "_" and "-", and has at most ${MAX_ALIAS_CHARACTERS} characters.`,
    )
  }
  return text
}
