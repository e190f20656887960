import type { SeededRandomness } from '../randomness.ts'
import { KadWalk, type Lookup } from './kad-walk.ts'

/** As @libp2p/kad-dht 16.4 has them where nothing else is asked for. */
export interface KadSettings {
  /** Contacts in a bucket, and peers in an answer. */
  readonly bucketSize: number
  /** Bits by which the table tells ids apart: there are 2^bits buckets at most, near and far ones alike. */
  readonly prefixBits: number
  /** Disjoint paths of a lookup, and requests at a time on each. */
  readonly paths: number
  readonly concurrency: number
}

export const KAD_DEFAULTS: KadSettings = {
  bucketSize: 20,
  prefixBits: 6,
  paths: 10,
  concurrency: 10,
}

/** How long a request takes. */
export interface Line {
  readonly roundTripMs: number
  /** The part of the nodes that are off, to which a request takes `timeoutMs` and fails. */
  readonly offPart: number
  readonly timeoutMs: number
}

export interface KadModelOptions {
  readonly nodes: number
  readonly settings: KadSettings
  readonly line: Line
  readonly randomness: SeededRandomness
}

/**
 * A DHT as @libp2p/kad-dht makes it. A routing table is a trie that splits everywhere, not only around the own id, down to
 * a fixed depth: of each of the 2^prefixBits regions of the id space a node keeps the first bucketSize nodes that it hears
 * of, as long as they answer. Besides, it remembers the addresses of everyone whom it was ever connected to, and tells
 * them to whoever asks for just that node.
 */
export class KadModel {
  readonly #options: KadModelOptions
  /** The upper 32 bits of each node's id, and the 32 after them; one more for a key that is no node's. */
  readonly #high: Uint32Array
  readonly #low: Uint32Array
  /** By node and region, contacts. */
  readonly #buckets: number[][]
  /** Bit of × nodes + other: whether they were ever connected. */
  readonly #met: Uint32Array
  #count = 0

  constructor(options: KadModelOptions) {
    const { nodes, settings, randomness } = options
    this.#options = options
    this.#high = Uint32Array.from({ length: nodes + 1 }, () => randomness.below(2 ** 32))
    this.#low = Uint32Array.from({ length: nodes + 1 }, () => randomness.below(2 ** 32))
    this.#buckets = Array.from({ length: nodes * 2 ** settings.prefixBits }, () => [])
    this.#met = new Uint32Array(Math.ceil(nodes ** 2 / 32))
    this.#grow()
  }

  /** Nodes come one after another, each knowing one that is there; all look around once more when all are there. */
  #grow(): void {
    const { nodes, randomness } = this.#options
    for (let node = 0; node < nodes; node++) {
      this.#count = node + 1
      if (node > 0) this.meet(node, randomness.below(node))
      this.#walk(node, node)
    }
    for (let node = 0; node < nodes; node++) {
      this.#walk(node, node)
      this.lookAround(node)
    }
  }

  /** Contacts in a node's table, on average. */
  meanTableSize(): number {
    return this.#buckets.reduce((sum, { length }) => sum + length, 0) / this.#options.nodes
  }

  /** By node, in how many tables it is. */
  timesListed(): number[] {
    const times = Array.from({ length: this.#options.nodes }, () => 0)
    for (const bucket of this.#buckets) for (const node of bucket) times[node]!++
    return times
  }

  /** By node, how many it was ever connected to. */
  acquaintances(node: number): number {
    let count = 0
    for (let other = 0; other < this.#options.nodes; other++) if (this.hasMet(node, other)) count++
    return count
  }

  /** One node, chosen by chance, looks for another. */
  lookUp(): Lookup {
    const { nodes, randomness } = this.#options
    const from = randomness.below(nodes)
    return this.#walk(from, (from + 1 + randomness.below(nodes - 1)) % nodes)
  }

  /** One node looks for the nodes next to itself, as it does every five minutes. */
  refresh(): Lookup {
    const node = this.#options.randomness.below(this.#options.nodes)
    return this.#walk(node, node)
  }

  /** A node looks for the nodes next to some key, to fill its table. */
  lookAround(from = this.#options.randomness.below(this.#options.nodes)): Lookup {
    const { nodes, randomness } = this.#options
    this.#high[nodes] = randomness.below(2 ** 32)
    this.#low[nodes] = randomness.below(2 ** 32)
    return this.#walk(from, nodes)
  }

  #walk(from: number, target: number): Lookup {
    const isNode = target !== from && target < this.#options.nodes
    return new KadWalk(this, { from, target, endsWhenFound: isNode }, this.#options).run()
  }

  /** Nodes of someone's table closest to a target, closest first, and the target itself from whoever ever met it. */
  closest(of: number, target: number, asker: number | undefined): number[] {
    const { bucketSize, prefixBits } = this.#options.settings
    const found: number[] = []
    const home = this.#regionOf(target)
    for (let distance = 0; distance < 2 ** prefixBits && found.length < bucketSize; distance++) {
      const bucket = this.#buckets[of * 2 ** prefixBits + (home ^ distance)] as number[]
      if (bucket.length === 0) continue
      const near = bucket.filter((node) => node !== asker)
      found.push(...near.sort((a, b) => this.compare(a, b, target)))
    }
    const answer = found.slice(0, bucketSize)
    const knows = target < this.#options.nodes && target !== asker && this.hasMet(of, target)
    return knows && !answer.includes(target) ? [target, ...answer] : answer
  }

  /** Below 0 if a is closer to the target than b. */
  compare(a: number, b: number, target: number): number {
    const [high, low] = [this.#high[target]!, this.#low[target]!]
    const byHigh = ((this.#high[a]! ^ high) >>> 0) - ((this.#high[b]! ^ high) >>> 0)
    if (byHigh !== 0) return byHigh
    return ((this.#low[a]! ^ low) >>> 0) - ((this.#low[b]! ^ low) >>> 0)
  }

  /** A connection: both remember it, and each lists the other if there is room. */
  meet(a: number, b: number): void {
    if (a === b || this.hasMet(a, b)) return
    const bit = a * this.#options.nodes + b
    const back = b * this.#options.nodes + a
    this.#met[bit >>> 5]! |= 1 << (bit & 31)
    this.#met[back >>> 5]! |= 1 << (back & 31)
    this.hear(a, b)
    this.hear(b, a)
  }

  /** A node hears of another one, and connects to it if there is room for it in its table. */
  hear(node: number, of: number): void {
    if (node === of || of >= this.#count) return
    const { bucketSize, prefixBits } = this.#options.settings
    const bucket = this.#buckets[node * 2 ** prefixBits + this.#regionOf(of)] as number[]
    if (bucket.length >= bucketSize || bucket.includes(of)) return
    bucket.push(of)
    this.meet(node, of)
  }

  hasMet(a: number, b: number): boolean {
    const bit = a * this.#options.nodes + b
    return (this.#met[bit >>> 5]! & (1 << (bit & 31))) !== 0
  }

  #regionOf(node: number): number {
    const { prefixBits } = this.#options.settings
    return prefixBits === 0 ? 0 : this.#high[node]! >>> (32 - prefixBits)
  }
}
