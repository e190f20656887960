import { EMPTY_SPAN, equalSpans, SpanBuilder } from '../dots.ts'
import { isVersion, sizeOf, type Entry, type Totals } from '../entry.ts'
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
 * @param weights of the entries, where they are known already
 * @throws BrokenFolderError if their sizes add up to 2^53 or more
 */
export function summarize(entries: readonly Entry[], weights?: readonly number[]): Summary {
  const sum = new Sum()
  let first = 0
  for (let at = 0; at < entries.length; at++) {
    const entry = entries[at]
    if (entry !== undefined) sum.addWeight(weights?.[at] ?? weightOf(entry))
    if (entry?.name === entries[at + 1]?.name) continue
    sum.addName(entries, first, at + 1)
    first = at + 1
  }
  return sum.finish()
}

/** @throws BrokenFolderError if their sizes add up to 2^53 or more */
export function sumSummaries(parts: readonly Summary[]): Summary {
  const [only] = parts
  if (only !== undefined && parts.length === 1) return only
  const sum = new Sum()
  for (const part of parts) sum.addSummary(part)
  return sum.finish()
}

class Sum {
  #weight = 0
  #names = 0
  #files = 0
  #copies = 0
  #sizeBytes = 0
  #newestMs: number | undefined
  #height = 0
  readonly #dots = new SpanBuilder()

  addSummary(part: Summary): void {
    this.#weight += part.weight
    this.#names += part.names
    this.#addTotals(part)
    this.#height = Math.max(this.#height, part.height)
  }

  addWeight(weight: number): void {
    this.#weight += weight
  }

  /** Entries of one name but for their weights, from `first` up to before `end`. */
  addName(entries: readonly Entry[], first: number, end: number): void {
    this.#names += 1
    let hasDirectory = false
    for (let at = first; at < end; at++) {
      const entry = entries[at]
      if (entry === undefined) continue
      this.#dots.addDots(entry.dots)
      if (entry.kind === 'directory') {
        hasDirectory = true
        this.#addTotals(entry.totals)
        this.#height = Math.max(this.#height, entry.totals.height + 1)
      } else {
        this.#files += 1
        this.#sizeBytes += sizeOf(entry)
        this.#newestMs = laterOf(this.#newestMs, entry.mtimeMs)
      }
    }
    // Usually a name has one entry, which has no copy.
    if (end - first > 1) this.#copies += copiesOf(entries.slice(first, end), hasDirectory)
  }

  finish(): Summary {
    const [weight, names, files, copies] = [this.#weight, this.#names, this.#files, this.#copies]
    const sizeBytes = this.#sizeBytes
    for (const sum of [weight, names, files, copies, sizeBytes]) {
      if (!Number.isSafeInteger(sum)) throw new BrokenFolderError('its sizes add up to too much')
    }
    const [newestMs, height] = [this.#newestMs, this.#height]
    return { weight, names, files, copies, sizeBytes, newestMs, height, dots: this.#dots.finish() }
  }

  #addTotals({ files, copies, sizeBytes, newestMs, dots }: Totals): void {
    this.#files += files
    this.#copies += copies
    this.#sizeBytes += sizeBytes
    this.#newestMs = laterOf(this.#newestMs, newestMs)
    this.#dots.addSpan(dots)
  }
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

/** A directory keeps the name, else the newest content does; the others are copies. */
function copiesOf(entries: readonly Entry[], hasDirectory: boolean): number {
  const contents = contentsOf(entries.filter(isVersion)).length
  return hasDirectory ? contents : contents - 1
}

function laterOf(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Math.max(a, b)
}
