import type { Capability } from '../../capabilities/capability.ts'
import { describe } from '../../capabilities/describe.ts'
import { MalformedCapabilityError } from '../../capabilities/malformed.ts'
import { parseCapability } from '../../capabilities/text.ts'
import { checkPath, type Path } from '../../folders/names.ts'
import { textArgument } from '../arguments.ts'
import { CliError, usageError } from '../failures.ts'
import { EXIT } from '../exit-codes.ts'
import { checkAliasName } from './alias-name.ts'

/** A place on the grid as a command line names it: a capability, and names from there down. */
export interface Place {
  readonly capability: Capability
  /** Empty for what the capability itself names. */
  readonly path: Path
  /** Whether it ended in a slash, and so means a directory. */
  readonly isDirectory: boolean
  /** How to call it in messages and results: `home:photos/2026`, or `hayfolderread1…/photos`, which gives nothing away. */
  readonly label: string
}

/** What an alias stands for. @returns undefined if there is none of that name */
export type FindAlias = (name: string) => Promise<Capability | undefined>

/**
 * `ALIAS:path`, `CAP` or `CAP/path`; or `-` or `@FILE`, which read one of the latter two from standard input or a file.
 *
 * @throws MalformedCapabilityError, InvalidNameError, PathTooDeepError, CliError
 */
export async function placeArgument(argument: string, findAlias: FindAlias): Promise<Place> {
  const isElsewhere = argument === '-' || argument.startsWith('@')
  const text = isElsewhere ? (await textArgument(argument)).trim() : argument
  const colon = colonOfAlias(text)
  if (colon === undefined || isElsewhere) return placeInCapability(text)
  const name = checkAliasName(text.slice(0, colon))
  const rest = namesIn(text.slice(colon + 1))
  const capability = await findAlias(name)
  if (capability === undefined) throw noSuchAlias(name)
  return below({ capability, ...rest, label: `${name}:${rest.path.join('/')}` })
}

/**
 * Whether an argument means a place on the grid rather than a local file, for commands that take either. A local file
 * whose name looks like a place is given as `./name`.
 */
export function meansPlace(argument: string): boolean {
  if (/^hay[a-z]+1/i.test(argument) || argument.startsWith('@')) return true
  const colon = colonOfAlias(argument)
  return colon !== undefined && !isDrive(argument, colon)
}

/** The colon that ends an alias: one before any slash, and not that of a web address. */
function colonOfAlias(text: string): number | undefined {
  const colon = text.indexOf(':')
  const slash = text.indexOf('/')
  if (colon <= 0 || (slash !== -1 && slash < colon)) return undefined
  // Foreign capabilities and addresses are the parser's to name.
  return /^uri:/i.test(text) || ADDRESS.test(text) ? undefined : colon
}

const ADDRESS = /^[a-z][a-z0-9+.-]*:\/\//i

function isDrive(text: string, colon: number): boolean {
  return colon === 1 && /^[a-z]/i.test(text)
}

function placeInCapability(text: string): Place {
  const slash = ADDRESS.test(text) ? -1 : text.indexOf('/')
  const capability = capabilityIn(slash === -1 ? text : text.slice(0, slash))
  const kind = text.slice(0, text.indexOf('1') + 1).toLowerCase()
  if (slash === -1) return { capability, path: [], isDirectory: false, label: `${kind}…` }
  const rest = namesIn(text.slice(slash))
  return below({ capability, ...rest, label: `${kind}…/${rest.path.join('/')}` })
}

/** @throws CliError if nothing can be below what the capability names, or nothing that has a name */
function below(place: Place): Place {
  if (place.path.length === 0) return place
  switch (place.capability.kind) {
    case 'folder-write':
    case 'folder-read':
    case 'snapshot-read':
      return place
    case 'folder-verify':
    case 'snapshot-verify':
      throw noPath(place, 'It tells no names, so no path can follow it.')
    case 'file-read':
    case 'file-verify':
    case 'literal':
    case 'mutable-write':
    case 'mutable-read':
    case 'mutable-verify':
      throw noPath(place, 'A path can only follow that of a folder.')
  }
}

function noPath({ capability }: Place, why: string): CliError {
  return usageError(`This is the capability of ${describe(capability).title}. ${why}`)
}

function capabilityIn(text: string): Capability {
  try {
    return parseCapability(text)
  } catch (thrown) {
    if (!(thrown instanceof MalformedCapabilityError) || thrown.reason !== 'no-kind') throw thrown
    throw usageError(
      'That names no place on the grid. One is ALIAS:path, such as home:photos, or a capability, which begins with its kind and a "1".',
    )
  }
}

/** A slash may follow the colon or the last name; anywhere else two in a row are a name that is missing. */
function namesIn(text: string): { path: Path; isDirectory: boolean } {
  const inner = text.replace(/^\//, '').replace(/\/$/, '')
  const isDirectory = text.endsWith('/')
  if (inner === '') return { path: [], isDirectory }
  const names = inner.normalize('NFC').split('/')
  if (names.includes('')) {
    throw usageError('A name is missing in the path, where two slashes follow each other.')
  }
  return { path: checkPath(names), isDirectory }
}

function noSuchAlias(name: string): CliError {
  return new CliError({
    exit: EXIT.inputMissing,
    code: 'alias-unknown',
    message: `There is no alias ${name}. "hayloft alias list" shows those there are; a local file is named ./${name}:…`,
  })
}
