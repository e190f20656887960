import { rootFolderOf, type AccountSecret } from '../capabilities/account.ts'
import type { Capability } from '../capabilities/capability.ts'
import { readAliases, type Aliases } from './alias-file.ts'
import { HomeError } from './errors.ts'
import { readSecrets, type AskPassphrase, type HomeSecrets } from './key-store.ts'
import type { HomeFiles } from './layout.ts'

/** The alias of the account's root folder. It follows from the account, so it can be neither given nor taken away. */
export const HOME_ALIAS = 'home'

/** A home whose secrets are opened when first needed and only once, so that a passphrase is asked for at most once. */
export interface OpenedHome {
  readonly files: HomeFiles
  /** What is there of them. @throws as `readSecrets` */
  readonly secrets: () => Promise<Partial<HomeSecrets>>
  /** @throws as {@link secrets}, and HomeError if the home has no account */
  readonly account: () => Promise<AccountSecret>
  /** What an alias stands for; undefined if there is none of that name. @throws as {@link account} */
  readonly findAlias: (name: string) => Promise<Capability | undefined>
}

export function openHome(files: HomeFiles, ask: AskPassphrase): OpenedHome {
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

export function noAccount({ home }: HomeFiles): HomeError {
  return new HomeError({
    code: 'no-account',
    message: `There is no account in ${home}. "hayloft init" makes one, and "hayloft recover" brings one back.`,
  })
}
