import { accountKeyOf, newAccountSecret } from '../../capabilities/account.ts'
import { toHex } from '../../foundation/bytes.ts'
import { systemRandomness } from '../../foundation/system.ts'
import { nodeKeyOfIdentity } from '../../network/identity.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import { makePrivateDirectory } from '../../home/files.ts'
import {
  ensureSecrets,
  placeOfSecrets,
  writeSecrets,
  type HomeSecrets,
} from '../../home/key-store.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { readSecret, SECRET_BYTES } from '../../home/secrets.ts'
import { askNewPassphrase, askPassphrase } from '../passphrase.ts'
import { accountName, describeRecoveryKey, printRecoveryKey } from '../recovery-sheet.ts'
import { ensureRootFolder, type RootFolderState } from '../root-folder.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import type { Terminal } from '../terminal.ts'

/** Makes an account and this device's identity; where there is an account, makes what it lacks and overwrites nothing. */
export async function init(
  request: { readonly passphrase: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const { files, terminal } = context
  if ((await placeOfSecrets(files)) !== 'nowhere') return await complete(request, context)
  const passphrase = request.passphrase ? await askNewPassphrase() : undefined
  await makePrivateDirectory(files.home)
  const secrets = {
    account: newAccountSecret(systemRandomness),
    identity: (await readSecret(files.identityKey)) ?? systemRandomness.bytes(SECRET_BYTES),
  }
  await writeSecrets(files, secrets, { passphrase, randomness: systemRandomness })
  const root = await ensureRootFolder(secrets, context)
  if (terminal.json) {
    terminal.value({
      ...describeAccount(secrets, files),
      created: true,
      ...describeRecoveryKey(secrets.account),
    })
    return EXIT.ok
  }
  terminal.line(`Made an account in ${files.home}. Its root folder is home:`)
  terminal.line('')
  printRecoveryKey(secrets.account, terminal)
  tellNeeds(root, terminal)
  return EXIT.ok
}

/** What programs are told of an account: nothing of it is secret. */
export function describeAccount({ account, identity }: HomeSecrets, { home }: HomeFiles): object {
  return {
    home,
    account: toHex(accountKeyOf(account)),
    device: nodeKeyOfIdentity(identity),
  }
}

/** What is still missing before the account can be used. */
function tellNeeds(root: RootFolderState, terminal: Terminal): void {
  if (root === 'made') return
  if (root === 'unreachable') {
    terminal.note(
      '\nToo few storage nodes of the grid answer now. The root folder is made there once they do, when it is first used.',
    )
    return
  }
  terminal.note(
    '\nThis home belongs to no grid yet, so there is no one to keep files. "hayloft grid create NAME" makes one for you and ' +
      'your friends, "hayloft grid join" takes an invite. To try things out on this computer alone: "hayloft practice start".',
  )
}

async function complete(
  { passphrase }: { readonly passphrase: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const { files, terminal } = context
  if (passphrase) throw alreadyThere(files)
  const secrets = await ensureSecrets(files, { ask: askPassphrase, randomness: systemRandomness })
  const root = await ensureRootFolder(secrets, context)
  if (terminal.json) {
    terminal.value({ ...describeAccount(secrets, files), created: false })
    return EXIT.ok
  }
  terminal.line(
    `${files.home} has an account already, ${accountName(secrets.account)}, which stays as it is. Its root folder is home:`,
  )
  terminal.line('"hayloft recovery-key" shows its recovery key.')
  tellNeeds(root, terminal)
  return EXIT.ok
}

function alreadyThere({ home }: HomeFiles): CliError {
  return new CliError({
    exit: EXIT.cannotCreate,
    code: 'account-exists',
    message: `${home} has an account already, and init overwrites none. "hayloft passphrase" puts that one under a passphrase.`,
  })
}
