import type { Capability, LiteralCapability } from '../../capabilities/capability.ts'
import { describe } from '../../capabilities/describe.ts'
import { weakenedTo } from '../../capabilities/weakened.ts'
import type { Power } from '../../folders/service/view.ts'
import { assert } from '../../foundation/error.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import type { Place } from '../paths/place.ts'
import type { ClientTools } from './folder-client.ts'
import { pathMissing } from './missing.ts'
import { viewAt } from './powers.ts'

/**
 * The capability of what is at a place in a folder, with all the power that its user has or with less: of a directory as
 * it is now, of everything else for good.
 */
export async function capabilityAt(
  place: Place,
  power: Power | undefined,
  tools: ClientTools,
): Promise<Capability> {
  const view = await viewAt(place, tools)
  const shown = await view.stat(place.path)
  if (shown === undefined) throw pathMissing(place)
  const { kind } = shown.entry
  const hasOwnSlot = kind === 'linked-folder' || kind === 'linked-file'
  return await view.capability(place.path, power ?? (hasOwnSlot ? 'write' : 'read'))
}

/** Whether a place is a capability that holds its file itself, so that no node has anything to check or repair. */
export function isHeldByCapability({ capability, path }: Place): boolean {
  return path.length === 0 && capability.kind === 'literal'
}

/**
 * What is to be checked or repaired so that a place can be read: a capability as it is, or that of a place in a folder. The
 * power to verify is enough.
 * @param place - not held by its capability
 */
export async function verifiableAt(
  place: Place,
  tools: ClientTools,
): Promise<Exclude<Capability, LiteralCapability>> {
  const capability = await storedAt(place, 'verify', tools)
  assert(capability.kind !== 'literal', 'nodes store something of it')
  return capability
}

/**
 * What leads to all that nodes store of a place: a capability as it is, or one of that power. Of directories it is what they
 * are now.
 */
export async function storedAt(
  place: Place,
  power: 'read' | 'verify',
  tools: ClientTools,
): Promise<Capability> {
  if (place.path.length === 0) return place.capability
  const view = await viewAt(place, tools)
  const shown = await view.stat(place.path)
  if (shown === undefined) throw pathMissing(place)
  // So small a file is part of the directory that it is in.
  const isHeld = shown.entry.kind === 'literal' || shown.entry.kind === 'symlink'
  return await view.capability(isHeld ? place.path.slice(0, -1) : place.path, power)
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
