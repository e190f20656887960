import type { AccountSecret } from '../../capabilities/account.ts'
import type { Capability } from '../../capabilities/capability.ts'
import { systemRandomness } from '../../foundation/system.ts'
import { readAliases, writeAliases } from '../../home/alias-file.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { HOME_ALIAS } from '../../home/opened-home.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError, usageError } from '../failures.ts'
import { checkAliasName } from '../paths/alias-name.ts'

/** The name that something new is to get on this computer; undefined if none was asked for. @throws CliError */
export function newAliasName(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const name = checkAliasName(text.replace(/:$/, ''))
  if (name !== HOME_ALIAS) return name
  throw usageError('The alias home is always the root folder of your account. Choose another name.')
}

/** What gives that name, once there is something to give it to. Whether it is free is found out now. @throws CliError */
export async function reserveAlias(
  name: string | undefined,
  { files, account }: { files: HomeFiles; account: AccountSecret },
): Promise<(capability: Capability) => Promise<void>> {
  const aliases = await readAliases(files.aliases, account)
  if (name !== undefined && aliases.has(name)) throw aliasExists(name)
  return async (capability) => {
    if (name === undefined) return
    const changed = new Map(await readAliases(files.aliases, account)).set(name, capability)
    await writeAliases(files.aliases, changed, { account, randomness: systemRandomness })
  }
}

function aliasExists(name: string): CliError {
  return new CliError({
    exit: EXIT.cannotCreate,
    code: 'alias-exists',
    message: `There is an alias ${name} already. "hayloft alias remove ${name}" takes that name back.`,
  })
}
