import type { Clock } from '../foundation/clock.ts'
import { assert } from '../foundation/error.ts'
import type { Randomness } from '../foundation/randomness.ts'
import type { Network } from '../protocol/network.ts'
import type { NodeKey } from '../protocol/node-key.ts'
import type { BandwidthLimits, Traffic } from './bandwidth.ts'
import type { GridHost } from './grid-host.ts'
import type { MembershipKeeper } from './membership/keeper.ts'
import type { JoinRefusal } from './membership/messages.ts'
import type { Diagnosis } from './paths/diagnosis.ts'
import type { PathReport } from './paths/paths.ts'
import type { StandingOptions } from './paths/standing.ts'

export interface NetworkOptions {
  /** 32-byte Ed25519 seed: the host's identity, which its node key follows from. */
  readonly identity: Uint8Array
  /** 32 bytes that tell grids apart. */
  readonly gridId: Uint8Array
  /** Who belongs to the grid. Asked at each connection and stream, so it may change. */
  readonly members: Members
  /** What the members are known from; undefined where the grid is told from outside, and nobody joins it. */
  readonly membership?: NetworkMembership | undefined
  /** Multiaddrs to listen at; none for a client. */
  readonly listen: readonly string[]
  /** Multiaddrs of nodes that know others. */
  readonly bootstrap: readonly string[]
  /** Addresses from an earlier run; see {@link GridNetwork.knownAddresses}. */
  readonly knownAddresses?: ReadonlyMap<NodeKey, readonly string[]> | undefined
  /** What its operator knows of how it is reached; the rest is found out. */
  readonly standing?: Partial<StandingOptions> | undefined
  readonly clock: Clock
  /** Gives up opening; does nothing to a network that is open. */
  readonly signal?: AbortSignal | undefined
}

export interface Members {
  isMember(key: NodeKey): boolean
  keys(): readonly NodeKey[]
}

/** Lets the host exchange what it knows of the grid's members with the others, and let in whoever is invited. */
export interface NetworkMembership {
  readonly keeper: MembershipKeeper
  readonly randomness: Randomness
}

/** The grid's network over libp2p. */
export interface GridNetwork extends Network {
  /** Multiaddrs at which this host can be reached, each ending in its peer id. */
  addresses(): string[]
  /** Where nodes were last known to listen, to be kept for the next run: it then needs no bootstrap. */
  knownAddresses(): Map<NodeKey, string[]>
  /** Sends and takes no more of the storage protocol than this, over all connections, from now on. */
  limit(limits: BandwidthLimits): void
  traffic(): Traffic
  /** Nodes and clients with an open connection. */
  connected(): NodeKey[]
  /** Connects to members that can be reached, and resolves once what they know of the grid's members is known here. */
  catchUp(): Promise<void>
  /** What a member last said when it took this device for a stranger; undefined if none did. */
  refusal(): JoinRefusal | undefined
  /** Tries the ways to these nodes, and finds out about the router in between. Takes some seconds. */
  diagnose(
    nodes: readonly NodeKey[],
    options: { readonly randomness: Randomness; readonly signal: AbortSignal },
  ): Promise<Diagnosis>
  /** How this host stands on the internet, and by which path it reaches whom. */
  paths(): PathReport
}

/**
 * Joins the grid's network. A host that listens is a node: it answers DHT queries, and keeps connections to other
 * members so that they learn where it is. One that does not listen is a client and dials when there is something to ask.
 * libp2p is loaded here and not with this module, for it takes a quarter of a second.
 */
export async function openNetwork(options: NetworkOptions): Promise<GridNetwork> {
  assert(options.identity.length === 32, 'an identity has 32 bytes')
  assert(options.gridId.length === 32, 'a grid id has 32 bytes')
  const { GridHost } = await import('./grid-host.ts')
  options.signal?.throwIfAborted()
  const network: GridHost = await GridHost.open(options)
  if (options.signal?.aborted === true) {
    await network[Symbol.asyncDispose]()
    options.signal.throwIfAborted()
  }
  return network
}
