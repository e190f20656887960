import { accountKeyOf, type AccountSecret } from '../../capabilities/account.ts'
import { parseRecoveryKey } from '../../capabilities/recovery.ts'
import { equalBytes } from '../../foundation/bytes.ts'
import { systemRandomness } from '../../foundation/system.ts'
import { nodeKeyOfIdentity } from '../../network/identity.ts'
import { textArgument } from '../arguments.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import { makePrivateDirectory } from '../../home/files.ts'
import { placeOfSecrets, readSecrets, writeSecrets } from '../../home/key-store.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { readSecret, SECRET_BYTES } from '../../home/secrets.ts'
import { askNewPassphrase, askPassphrase } from '../passphrase.ts'
import { accountName } from '../recovery-sheet.ts'
import { ensureRootFolder } from '../root-folder.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import type { Terminal } from '../terminal.ts'
import { describeAccount } from './init.ts'

export interface RecoverRequest {
  /** Where the recovery key is: a file, or `-` for standard input. */
  readonly file: string
  readonly passphrase: boolean
}

interface Context {
  readonly files: HomeFiles
  readonly terminal: Terminal
}

/** Brings an account back on a machine that has none, from its recovery key. The device gets an identity of its own. */
export async function recover(request: RecoverRequest, context: CommandContext): Promise<ExitCode> {
  const { files, terminal } = context
  refuseKeyItself(request.file)
  if (request.file === '-' && process.stdin.isTTY) {
    terminal.note('Type the 24 words, or hayrecovery1 and what follows; then Enter and Ctrl-D.')
  }
  const source = request.file === '-' ? '-' : `@${request.file.replace(/^@/, '')}`
  const account = parseRecoveryKey(await textArgument(source))
  if ((await placeOfSecrets(files)) !== 'nowhere') return await refuseOther(account, context)
  const passphrase = request.passphrase ? await askNewPassphrase() : undefined
  await makePrivateDirectory(files.home)
  const identity = (await readSecret(files.identityKey)) ?? systemRandomness.bytes(SECRET_BYTES)
  const secrets = { account, identity }
  await writeSecrets(files, secrets, { passphrase, randomness: systemRandomness })
  const root = await ensureRootFolder(secrets, context)
  if (terminal.json) {
    const needs = root === 'no-grid' ? ['grid'] : []
    terminal.value({ ...describeAccount(secrets, files), recovered: true, needs })
    return EXIT.ok
  }
  terminal.line(`The account ${accountName(account)} is back in ${files.home}.`)
  terminal.line(
    'If that is not the name beside your recovery key, there was a mistake in it, and this is another account, an empty one.',
  )
  if (root === 'no-grid') tellMembership(identity, { files, terminal })
  return EXIT.ok
}

/** A new device is nobody to the grid that holds the account's files. */
function tellMembership(identity: Uint8Array, { files, terminal }: Context): void {
  terminal.note(
    `\nStill missing: this device, ${nodeKeyOfIdentity(identity)}, has to be put on the list of members of the grid ` +
      `that holds the files, and that list, grid.json, into ${files.home}. For a practice grid, ` +
      '"hayloft practice stop" and then "start" do both.',
  )
}

/** What stands on a command line can be read by every user of the machine. */
function refuseKeyItself(file: string): void {
  if (!/^@?hayrecovery1/i.test(file) && file.trim().split(/\s+/).length < 12) return
  throw new CliError({
    exit: EXIT.usage,
    code: 'recovery-key-exposed',
    message:
      'A recovery key must not stand on the command line, where others on this machine can read it and the shell ' +
      'keeps it: give it on standard input, or in a file. Clear it from the history of your shell.',
  })
}

async function refuseOther(
  account: AccountSecret,
  { files, terminal }: Context,
): Promise<ExitCode> {
  const { account: there } = await readSecrets(files, askPassphrase)
  const isSame = there !== undefined && equalBytes(accountKeyOf(there), accountKeyOf(account))
  if (!isSame) {
    throw new CliError({
      exit: EXIT.cannotCreate,
      code: 'account-exists',
      message: `${files.home} has another account already, and recover overwrites none. Set HAYLOFT_HOME to an empty directory.`,
    })
  }
  if (terminal.json) terminal.value({ home: files.home, recovered: false, needs: [] })
  else terminal.line(`${files.home} has this account already.`)
  return EXIT.ok
}
