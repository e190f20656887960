import type { Connection } from '@libp2p/interface'
import type { Clock } from '../../foundation/clock.ts'
import { deferred } from '../../foundation/concurrency.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { peerIdText } from '../identity.ts'
import { multiaddr } from '../libp2p.ts'
import { byScope, parseAddress } from './addresses.ts'
import type { Internals } from './internals.ts'
import { RELAY_HEAD_START_MS } from './limits.ts'

export interface DialOptions {
  readonly node: NodeKey
  readonly addresses: readonly string[]
  /** Multiaddrs of connected relays, each with its peer id: the node may well be known to one of them. */
  readonly relays: readonly string[]
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Dials addresses of the node itself, in turn. */
  readonly dialDirect: (addresses: readonly string[], signal: AbortSignal) => Promise<Connection>
}

/**
 * Connects to a node as directly as it can without making anybody wait: a relay is tried beside the direct dial as soon
 * as that has failed or takes longer than usual. A direct connection that comes later is welcome all the same.
 * @throws the error of the last way that failed
 */
export async function dialNode(internals: Internals, options: DialOptions): Promise<Connection> {
  const { clock, signal, dialDirect } = options
  const { direct, relayed } = waysTo(options)
  if (direct.length === 0 && relayed.length === 0) throw new Error('none of its addresses is known')
  if (relayed.length === 0) return await dialDirect(direct, signal)
  if (direct.length === 0) return await dialRelayed(internals, relayed, signal)
  const headStartIsOver = deferred()
  const cancel = clock.after(RELAY_HEAD_START_MS, headStartIsOver.resolve)
  let isDirect = false
  const directly = dialDirect(direct, signal)
    .then((connection) => {
      isDirect = true
      return connection
    })
    .finally(() => {
      cancel()
      headStartIsOver.resolve()
    })
  const throughRelay = async (): Promise<Connection> => {
    await headStartIsOver.promise
    return isDirect ? await directly : await dialRelayed(internals, relayed, signal)
  }
  try {
    return await Promise.any([directly, throughRelay()])
  } catch (error) {
    throw (error as AggregateError).errors.at(-1)
  }
}

/** Addresses to dial the node itself at, and addresses through relays, the most promising first. */
export function waysTo({
  node,
  addresses,
  relays,
}: Pick<DialOptions, 'node' | 'addresses' | 'relays'>): { direct: string[]; relayed: string[] } {
  const parsed = addresses.map(parseAddress)
  const known = parsed.filter((address) => address !== undefined)
  const suffix = `/p2p/${peerIdText(node)}`
  const throughConnected = relays.map((relay) => `${relay}/p2p-circuit${suffix}`)
  const announced = byScope(known.filter(({ kind }) => kind === 'relayed')).map(({ text }) => text)
  return {
    // What the caller put first worked the last time.
    direct: known.filter(({ kind }) => kind === 'direct').map(({ text }) => text),
    relayed: [...new Set([...throughConnected, ...announced])].slice(0, MAX_RELAYED_DIALS),
  }
}

/** Relayed addresses tried in one dial. */
const MAX_RELAYED_DIALS = 6

async function dialRelayed(
  { transportManager }: Internals,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<Connection> {
  let why: unknown
  for (const address of addresses) {
    try {
      // Not by the queue of dials, which would wait for the direct one.
      return await transportManager.dial(multiaddr(address), { signal })
    } catch (error) {
      if (signal.aborted) throw error
      why = error
    }
  }
  throw why
}
