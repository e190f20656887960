import { shardSize } from '../../erasure/code.ts'
import { randomBelow, type Randomness } from '../../foundation/randomness.ts'
import type { BlockId } from '../../protocol/block-id.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { SeenBlock } from '../maintenance/tending.ts'

/** A share that a node says to hold, with all that it takes to check a leaf of it. */
export interface ShareSample {
  readonly id: BlockId
  readonly index: number
  /** The Merkle root of the shard, and its size: the block's id vouches for both. */
  readonly root: Uint8Array
  readonly shardBytes: number
}

/** Some of the shares of one node, each with the same chance to be among them. */
export interface NodeSamples {
  readonly node: NodeKey
  /** How many there were to choose from. */
  readonly shares: number
  readonly samples: readonly ShareSample[]
}

/**
 * Chooses shares of every node while a tree goes by, without knowing how many there will be: reservoir sampling
 * (J. S. Vitter, "Random sampling with a reservoir", 1985, algorithm R).
 */
export class Sampler {
  readonly #randomness: Randomness
  readonly #ofNode = new Map<NodeKey, { shares: number; samples: ShareSample[] }>()

  constructor(randomness: Randomness) {
    this.#randomness = randomness
  }

  add({ id, manifest, holdings }: SeenBlock): void {
    const shardBytes = shardSize(manifest.code, manifest.ciphertextBytes)
    for (const { index, node } of holdings) {
      const root = manifest.roots[index]
      if (root === undefined) continue
      const own = this.#ofNode.get(node) ?? { shares: 0, samples: [] }
      this.#ofNode.set(node, own)
      own.shares += 1
      const at =
        own.samples.length < SAMPLES
          ? own.samples.length
          : randomBelow(this.#randomness, own.shares)
      // A copy, since the root lies in the bytes of a whole message.
      if (at < SAMPLES) own.samples[at] = { id, index, root: root.slice(), shardBytes }
    }
  }

  samples(): NodeSamples[] {
    return [...this.#ofNode].map(([node, { shares, samples }]) => ({ node, shares, samples }))
  }
}

/** Of each node and root: about as many as are audited until the next visit. */
const SAMPLES = 320
