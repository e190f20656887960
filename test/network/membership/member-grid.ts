import { systemClock, systemRandomness } from '../../../src/foundation/system.ts'
import type { Clock } from '../../../src/foundation/clock.ts'
import { startHost, type Host } from '../../../src/network/host.ts'
import { Gate } from '../../../src/network/membership/gate.ts'
import { joinGrid } from '../../../src/network/membership/join.ts'
import { MembershipKeeper } from '../../../src/network/membership/keeper.ts'
import type { JoinRequest } from '../../../src/network/membership/messages.ts'
import { openNetwork, type GridNetwork, type NetworkOptions } from '../../../src/network/open.ts'
import { accountKeyBytes } from '../../../src/protocol/membership/account-key.ts'
import { signRedemption, type InviteGrant } from '../../../src/protocol/membership/grant.ts'
import { Membership } from '../../../src/protocol/membership/membership.ts'
import type { StorageService } from '../../../src/protocol/network.ts'
import {
  accountNamed,
  announced,
  device,
  GRID_ID,
  invite,
  named,
} from '../../support/test-members.ts'
import { identityOf } from '../test-grid.ts'

const LOOPBACK = '/ip4/127.0.0.1/tcp/0'

/** The founder and a friend, each with a storage node of their own name. */
export const FOUNDERS = [
  named('alice'),
  device('alice', 'alice'),
  named('bob'),
  device('bob', 'bob'),
]

const answering: StorageService = {
  handle: () => Promise.resolve({ op: 'drop', dropped: 1 }),
}
export const ask = { op: 'drop', ids: [] } as const

export interface MemberHost extends GridNetwork {
  readonly membership: Membership
  readonly keeper: MembershipKeeper
}

/** The identity of the device that `test-members.ts` knows by this name. */
function deviceIdentity(name: string): Uint8Array {
  return identityOf(`device ${name}`)
}

export function newKeeper(
  statements: readonly Uint8Array[] = [],
  save: () => Promise<void> = () => Promise.resolve(),
): MembershipKeeper {
  const membership = new Membership({ gridId: GRID_ID, clock: systemClock })
  membership.add(statements)
  return new MembershipKeeper(membership, save)
}

/** Hosts of one grid whose members are statements, each of which it knows by itself. */
export class MemberGrid implements AsyncDisposable {
  readonly #open: AsyncDisposable[] = []

  async open(
    name: string,
    {
      keeper = newKeeper(FOUNDERS),
      ...options
    }: Partial<NetworkOptions> & { keeper?: MembershipKeeper } = {},
  ): Promise<MemberHost> {
    const { membership } = keeper
    const network = await openNetwork({
      identity: deviceIdentity(name),
      gridId: GRID_ID,
      members: membership,
      membership: { keeper, randomness: systemRandomness },
      listen: [LOOPBACK],
      bootstrap: [],
      clock: systemClock,
      ...options,
    })
    this.#open.push(network)
    network.serve(answering)
    return Object.assign(network, { membership, keeper })
  }

  /** A libp2p host with the grid's protocols that follows none of its rules, and belongs to no one. */
  async stranger(name: string, { clock = systemClock }: { clock?: Clock } = {}): Promise<Host> {
    const host = await startHost({
      identity: deviceIdentity(name),
      gridId: GRID_ID,
      listen: [LOOPBACK],
      servesDht: true,
      gate: new Gate({ isMember: () => true, joinProtocol: undefined, clock }),
      clock,
    })
    this.#open.push({
      [Symbol.asyncDispose]: async () => {
        for (const connection of host.getConnections()) connection.abort(new Error('over'))
        await host.stop()
      },
    })
    return host
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#open.map(async (network) => await network[Symbol.asyncDispose]()))
  }
}

/** What `who` sends to use an invite with a storage node of its own name. */
export function joinRequest(
  who: string,
  inviteName: string,
  said: Partial<InviteGrant> = {},
): Extract<JoinRequest, { kind: 'join' }> {
  const account = accountNamed(who)
  return {
    kind: 'join',
    grant: invite(inviteName, said).bytes,
    account: accountKeyBytes(account),
    name: who,
    redemption: signRedemption(identityOf(`invite ${inviteName}`), {
      gridId: GRID_ID,
      account,
      name: who,
    }),
    statements: [device(who, who), announced(who)],
  }
}

/** Joins as a new home would. */
export async function join(
  who: string,
  request: Exclude<JoinRequest, { kind: 'hello' }>,
  through: readonly GridNetwork[],
): Promise<{ keeper: MembershipKeeper; node: string }> {
  const keeper = newKeeper()
  const { node } = await joinGrid({
    identity: deviceIdentity(who),
    keeper,
    addresses: through.flatMap((network) => network.addresses()),
    request,
    clock: systemClock,
    signal: new AbortController().signal,
  })
  return { keeper, node }
}
