import { EventQueue } from '../models/event-queue.ts'
import type { KadModel, KadModelOptions, KadSettings, Line } from './kad-model.ts'
import type { SeededRandomness } from '../randomness.ts'

export interface Lookup {
  readonly isFound: boolean
  /** Requests sent, until it was found or nobody was left to ask. */
  readonly requests: number
  /** How many nodes one after another told of the next until one told of the one that was looked for. */
  readonly hops: number
  /** Milliseconds until then. */
  readonly latencyMs: number
}

interface Asked {
  readonly node: number
  readonly depth: number
}

/** One path of a lookup: whom it has yet to ask, and the closest of those that answered. */
interface Path {
  readonly waiting: Asked[]
  readonly answered: number[]
  running: number
}

/** One lookup under way, as kad-dht's query manager and query paths run it. */
export class KadWalk {
  readonly #model: KadModel
  readonly #from: number
  readonly #target: number
  readonly #endsWhenFound: boolean
  readonly #settings: KadSettings
  readonly #line: Line
  readonly #randomness: SeededRandomness
  readonly #seen = new Set<number>()
  readonly #replies = new EventQueue<{ path: Path; asked: Asked; isOff: boolean }>()
  #requests = 0

  constructor(
    model: KadModel,
    goal: { readonly from: number; readonly target: number; readonly endsWhenFound: boolean },
    { settings, line, randomness }: KadModelOptions,
  ) {
    this.#model = model
    this.#from = goal.from
    this.#target = goal.target
    this.#endsWhenFound = goal.endsWhenFound
    this.#settings = settings
    this.#line = line
    this.#randomness = randomness
  }

  run(): Lookup {
    // Whoever looks for a node cannot reach it by what it knows of it, or it would not look.
    const known = this.#model.closest(this.#from, this.#target, undefined)
    const first = this.#randomness.sample(known.filter((node) => node !== this.#target))
    const paths: Path[] = Array.from({ length: this.#settings.paths }, () => ({
      waiting: [],
      answered: [],
      running: 0,
    }))
    for (const [at, node] of first.entries()) {
      this.#seen.add(node)
      paths[at % paths.length]?.waiting.push({ node, depth: 1 })
    }
    for (const path of paths) this.#advance(path, 0)
    let [hops, latencyMs] = [0, 0]
    for (let reply = this.#replies.take(); reply !== undefined; reply = this.#replies.take()) {
      const { path, asked, isOff } = reply.event
      path.running--
      if (!isOff) {
        this.#model.meet(this.#from, asked.node)
        const answer = this.#model.closest(asked.node, this.#target, this.#from)
        if (this.#endsWhenFound && answer.includes(this.#target)) {
          const { depth } = asked
          return { isFound: true, requests: this.#requests, hops: depth, latencyMs: reply.at }
        }
        for (const node of answer) this.#model.hear(this.#from, node)
        hops = Math.max(hops, asked.depth)
        latencyMs = reply.at
        this.#take(path, asked, answer)
      }
      this.#advance(path, reply.at)
    }
    return { isFound: !this.#endsWhenFound, requests: this.#requests, hops, latencyMs }
  }

  /** Goes on to those of an answer that are closer than whoever gave it. */
  #take(path: Path, asked: Asked, answer: readonly number[]): void {
    const { bucketSize } = this.#settings
    path.answered.push(asked.node)
    path.answered.sort((a, b) => this.#model.compare(a, b, this.#target))
    path.answered.length = Math.min(path.answered.length, bucketSize)
    for (const node of answer) {
      if (this.#seen.has(node) || node === this.#from) continue
      const isCloser = this.#model.compare(node, asked.node, this.#target) < 0
      if (!isCloser || !this.#canEnter(path, node)) continue
      this.#seen.add(node)
      path.waiting.push({ node, depth: asked.depth + 1 })
    }
  }

  #advance(path: Path, now: number): void {
    const { roundTripMs, offPart, timeoutMs } = this.#line
    path.waiting.sort((a, b) => this.#model.compare(b.node, a.node, this.#target))
    while (path.running < this.#settings.concurrency) {
      const asked = path.waiting.pop()
      if (asked === undefined) return
      if (!this.#canEnter(path, asked.node)) continue
      this.#requests++
      path.running++
      const isOff = this.#randomness.chance(offPart)
      // On a connection: agreeing on the protocol, and the request. Else TCP, Noise and the muxer cost three more.
      const trips = asked.depth === 1 ? 2 : 5
      const spread = 0.5 + this.#randomness.fraction()
      const takesMs = isOff ? timeoutMs : trips * roundTripMs * spread
      this.#replies.add(now + takesMs, { path, asked, isOff })
    }
  }

  #canEnter({ answered }: Path, node: number): boolean {
    const furthest = answered[this.#settings.bucketSize - 1]
    return furthest === undefined || this.#model.compare(node, furthest, this.#target) < 0
  }
}
