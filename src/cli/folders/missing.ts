import { EXIT } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import type { Place } from '../paths/place.ts'

/** Like the folders' own error, but it names the place as the user did. */
export function pathMissing({ label }: Pick<Place, 'label'>): CliError {
  return new CliError({
    exit: EXIT.inputMissing,
    code: 'path-not-found',
    message: `There is nothing at ${label}.`,
  })
}
