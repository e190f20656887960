import { parseJoinWord } from '../../capabilities/join-words.ts'
import { fromHex, toHex } from '../../foundation/bytes.ts'
import { systemClock } from '../../foundation/system.ts'
import { writeGridFile } from '../../home/grid-file.ts'
import type { HomeSecrets } from '../../home/key-store.ts'
import { readMembership } from '../../home/membership-file.ts'
import { keepMembership } from '../../library/live-membership.ts'
import { nodeOfAddress } from '../../network/identity.ts'
import { joinGrid } from '../../network/membership/join.ts'
import { textArgument } from '../arguments.ts'
import { usageError } from '../failures.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import { claimsOf, deviceLabel } from './join-steps.ts'

/** A grid, and where some of its members are: what someone needs who is one of them and has lost everything else. */
export interface WayBack {
  readonly gridId: Uint8Array
  readonly gridName: string
  readonly addresses: readonly string[]
}

export interface WayBackRequest {
  /** Any invite to the grid, also one that was used or has expired: the word, `@FILE` or `-`. */
  readonly invite?: string
  /** The id of the grid, in hexadecimal digits. */
  readonly grid?: string
  readonly at?: readonly string[]
}

/** @returns undefined where nothing is said of a grid. @throws CliError, MalformedCapabilityError */
export async function wayBack({ invite, grid, at }: WayBackRequest): Promise<WayBack | undefined> {
  if (invite === undefined && grid === undefined && at === undefined) return undefined
  const known = (at ?? []).map(memberAddress)
  if (invite !== undefined) {
    const word = parseJoinWord(await textArgument(invite))
    return { ...word, addresses: [...known, ...word.addresses] }
  }
  const gridId = /^[0-9a-f]{64}$/i.test(grid ?? '') ? fromHex(grid ?? '') : undefined
  if (gridId !== undefined && known.length > 0) {
    return { gridId, gridName: toHex(gridId).slice(0, 8), addresses: known }
  }
  throw usageError(
    'To come back to a grid, give any invite to it, also one that was used (--invite @FILE); or its id and the address of ' +
      'a friend (--grid ID --at ADDRESS), which "hayloft grid show" and "hayloft node status" on their computer print.',
  )
}

/** An address that ends in the peer id of a member. @throws CliError */
export function memberAddress(text: string): string {
  if (nodeOfAddress(text) !== undefined) return text
  throw usageError(
    'The option --at takes the address of a member with its peer id, such as /ip4/192.0.2.7/tcp/4001/p2p/12D3Koo…: ' +
      '"hayloft node status" on their computer shows it.',
  )
}

/**
 * Makes this home a device of an account that belongs to the grid already.
 * @throws JoinRefusedError the account does not; GridUnreachableError
 */
export async function comeBack(
  { gridId, gridName, addresses }: WayBack,
  secrets: HomeSecrets,
  { files, signal }: CommandContext,
): Promise<void> {
  const membership = await readMembership(files.membership, { gridId, clock: systemClock })
  const keeper = keepMembership(files, membership)
  const { address } = await joinGrid({
    identity: secrets.identity,
    keeper,
    addresses,
    request: {
      kind: 'introduce',
      statements: claimsOf(membership, {
        secrets,
        nodeIdentity: undefined,
        deviceName: deviceLabel(),
      }),
    },
    clock: systemClock,
    signal,
  })
  await keeper.saved()
  const bootstrap = [...new Set([address, ...addresses])].slice(0, MAX_BOOTSTRAP)
  await writeGridFile(files.grid, { gridId: toHex(gridId), name: gridName, bootstrap })
}

const MAX_BOOTSTRAP = 8
