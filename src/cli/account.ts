import type { AccountSecret } from '../capabilities/account.ts'
import { EXIT } from './exit-codes.ts'
import { CliError } from './failures.ts'
import { readSecrets } from './home/key-store.ts'
import type { HomeFiles } from './home/layout.ts'
import { askPassphrase } from './passphrase.ts'

/** The account of this home. @throws CliError if it has none, or its secrets cannot be opened */
export async function requireAccount(files: HomeFiles): Promise<AccountSecret> {
  const { account } = await readSecrets(files, askPassphrase)
  if (account === undefined) throw noAccount(files)
  return account
}

export function noAccount({ home }: HomeFiles): CliError {
  return new CliError({
    exit: EXIT.config,
    code: 'no-account',
    message: `There is no account in ${home}. "hayloft init" makes one, and "hayloft recover" brings one back.`,
  })
}
