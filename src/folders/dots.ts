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

/** The span of one entry's own dots. An implied directory has none, which no single dot can stand for. */
export function spanOfDots(dots: Dots): DotSpan {
  if (dots.size === 1) {
    for (const [tag, counter] of dots) return { kind: 'one', dot: { tag, counter } }
  }
  if (dots.size > MAX_SPAN_TAGS) return SCATTERED
  const ranges = new Map<TagHex, DotRange>()
  for (const [tag, counter] of dots) ranges.set(tag, { least: counter, greatest: counter })
  return { kind: 'ranges', ranges }
}

export function joinSpans(spans: readonly DotSpan[]): DotSpan {
  const filled = spans.filter(({ kind }) => kind !== 'empty')
  const [first, ...rest] = filled
  if (first === undefined) return EMPTY_SPAN
  if (rest.every((span) => span === first || equalOnes(span, first))) return first
  const ranges = new Map<TagHex, DotRange>()
  for (const span of filled) {
    if (span.kind === 'scattered') return SCATTERED
    for (const [tag, range] of rangesOf(span)) {
      const known = ranges.get(tag)
      ranges.set(tag, known === undefined ? range : widen(known, range))
    }
  }
  return ranges.size > MAX_SPAN_TAGS ? SCATTERED : { kind: 'ranges', ranges }
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

function rangesOf(span: DotSpan): Iterable<readonly [TagHex, DotRange]> {
  if (span.kind === 'ranges') return span.ranges
  if (span.kind !== 'one') return []
  const { tag, counter } = span.dot
  return [[tag, { least: counter, greatest: counter }]]
}

function widen(a: DotRange, b: DotRange): DotRange {
  return { least: Math.min(a.least, b.least), greatest: Math.max(a.greatest, b.greatest) }
}
