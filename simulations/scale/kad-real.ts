import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import type { SeededRandomness } from '../randomness.ts'
import type { KadSettings } from './kad-model.ts'
import { KadRealNode } from './kad-real-node.ts'
import type { Lookup } from './kad-walk.ts'

/**
 * A DHT of real @libp2p/kad-dht instances in one process: their routing tables, lookups and answers are the real code,
 * and only what lies below, streams and dialling, is replaced by calls. The library takes chance of its own, so lookups
 * do not replay to the letter.
 */
export class KadReal implements AsyncDisposable {
  readonly #nodes: readonly KadRealNode[]
  readonly #randomness: SeededRandomness

  private constructor(nodes: readonly KadRealNode[], randomness: SeededRandomness) {
    this.#nodes = nodes
    this.#randomness = randomness
  }

  /** Nodes come one after another, each knowing one that is there; all look around once more when all are there. */
  static async grow(
    count: number,
    settings: KadSettings,
    randomness: SeededRandomness,
  ): Promise<KadReal> {
    const byPeer = new Map<string, KadRealNode>()
    const nodes: KadRealNode[] = []
    for (let at = 0; at < count; at++) {
      const privateKey = await generateKeyPairFromSeed('Ed25519', randomness.bytes(32))
      const node = await KadRealNode.start({ byPeer, at, settings, privateKey })
      if (at > 0) await node.meet(randomness.pick(nodes).peer)
      nodes.push(node)
      await node.lookUp(node.peer)
    }
    const real = new KadReal(nodes, randomness)
    for (const node of nodes) {
      await node.lookUp(node.peer)
      await real.lookAround(node)
    }
    return real
  }

  /** A node looks for the nodes next to some key, to fill its table. */
  async lookAround(node = this.#randomness.pick(this.#nodes)): Promise<Omit<Lookup, 'latencyMs'>> {
    return await node.walk(this.#randomness.bytes(36))
  }

  meanTableSize(): number {
    return this.#nodes.reduce((sum, { tableSize }) => sum + tableSize, 0) / this.#nodes.length
  }

  async lookUp(): Promise<Omit<Lookup, 'latencyMs'>> {
    const [from, target] = this.#randomness.sample(this.#nodes, 2)
    return await (from as KadRealNode).lookUp(target?.peer as PeerId)
  }

  async refresh(): Promise<Omit<Lookup, 'latencyMs'>> {
    const node = this.#randomness.pick(this.#nodes)
    return await node.lookUp(node.peer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.#nodes) await node.stop()
  }
}
