import { EMPTY_SPAN, equalSpans, joinSpans, spanOfDots, type DotSpan } from '../dots.ts'
import { isVersion, sizeOf, type Entry, type Totals, type Version } from '../entry.ts'
import { BrokenFolderError } from '../errors.ts'
import { contentsOf } from '../versions.ts'
import { weightOf } from './entry-codec.ts'

/** What is told of a part of a directory, beside the totals of all below it. */
export interface Summary extends Totals {
  /** Sum of the weights of its entries: see {@link weightOf}. */
  readonly weight: number
  readonly names: number
}

/**
 * The most weight of a leaf, unless it has a single name. Some 350 files: a directory of 1,000 is a branch over a few
 * leaves, and to change an entry is to write one block of this size and the branches above it.
 */
export const MAX_LEAF_WEIGHT = 48 * 1024

/** Whether a part is stored as one leaf. Follows from its entries alone, so all histories give one shape. */
export function fitsLeaf({ weight, names }: Pick<Summary, 'weight' | 'names'>): boolean {
  return weight <= MAX_LEAF_WEIGHT || names <= 1
}

export const EMPTY_SUMMARY: Summary = {
  weight: 0,
  names: 0,
  files: 0,
  copies: 0,
  sizeBytes: 0,
  newestMs: undefined,
  height: 0,
  dots: EMPTY_SPAN,
}

/**
 * @param entries sorted, so that those of one name stand together
 * @throws BrokenFolderError if their sizes add up to 2^53 or more
 */
export function summarize(entries: readonly Entry[]): Summary {
  return sumSummaries(groupByName(entries).map(summarizeName))
}

export function sumSummaries(parts: readonly Summary[]): Summary {
  const [only] = parts
  if (only === undefined) return EMPTY_SUMMARY
  if (parts.length === 1) return only
  let { weight, names, files, copies, sizeBytes, newestMs, height } = EMPTY_SUMMARY
  for (const part of parts) {
    weight += part.weight
    names += part.names
    files += part.files
    copies += part.copies
    sizeBytes += part.sizeBytes
    newestMs = laterOf(newestMs, part.newestMs)
    height = Math.max(height, part.height)
  }
  for (const sum of [weight, names, files, copies, sizeBytes]) {
    if (!Number.isSafeInteger(sum)) throw new BrokenFolderError('its sizes add up to too much')
  }
  const dots = joinSpans(parts.map((part) => part.dots))
  return { weight, names, files, copies, sizeBytes, newestMs, height, dots }
}

/** Entries with the same name, in the given order. */
export function groupByName(entries: readonly Entry[]): (readonly Entry[])[] {
  const groups: Entry[][] = []
  let last: Entry[] | undefined
  for (const entry of entries) {
    if (last?.[0]?.name === entry.name) last.push(entry)
    else groups.push((last = [entry]))
  }
  return groups
}

export function equalTotals(a: Totals, b: Totals): boolean {
  return (
    a.files === b.files &&
    a.copies === b.copies &&
    a.sizeBytes === b.sizeBytes &&
    a.newestMs === b.newestMs &&
    a.height === b.height &&
    equalSpans(a.dots, b.dots)
  )
}

function summarizeName(entries: readonly Entry[]): Summary {
  const versions: Version[] = []
  const spans: DotSpan[] = []
  let { weight, files, sizeBytes, newestMs, height } = EMPTY_SUMMARY
  for (const entry of entries) {
    weight += weightOf(entry)
    spans.push(spanOfDots(entry.dots))
    if (isVersion(entry)) {
      versions.push(entry)
      files += 1
      sizeBytes += sizeOf(entry)
      newestMs = laterOf(newestMs, entry.mtimeMs)
    } else {
      files += entry.totals.files
      sizeBytes += entry.totals.sizeBytes
      newestMs = laterOf(newestMs, entry.totals.newestMs)
      height = Math.max(height, entry.totals.height + 1)
      spans.push(entry.totals.dots)
    }
  }
  const copies = copiesOf(versions, entries)
  return { weight, names: 1, files, copies, sizeBytes, newestMs, height, dots: joinSpans(spans) }
}

/** A directory keeps the name, else the newest content does; the others are copies. */
function copiesOf(versions: readonly Version[], entries: readonly Entry[]): number {
  let copies = versions.length > 1 ? contentsOf(versions).length : versions.length
  let hasDirectory = false
  for (const entry of entries) {
    if (isVersion(entry)) continue
    copies += entry.totals.copies
    hasDirectory = true
  }
  return hasDirectory || copies === 0 ? copies : copies - 1
}

function laterOf(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Math.max(a, b)
}
