import { rootFolderOf, type AccountSecret } from '../capabilities/account.ts'
import { EXIT } from './exit-codes.ts'
import { CliError } from './failures.ts'
import { readSecrets, type AskPassphrase, type HomeSecrets } from './home/key-store.ts'
import type { HomeFiles } from './home/layout.ts'
import { askPassphrase } from './passphrase.ts'
import { readAliases, type Aliases } from './paths/alias-file.ts'
import { HOME_ALIAS } from './paths/alias-name.ts'
import type { FindAlias } from './paths/place.ts'

/** A home whose secrets are opened when first needed and only once, so that a passphrase is asked for at most once. */
export interface OpenedHome {
  readonly files: HomeFiles
  /** What is there of them. @throws as `readSecrets` */
  readonly secrets: () => Promise<Partial<HomeSecrets>>
  /** @throws as {@link secrets}, and CliError if the home has no account */
  readonly account: () => Promise<AccountSecret>
  /** For `placeArgument`. @throws as {@link account} */
  readonly findAlias: FindAlias
}

export function openHome(files: HomeFiles, ask: AskPassphrase = askPassphrase): OpenedHome {
  let opened: Promise<Partial<HomeSecrets>> | undefined
  let aliases: Promise<Aliases> | undefined
  const secrets = async (): Promise<Partial<HomeSecrets>> =>
    await (opened ??= readSecrets(files, ask))
  const account = async (): Promise<AccountSecret> => {
    const { account: there } = await secrets()
    if (there === undefined) throw noAccount(files)
    return there
  }
  return {
    files,
    secrets,
    account,
    async findAlias(name) {
      if (name === HOME_ALIAS) return rootFolderOf(await account())
      aliases ??= readAliases(files.aliases, await account())
      return (await aliases).get(name)
    },
  }
}

export function noAccount({ home }: HomeFiles): CliError {
  return new CliError({
    exit: EXIT.config,
    code: 'no-account',
    message: `There is no account in ${home}. "hayloft init" makes one, and "hayloft recover" brings one back.`,
  })
}
