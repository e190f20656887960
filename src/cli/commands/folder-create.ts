import { formatCapability } from '../../capabilities/text.ts'
import { systemRandomness } from '../../foundation/system.ts'
import { readAliases, writeAliases } from '../../home/alias-file.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError, usageError } from '../failures.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { HOME_ALIAS } from '../../home/opened-home.ts'
import { openOwnHome } from '../own-home.ts'
import { checkAliasName } from '../paths/alias-name.ts'

/** Makes an empty folder that hangs on nothing but its capability. */
export async function folderCreate(
  request: { readonly alias?: string | undefined },
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal, signal, files } = context
  const alias =
    request.alias === undefined ? undefined : checkAliasName(request.alias.replace(/:$/, ''))
  if (alias === HOME_ALIAS) {
    throw usageError(
      'The alias home is always the root folder of your account. Choose another name.',
    )
  }
  const home = openOwnHome(files)
  const account = await home.account()
  const aliases = await readAliases(files.aliases, account)
  if (alias !== undefined && aliases.has(alias)) throw aliasExists(alias)
  await using client = await openFolderClient(context, home)
  const { capability, durability } = await client.folders.create({ signal })
  if (alias !== undefined) {
    const changed = new Map(aliases).set(alias, capability)
    await writeAliases(files.aliases, changed, { account, randomness: systemRandomness })
  }
  const text = formatCapability(capability)
  if (terminal.json) {
    const health = durability === 'degraded' ? 'degraded' : 'healthy'
    const name = alias === undefined ? {} : { alias }
    terminal.value({ kind: capability.kind, capability: text, ...name, health })
    return EXIT.ok
  }
  terminal.line(text)
  terminal.note(
    alias === undefined
      ? 'Nothing leads to this folder but that capability. To find it again: hayloft ln CAP home:NAME'
      : `On this computer it is ${alias}: now. To have it on all of yours: hayloft ln ${alias}: home:${alias}`,
  )
  return EXIT.ok
}

function aliasExists(name: string): CliError {
  return new CliError({
    exit: EXIT.cannotCreate,
    code: 'alias-exists',
    message: `There is an alias ${name} already. "hayloft alias remove ${name}" takes that name back.`,
  })
}
