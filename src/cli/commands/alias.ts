import type { Capability } from '../../capabilities/capability.ts'
import { rootFolderOf } from '../../capabilities/account.ts'
import { describe } from '../../capabilities/describe.ts'
import { formatCapability } from '../../capabilities/text.ts'
import { systemRandomness } from '../../foundation/system.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError, usageError } from '../failures.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { capabilityAt } from '../folders/place-capability.ts'
import { openOwnHome } from '../own-home.ts'
import { readAliases, writeAliases } from '../../home/alias-file.ts'
import { HOME_ALIAS, type OpenedHome } from '../../home/opened-home.ts'
import { checkAliasName } from '../paths/alias-name.ts'
import { placeArgument, type Place } from '../paths/place.ts'
import type { Terminal } from '../terminal.ts'

interface Context {
  readonly files: HomeFiles
  readonly terminal: Terminal
}

/** Gives a name on this device to a capability, or to what has one of its own at a place. */
export async function aliasAdd(
  request: { readonly name: string; readonly place: string },
  context: CommandContext,
): Promise<ExitCode> {
  const { files, terminal } = context
  const name = changeable(request.name)
  const home = openOwnHome(files)
  const place = await placeArgument(request.place, home.findAlias)
  const account = await home.account()
  const aliases = await readAliases(files.aliases, account)
  if (aliases.has(name)) {
    throw new CliError({
      exit: EXIT.cannotCreate,
      code: 'alias-exists',
      message: `There is an alias ${name} already. "hayloft alias remove ${name}" takes that name back.`,
    })
  }
  const capability = await lastingCapability(place, context, home)
  const changed = new Map(aliases).set(name, capability)
  await writeAliases(files.aliases, changed, { account, randomness: systemRandomness })
  if (terminal.json) terminal.value({ name, kind: capability.kind })
  else terminal.line(`${name}: is ${describe(capability).title}.`)
  return EXIT.ok
}

/** @throws CliError for what is part of a folder, and will be another thing under the same name */
async function lastingCapability(
  place: Place,
  context: CommandContext,
  home: OpenedHome,
): Promise<Capability> {
  if (place.path.length === 0) return place.capability
  await using client = await openFolderClient(context, home)
  const found = await capabilityAt(place, undefined, { ...context, client })
  if (isLasting(found)) return found
  if (found.kind === 'snapshot-read') {
    throw usageError(
      `${place.label} is part of a folder, and an alias stands for a whole one. To make it one: hayloft promote ${place.label}`,
    )
  }
  throw usageError(
    `${place.label} is a file in a folder, and an alias stands for what has a capability of its own.`,
  )
}

/** Whether it stays the capability of what changes. */
function isLasting({ kind }: Capability): boolean {
  return kind.startsWith('folder-') || kind.startsWith('mutable-')
}

/** Lists the names, and only on request what they stand for. */
export async function aliasList(
  request: { readonly show: boolean },
  { files, terminal }: Context,
): Promise<ExitCode> {
  const account = await openOwnHome(files).account()
  const aliases = await readAliases(files.aliases, account)
  const all: [string, Capability][] = [[HOME_ALIAS, rootFolderOf(account)], ...aliases]
  if (terminal.json) {
    terminal.value(
      all.map(([name, capability]) => ({
        name,
        kind: capability.kind,
        ...(request.show ? { capability: formatCapability(capability) } : {}),
      })),
    )
    return EXIT.ok
  }
  const width = Math.max(...all.map(([name]) => name.length)) + 1
  for (const [name, capability] of all) {
    const what = request.show ? formatCapability(capability) : describe(capability).title
    terminal.line(`${`${name}:`.padEnd(width)}  ${what}`)
  }
  return EXIT.ok
}

/** Takes a name away. What it stood for stays where it is. */
export async function aliasRemove(
  request: { readonly name: string },
  { files, terminal }: Context,
): Promise<ExitCode> {
  const name = changeable(request.name)
  const account = await openOwnHome(files).account()
  const changed = new Map(await readAliases(files.aliases, account))
  if (!changed.delete(name)) {
    throw new CliError({
      exit: EXIT.inputMissing,
      code: 'alias-unknown',
      message: `There is no alias ${name}. "hayloft alias list" shows those there are.`,
    })
  }
  await writeAliases(files.aliases, changed, { account, randomness: systemRandomness })
  if (terminal.json) terminal.value({ name })
  else terminal.line(`Removed the alias ${name}. What it stood for is untouched.`)
  return EXIT.ok
}

/** As it is typed, with or without the colon. */
function changeable(text: string): string {
  const name = checkAliasName(text.replace(/:$/, ''))
  if (name !== HOME_ALIAS) return name
  throw usageError('The alias home is always the root folder of your account. Choose another name.')
}
