import { existsSync } from 'node:fs'
import { accountKeyOf, type AccountSecret } from '../../capabilities/account.ts'
import { parseRecoveryKey } from '../../capabilities/recovery.ts'
import { equalBytes } from '../../foundation/bytes.ts'
import { systemRandomness } from '../../foundation/system.ts'
import { textArgument } from '../arguments.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import { makePrivateDirectory } from '../../home/files.ts'
import { findGridKey } from '../../home/grid-key-file.ts'
import {
  placeOfSecrets,
  readSecrets,
  writeSecrets,
  type HomeSecrets,
} from '../../home/key-store.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { readSecret, SECRET_BYTES } from '../../home/secrets.ts'
import { comeBack, wayBack, type WayBack, type WayBackRequest } from '../grid/come-back.ts'
import { askNewPassphrase, askPassphrase } from '../passphrase.ts'
import { requireOwn } from '../grid/own.ts'
import { accountName } from '../recovery-sheet.ts'
import { ensureRootFolder } from '../root-folder.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import type { Terminal } from '../terminal.ts'
import { describeAccount } from './init.ts'

export interface RecoverRequest extends WayBackRequest {
  /** Where the recovery key is: a file, or `-` for standard input, as without one. */
  readonly file: string | undefined
  readonly passphrase: boolean
}

interface Context {
  readonly files: HomeFiles
  readonly terminal: Terminal
}

/** Brings an account back on a machine that has none, from its recovery key. The device gets an identity of its own. */
export async function recover(request: RecoverRequest, context: CommandContext): Promise<ExitCode> {
  const { files, terminal } = context
  const { file = '-' } = request
  refuseKeyItself(file)
  const back = await wayBack(request)
  const hasAccount = (await placeOfSecrets(files)) !== 'nowhere'
  // Who was told that only the grid is missing need not show the key again.
  if (hasAccount && back !== undefined && request.file === undefined) {
    return await refuseOther({ account: undefined, back }, context)
  }
  if (file === '-' && process.stdin.isTTY) {
    terminal.note('Type the 24 words, or hayrecovery1 and what follows; then Enter and Ctrl-D.')
  }
  const source = file === '-' ? '-' : `@${file.replace(/^@/, '')}`
  const account = parseRecoveryKey(await textArgument(source))
  if (hasAccount) return await refuseOther({ account, back }, context)
  const passphrase = request.passphrase ? await askNewPassphrase() : undefined
  await makePrivateDirectory(files.home)
  const identity = (await readSecret(files.identityKey)) ?? systemRandomness.bytes(SECRET_BYTES)
  const secrets = { account, identity }
  await writeSecrets(files, secrets, { passphrase, randomness: systemRandomness })
  const member = back === undefined ? undefined : await returned(back, secrets, context)
  const root = await ensureRootFolder(secrets, context)
  if (terminal.json) {
    const needs = root === 'no-grid' ? ['grid'] : []
    terminal.value({ ...describeAccount(secrets, files), recovered: true, needs, ...member })
    return EXIT.ok
  }
  terminal.line(`The account ${accountName(account)} is back in ${files.home}.`)
  terminal.line(
    'If that is not the name beside your recovery key, there was a mistake in it, and this is another account, an empty one.',
  )
  if (member !== undefined) tellReturn(member, terminal)
  else if (root === 'no-grid') tellMembership({ files, terminal })
  return EXIT.ok
}

interface Returned {
  readonly grid: string
  readonly name: string | null
  readonly admin: boolean
}

async function returned(
  back: WayBack,
  secrets: HomeSecrets,
  context: CommandContext,
): Promise<Returned> {
  await comeBack(back, secrets, context)
  const { files } = context
  const { file, membership, account } = await requireOwn(files)
  const admin = (await findGridKey(files, secrets.account, membership)) !== undefined
  return { grid: file.name, name: membership.member(account)?.name ?? null, admin }
}

function tellReturn({ grid, name, admin }: Returned, terminal: Terminal): void {
  terminal.line(
    `It belongs to the grid ${grid} again, as ${name ?? 'a member'}${admin ? ', its admin' : ''}.`,
  )
  terminal.note('Your other devices are still yours: "hayloft device list" shows them.')
}

/** A new device is nobody to the grid that holds the account's files. */
function tellMembership({ files, terminal }: Context): void {
  terminal.note(
    '\nStill missing: the grid that holds the files does not know this computer yet. With any invite to that grid, also one ' +
      'that was used: "hayloft recover --invite @FILE" again; or with a word from another computer of yours, ' +
      '"hayloft device add" there and "hayloft grid join" here. For a practice grid, ' +
      `"hayloft practice stop" and then "start" do it, with HAYLOFT_HOME=${files.home}.`,
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
  {
    account,
    back,
  }: {
    /** Of the recovery key, if one was shown. */
    readonly account: AccountSecret | undefined
    readonly back: WayBack | undefined
  },
  context: CommandContext,
): Promise<ExitCode> {
  const { files, terminal } = context
  const { account: there, identity } = await readSecrets(files, askPassphrase)
  const isOther =
    account !== undefined &&
    (there === undefined || !equalBytes(accountKeyOf(there), accountKeyOf(account)))
  if (isOther || there === undefined) {
    throw new CliError({
      exit: EXIT.cannotCreate,
      code: 'account-exists',
      message: `${files.home} has another account already, and recover overwrites none. Set HAYLOFT_HOME to an empty directory.`,
    })
  }
  // The account was brought back before, and its grid was not to be reached, say.
  const canReturn = back !== undefined && identity !== undefined && !existsSync(files.grid)
  const member = canReturn ? await returned(back, { account: there, identity }, context) : undefined
  if (terminal.json) terminal.value({ home: files.home, recovered: false, needs: [], ...member })
  else {
    terminal.line(`${files.home} has this account already.`)
    if (member !== undefined) tellReturn(member, terminal)
  }
  return EXIT.ok
}
