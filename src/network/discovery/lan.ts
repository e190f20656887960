import type { PeerDiscovery, PeerInfo } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { NodeKey } from '../../protocol/node-key.ts'
import { nodeKeyOfPeer } from '../host.ts'
import { scopeOf } from '../paths/addresses.ts'
import type { Internals } from '../paths/internals.ts'

export interface LanOptions {
  readonly internals: Internals
  /** Tells grids apart on one network. */
  readonly gridName: string
  readonly isMember: (node: NodeKey) => boolean
  /** A member says on the local network that it listens at these multiaddrs. Anyone there could say it. */
  readonly onFound: (node: NodeKey, addresses: readonly string[]) => void
}

/**
 * Finds members in the same house by multicast DNS, and is found by them, without any other member's help and without the
 * internet. What is heard is a hint: who really is there, Noise proves.
 */
export class LanDiscovery {
  readonly #options: LanOptions
  #discovery: (PeerDiscovery & Partial<Startable>) | undefined
  #isStopped = false

  constructor(options: LanOptions) {
    this.#options = options
  }

  /** Never rejects: where multicast is not to be had, members find each other in other ways. */
  async start(): Promise<void> {
    const { internals, gridName } = this.#options
    const { peerId, logger, transportManager } = internals
    // In the house all addresses are of use, those too that the world is not told.
    const getAddresses = (): Multiaddr[] =>
      transportManager.getAddrs().map((address) => address.encapsulate(`/p2p/${peerId.toString()}`))
    try {
      const { mdns } = await import('./lan-library.ts')
      if (this.#isStopped) return
      const serviceTag = `_hayloft-${gridName}._udp.local`
      const discovery: PeerDiscovery & Partial<Startable> = mdns({
        serviceTag,
        interval: ASK_INTERVAL_MS,
      })({ logger, addressManager: { getAddresses } as Internals['addressManager'] })
      discovery.addEventListener('peer', ({ detail }) => this.#heard(detail))
      await discovery.start?.()
      this.#discovery = discovery
    } catch {
      return
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#discovery?.stop?.()
  }

  #heard({ id, multiaddrs }: PeerInfo): void {
    const node = nodeKeyOfPeer(id)
    if (node === undefined || !this.#options.isMember(node)) return
    const addresses = multiaddrs.slice(0, MAX_HEARD_ADDRESSES).map(String)
    this.#options.onFound(node, addresses)
  }
}

/** A node that listens on loopback alone has nobody to find, and is not to be found. */
export function listensInNetwork(listen: readonly string[]): boolean {
  return listen.some((address) => {
    const host = /^\/ip[46]\/([^/]+)/.exec(address)?.[1]
    return host !== undefined && scopeOf(host) !== 'loopback'
  })
}

interface Startable {
  start(): void | Promise<void>
  stop(): void | Promise<void>
}

/** A member that comes into the house is found within half a minute. */
const ASK_INTERVAL_MS = 20_000
/** As many as one may announce otherwise. */
const MAX_HEARD_ADDRESSES = 16
