import { covers, type Dot, type TagHex, type VersionVector } from '../protocol/version-vector.ts'

/**
 * The commits that put an entry where it is and that nobody has undone: usually one, more where devices made the same
 * entry without knowing of each other, none for a directory that only exists because something in it does. A later
 * commit of a device replaces its earlier one, so a tag occurs once.
 */
export type Dots = VersionVector

export const NO_DOTS: Dots = new Map()

/**
 * What is known of all dots under a directory, or under a part of one, without reading it. From this a merge can tell
 * that the other side has seen all of it, or none, and then keeps or drops it unread.
 *
 * - `one`: every entry has exactly this dot. Such a subtree is stored without dots, so moving it changes nothing.
 * - `ranges`: for each tag the least and greatest counter.
 * - `scattered`: more tags than are worth telling.
 */
export type DotSpan =
  | { readonly kind: 'empty' }
  | { readonly kind: 'one'; readonly dot: Dot }
  | { readonly kind: 'ranges'; readonly ranges: ReadonlyMap<TagHex, DotRange> }
  | { readonly kind: 'scattered' }

/** Counters of one device's dots. */
export interface DotRange {
  readonly least: number
  readonly greatest: number
}

export const EMPTY_SPAN: DotSpan = { kind: 'empty' }
const SCATTERED: DotSpan = { kind: 'scattered' }

/** A subtree with more devices' hands in it is merged by reading it. Keeps entries of directories small. */
export const MAX_SPAN_TAGS = 16

export function singleDot({ tag, counter }: Dot): Dots {
  return new Map([[tag, counter]])
}

/** Gathers the span of many entries. */
export class SpanBuilder {
  readonly #ranges = new Map<TagHex, { least: number; greatest: number }>()
  #isEmpty = true
  #isScattered = false
  /** The one dot that everything so far has; undefined if there are others, or entries without. */
  #only: { readonly tag: TagHex; readonly counter: number } | undefined

  /** One entry's own dots. An implied directory has none, so no single dot stands for it. */
  addDots(dots: Dots): void {
    if (dots.size !== 1) this.#only = undefined
    for (const [tag, counter] of dots) this.#add(tag, counter, counter, dots.size === 1)
    this.#isEmpty = false
  }

  addSpan(span: DotSpan): void {
    switch (span.kind) {
      case 'empty':
        return
      case 'one':
        this.#add(span.dot.tag, span.dot.counter, span.dot.counter, true)
        break
      case 'ranges':
        this.#only = undefined
        for (const [tag, { least, greatest }] of span.ranges) this.#add(tag, least, greatest, false)
        break
      case 'scattered':
        this.#isScattered = true
        break
    }
    this.#isEmpty = false
  }

  finish(): DotSpan {
    if (this.#isEmpty) return EMPTY_SPAN
    if (this.#isScattered || this.#ranges.size > MAX_SPAN_TAGS) return SCATTERED
    if (this.#only !== undefined) return { kind: 'one', dot: this.#only }
    return { kind: 'ranges', ranges: this.#ranges }
  }

  #add(tag: TagHex, least: number, greatest: number, isSingle: boolean): void {
    const only = this.#only
    if (isSingle && only?.tag === tag && only.counter === least) return
    this.#only = isSingle && this.#isEmpty ? { tag, counter: least } : undefined
    const known = this.#ranges.get(tag)
    if (known === undefined) {
      this.#ranges.set(tag, { least, greatest })
      return
    }
    known.least = Math.min(known.least, least)
    known.greatest = Math.max(known.greatest, greatest)
  }
}

/** Whether `clock` is known to have seen every dot of the span. */
export function hasSeenAll(clock: VersionVector, span: DotSpan): boolean {
  switch (span.kind) {
    case 'empty':
      return true
    case 'one':
      return covers(clock, span.dot)
    case 'ranges':
      for (const [tag, { greatest }] of span.ranges) {
        if ((clock.get(tag) ?? 0) < greatest) return false
      }
      return true
    case 'scattered':
      return false
  }
}

/** Whether `clock` is known to have seen no dot of the span. */
export function hasSeenNone(clock: VersionVector, span: DotSpan): boolean {
  switch (span.kind) {
    case 'empty':
      return true
    case 'one':
      return !covers(clock, span.dot)
    case 'ranges':
      for (const [tag, { least }] of span.ranges) {
        if ((clock.get(tag) ?? 0) >= least) return false
      }
      return true
    case 'scattered':
      return false
  }
}

/** Whether a node with these dots is stored without them, because its parent tells the one there is. */
export function isStoredDotless(span: DotSpan): boolean {
  return span.kind === 'one' || span.kind === 'empty'
}

export function equalSpans(a: DotSpan, b: DotSpan): boolean {
  if (a.kind === 'ranges' && b.kind === 'ranges') {
    if (a.ranges.size !== b.ranges.size) return false
    for (const [tag, { least, greatest }] of a.ranges) {
      const other = b.ranges.get(tag)
      if (other?.least !== least || other.greatest !== greatest) return false
    }
    return true
  }
  return a.kind === 'one' ? equalOnes(a, b) : a.kind === b.kind
}

export function equalDots(a: Dots, b: Dots): boolean {
  if (a === b) return true
  if (a.size !== b.size) return false
  for (const [tag, counter] of a) if (b.get(tag) !== counter) return false
  return true
}

/** Whether `dots` has all of the others. */
export function includesDots(dots: Dots, others: Dots): boolean {
  for (const [tag, counter] of others) if (dots.get(tag) !== counter) return false
  return true
}

/** A total order of dots that follows the counters first, so that of two it tends to put the later one last. */
export function compareDots(a: Dot, b: Dot): number {
  if (a.counter !== b.counter) return a.counter - b.counter
  return a.tag === b.tag ? 0 : a.tag < b.tag ? -1 : 1
}

/** The last in the order of {@link compareDots}. */
export function greatestDot(dots: Dots): Dot | undefined {
  let greatest: Dot | undefined
  for (const [tag, counter] of dots) {
    const dot = { tag, counter }
    if (greatest === undefined || compareDots(dot, greatest) > 0) greatest = dot
  }
  return greatest
}

function equalOnes(a: DotSpan, b: DotSpan): boolean {
  if (a.kind !== 'one' || b.kind !== 'one') return false
  return a.dot.tag === b.dot.tag && a.dot.counter === b.dot.counter
}
