import type { Capability } from '../../capabilities/capability.ts'
import { describe } from '../../capabilities/describe.ts'
import { weakenedTo } from '../../capabilities/weakened.ts'
import type { Power } from '../../folders/service/view.ts'
import type { OpenedHome } from '../../home/opened-home.ts'
import type { Client } from '../../library/client.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import { placeArgument, type Place } from '../paths/place.ts'
import type { Terminal } from '../terminal.ts'
import { openFolderClient, type CommandContext } from './folder-client.ts'
import { pathMissing } from './missing.ts'
import { viewAt } from './powers.ts'

/**
 * What an argument of `check` or `repair` leads to: a capability as it is, or that of a place in a folder, which is looked
 * at for it.
 */
export async function verifiableArgument(
  argument: string,
  context: CommandContext,
  home: OpenedHome,
): Promise<Capability> {
  const place = await placeArgument(argument, home.findAlias)
  if (place.path.length === 0) return place.capability
  await using client = await openFolderClient(context, home)
  return await verifiableAt(place, { ...context, client })
}

/**
 * The capability of what is at a place in a folder, with all the power that its user has or with less: of a directory as
 * it is now, of everything else for good.
 */
export async function capabilityAt(
  place: Place,
  power: Power | undefined,
  tools: { readonly client: Client; readonly terminal: Terminal; readonly signal: AbortSignal },
): Promise<Capability> {
  const view = await viewAt(place, tools)
  const shown = await view.stat(place.path)
  if (shown === undefined) throw pathMissing(place)
  const { kind } = shown.entry
  const hasOwnSlot = kind === 'linked-folder' || kind === 'linked-file'
  return await view.capability(place.path, power ?? (hasOwnSlot ? 'write' : 'read'))
}

/** What is to be checked or repaired so that a place can be read. The power to verify is enough. */
async function verifiableAt(
  place: Place,
  tools: { readonly client: Client; readonly terminal: Terminal; readonly signal: AbortSignal },
): Promise<Capability> {
  const view = await viewAt(place, tools)
  const shown = await view.stat(place.path)
  if (shown === undefined) throw pathMissing(place)
  // So small a file is part of the directory that it is in.
  const isHeld = shown.entry.kind === 'literal' || shown.entry.kind === 'symlink'
  const path = isHeld ? place.path.slice(0, -1) : place.path
  return await view.capability(path, 'verify')
}

/** The same capability where it has just that power. Asks no node. @throws CliError where it has less */
export function weakened(given: Capability, power: Power): Capability {
  const weaker = weakenedTo(given, power)
  if (weaker === 'too-weak') throw tooWeak(given, power)
  if (weaker !== 'nothing-to-verify') return weaker
  throw new CliError({
    exit: EXIT.usage,
    code: 'capability-not-weaker',
    message:
      'This capability holds the file itself, and no node stores it: there is nothing to verify.',
  })
}

function tooWeak(given: Capability, power: Power): CliError {
  return new CliError({
    exit: EXIT.usage,
    code: 'capability-too-weak',
    message:
      `This is the capability of ${describe(given).title}, and what was asked for is one to ${power}. No capability ` +
      `can be made stronger: ask whoever gave it to you for one that ${power}s.`,
  })
}
