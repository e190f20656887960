/** Names a file that holds the passphrase, for programs that have no terminal. */
export const PASSPHRASE_FILE_VARIABLE = 'HAYLOFT_PASSPHRASE_FILE'

/** The option --passphrase-file: as if the variable had been set, for whatever opens the home then finds it there. */
export function namePassphraseFile(given: string | undefined): void {
  if (given !== undefined) process.env[PASSPHRASE_FILE_VARIABLE] = given
}
