import { formatCapability } from '../../capabilities/text.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { newAliasName, reserveAlias } from '../folders/new-alias.ts'
import { openOwnHome } from '../own-home.ts'

/** Makes an empty folder that hangs on nothing but its capability. */
export async function folderCreate(
  request: { readonly alias?: string | undefined },
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal, signal, files } = context
  const alias = newAliasName(request.alias)
  const home = openOwnHome(files)
  const giveAlias = await reserveAlias(alias, { files, account: await home.account() })
  await using client = await openFolderClient(context, home)
  const { capability, durability } = await client.folders.create({ signal })
  await giveAlias(capability)
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
