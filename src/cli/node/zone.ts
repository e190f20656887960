import { usageError } from '../failures.ts'

/** As long as a name of the grid may be. */
const MAX_CHARACTERS = 64

/** A household's name: 1 to 64 characters in normal form C, none of which moves a cursor. @throws CliError */
export function zoneArgument(text: string): string {
  const zone = text.normalize('NFC').trim()
  if (/\p{Cc}/u.test(zone)) {
    throw usageError('The name of a zone must not hold control characters, such as a line end.')
  }
  const { length } = Array.from(zone)
  if (length >= 1 && length <= MAX_CHARACTERS) return zone
  throw usageError(`The name of a zone has 1 to ${MAX_CHARACTERS} characters.`)
}
