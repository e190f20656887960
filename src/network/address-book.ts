import type { NodeKey } from '../protocol/node-key.ts'
import { peerIdText } from './identity.ts'
import { MAX_ADDRESSES_PER_NODE, MAX_NODES_IN_ADDRESS_BOOK } from './limits.ts'

/** Where nodes were last known to listen: what they announced, and first of all what worked. */
export class AddressBook {
  readonly #addresses = new Map<NodeKey, string[]>()

  constructor(known: ReadonlyMap<NodeKey, readonly string[]> = new Map()) {
    for (const [node, addresses] of known) this.announced(node, addresses)
  }

  /** Multiaddrs that end in the node's peer id, the most promising first. */
  of(node: NodeKey): readonly string[] {
    return this.#addresses.get(node) ?? []
  }

  /** The node said that it listens at these: they replace what it said before. */
  announced(node: NodeKey, addresses: readonly string[]): void {
    this.#set(
      node,
      addresses.map((address) => withPeerId(address, node)),
    )
  }

  /** A dial to this address reached the node. */
  worked(node: NodeKey, address: string): void {
    const first = withPeerId(address, node)
    this.#set(node, [first, ...this.of(node)])
  }

  all(): Map<NodeKey, string[]> {
    return new Map([...this.#addresses].map(([node, addresses]) => [node, [...addresses]]))
  }

  #set(node: NodeKey, addresses: readonly string[]): void {
    const kept = [...new Set(addresses)].slice(0, MAX_ADDRESSES_PER_NODE)
    const isNew = !this.#addresses.has(node)
    if (kept.length === 0 || (isNew && this.#addresses.size >= MAX_NODES_IN_ADDRESS_BOOK)) return
    this.#addresses.set(node, kept)
  }
}

function withPeerId(address: string, node: NodeKey): string {
  const suffix = `/p2p/${peerIdText(node)}`
  return address.endsWith(suffix) ? address : `${address}${suffix}`
}
