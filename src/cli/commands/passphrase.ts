import { systemRandomness } from '../../foundation/system.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { ensureSecrets, placeOfSecrets, writeSecrets } from '../../home/key-store.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { noAccount } from '../../home/opened-home.ts'
import { askNewPassphrase, askPassphrase } from '../passphrase.ts'
import type { Terminal } from '../terminal.ts'

export interface PassphraseRequest {
  /** Keep the secrets in the clear from now on. */
  readonly remove: boolean
  /** A file that holds the new one, since the old one may come from a file too. */
  readonly newFile?: string | undefined
}

/** Puts the secrets of a home under a passphrase, under another one, or under none. */
export async function passphrase(
  request: PassphraseRequest,
  { files, terminal }: { readonly files: HomeFiles; readonly terminal: Terminal },
): Promise<ExitCode> {
  if ((await placeOfSecrets(files)) === 'nowhere') throw noAccount(files)
  const secrets = await ensureSecrets(files, { ask: askPassphrase, randomness: systemRandomness })
  const next = request.remove ? undefined : await askNewPassphrase(request.newFile)
  await writeSecrets(files, secrets, { passphrase: next, randomness: systemRandomness })
  const protection = request.remove ? 'none' : 'passphrase'
  if (terminal.json) terminal.value({ home: files.home, protection })
  else terminal.line(SAID[protection])
  return EXIT.ok
}

const SAID = {
  none: 'The secrets of this home are under no passphrase now: whoever can read the file has them.',
  passphrase:
    'The secrets of this home are under the new passphrase. Copies of the file from before, in backups say, are not.',
} as const
