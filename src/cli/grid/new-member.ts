import { userInfo } from 'node:os'
import type { HomeFiles } from '../../home/layout.ts'
import { readNodeFile, type NodeFile } from '../../home/node-file.ts'
import { checkMemberName, flawOfMemberName } from '../../protocol/membership/names.ts'
import { settleNode } from '../node/node-change.ts'
import { usageError } from '../failures.ts'
import { choosePorts, listenAddress } from '../practice/ports.ts'
import { sizeArgument } from '../sizes.ts'

/** What a new home keeps for others, where it is to. */
export interface NodeRequest {
  readonly zone?: string
  readonly offer?: string
  readonly listen?: readonly string[]
}

/**
 * What others call the person at this computer: what was given, or else the name of the system's user.
 * @param option - by which it is given
 * @throws CliError if there is none that would do, InvalidMemberNameError if the given one does not
 */
export function personName(given: string | undefined, option: string): string {
  if (given !== undefined) return checkMemberName(given.normalize('NFC'), 'name')
  const user = userName()
  if (flawOfMemberName(user) === undefined) return user
  throw usageError(`Say what the others are to call you: ${option} NAME.`)
}

/**
 * How the storage node of a home is to run; writes nothing.
 * @returns undefined where nothing is asked of one
 * @throws CliError if the request is none, or more is offered than there is
 */
export async function nodeFor(
  { offer, listen, zone }: NodeRequest,
  { files, zone: usualZone }: { readonly files: HomeFiles; readonly zone: string },
): Promise<NodeFile | undefined> {
  const given = [offer, listen, zone].some((each) => each !== undefined)
  const before = await readNodeFile(files.node)
  if (!given) return undefined
  if (offer === undefined && before === undefined) {
    throw usageError(
      'The options --zone and --listen are for a storage node: say what it offers, such as --offer 100GB.',
    )
  }
  const [port] = await choosePorts([undefined])
  const { node } = await settleNode(
    {
      ...(offer !== undefined && { capacityBytes: sizeArgument(offer, '--offer') }),
      ...(zone !== undefined && { zone }),
      listen: listen ?? before?.listen ?? [listenAddress(port ?? 0)],
    },
    files,
  )
  return { ...node, zone: node.zone ?? usualZone }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    return ''
  }
}
