import { deferred } from '../../foundation/concurrency.ts'
import type { BlockId } from '../../protocol/block-id.ts'
import type { Link } from '../blocks/frame.ts'
import { BrokenFileError } from '../errors.ts'

/** How far into the past a walk goes. */
export interface HistoryOptions {
  /** How many states back from the present one; by default all that were kept. None with 0. */
  readonly history?: number | undefined
  /**
   * Whether a past state is wanted with all that was in it; by default it is. Of one that is not wanted only its own
   * block is visited, as it leads to the states before it. Only readers know when a state was, so only they can choose.
   */
  readonly keeps?: ((state: BlockId) => boolean) | undefined
  /** Whether to go back no further than the state after this one; by default there is no such state. */
  readonly endsAt?: ((state: BlockId) => boolean) | undefined
}

/** Something that a tree leads to. */
export interface Found {
  readonly link: Link
  /** How many states back from the present it was found; 0 if the present state leads there. */
  readonly past: number
}

/**
 * What a walk has found and not looked at yet, each thing once. The present comes before the past, so what both lead to
 * counts as present; and of one state what was found last comes first, which keeps little waiting.
 */
export class Frontier {
  readonly #options: HistoryOptions
  /** Everything found so far, and the nearest that it was found. */
  readonly #nearest = new Map<string, number>()
  /** By how far back they are; what was found nearer later on stands here twice. */
  readonly #waiting: Found[][] = []
  #length = 0
  #changed = deferred()

  constructor(options: HistoryOptions) {
    this.#options = options
  }

  /** Everything found so far. */
  get found(): number {
    return this.#nearest.size
  }

  /** What is left to look at. */
  get length(): number {
    return this.#length
  }

  /** Resolves when more has been found. */
  get changed(): Promise<void> {
    return this.#changed.promise
  }

  /** How far back the nearest of what is left lies; undefined if nothing is. */
  get nearest(): number | undefined {
    const past = this.#waiting.findIndex((links) => links !== undefined && links.length > 0)
    return past < 0 ? undefined : past
  }

  addRoot(link: Link): void {
    this.#add({ link, past: 0 })
  }

  /** Adds what a block or slot leads to. @throws BrokenFileError if there is no end to it */
  addBelow({ link: parent, past }: Found, links: readonly Link[]): void {
    const { history = Infinity, keeps, endsAt } = this.#options
    const isPassage = parent.type === 'history' && keeps !== undefined && !keeps(parent.id)
    for (const link of links) {
      if (link.type !== 'history' && isPassage) continue
      if (link.type === 'history' && endsAt?.(link.id) === true) continue
      const depth = link.type === 'history' ? past + 1 : past
      if (depth <= history) this.#add({ link, past: depth })
    }
  }

  /** Takes up to `max` of those that are nearest; none if all of these were found nearer meanwhile. */
  take(max: number): Found[] {
    const links = this.#waiting[this.nearest ?? 0] ?? []
    const taken = links.splice(Math.max(0, links.length - max))
    this.#length -= taken.length
    return taken.filter(({ link, past }) => this.#nearest.get(nameOf(link)) === past)
  }

  #add(found: Found): void {
    const name = nameOf(found.link)
    const nearest = this.#nearest.get(name)
    if (nearest !== undefined && nearest <= found.past) return
    if (this.#nearest.size >= MAX_LINKS) throw new BrokenFileError('its tree has no end')
    this.#nearest.set(name, found.past)
    while (this.#waiting.length <= found.past) this.#waiting.push([])
    this.#waiting[found.past]?.push(found)
    this.#length += 1
    this.#changed.resolve()
    this.#changed = deferred()
  }
}

/**
 * Where it is and the key that opens it: who writes a tree could link to a block that is not theirs with a wrong key,
 * and must not hide it thereby from who comes to it on the right way. A string of bytes, as there may be millions.
 */
function nameOf(link: Link): string {
  const locator = link.type === 'slot' ? link.slot : link.id
  return Buffer.from(locator).toString('latin1') + Buffer.from(link.verifyKey).toString('latin1')
}

/** Blocks and slots in one walk: some hundred MiB of names, two TiB of files. */
const MAX_LINKS = 2 ** 21
