import { mapConcurrently } from '../foundation/concurrency.ts'
import { equalBytes } from '../foundation/bytes.ts'
import { assert } from '../foundation/error.ts'
import {
  compareVectors,
  covers,
  joinVectors,
  MAX_CLOCK_TAGS,
  type TagHex,
  type VersionVector,
} from '../protocol/version-vector.ts'
import { hasSeenAll, hasSeenNone, NO_DOTS, type Dots, type DotSpan } from './dots.ts'
import type { Directory, DirectoryEntry, Entry } from './entry.ts'
import { TooManyVersionsError } from './errors.ts'
import type { FolderState } from './state.ts'
import { EMPTY_PART, type Node, type Part } from './tree/node-codec.ts'
import {
  composePart,
  halvesOf,
  openDirectory,
  openPart,
  openRoot,
  partOf,
  storeDirectory,
} from './tree/part.ts'
import { halfPosition, ROOT_TOP, TOP, type Position } from './tree/position.ts'
import { areSameDirectories, areSameEntries, areSameParts } from './tree/read.ts'
import { NODES_AT_ONCE, workingStore, type TreeStore } from './tree/store.ts'
import { groupByName } from './tree/summary.ts'
import { identityOf } from './versions.ts'

/**
 * Joins states of one folder: an optimized OR-map without tombstones (Bieniusa et al., "An optimized conflict-free
 * replicated set", 2012), over paths. A dot stays if every state that has seen it still has it; so what one state has
 * and another lacks was removed by the other if its clock contains the dot, and is new to it otherwise.
 *
 * Commutative, associative and idempotent, down to the reference of the root. Subtrees that are the same everywhere
 * are not read, nor are those that only some states have and whose dots the others have all seen, or none of.
 *
 * @throws BrokenFolderError, TooManyVersionsError
 */
export async function mergeStates(
  store: TreeStore,
  states: readonly FolderState[],
): Promise<FolderState> {
  const [first, ...others] = withoutContained(states)
  assert(first !== undefined, 'there is something to merge')
  if (others.length === 0) return first
  const sides = [first, ...others]
  const clock = sides.map((side) => side.clock).reduce(joinVectors)
  if (clock.size > MAX_CLOCK_TAGS) {
    throw new TooManyVersionsError(
      `More than ${MAX_CLOCK_TAGS} devices have written to this folder. Copy it into a new one.`,
    )
  }
  const nodes = await mapConcurrently(sides, NODES_AT_ONCE, async ({ root }) => {
    return await openRoot(store, root)
  })
  const merge = new Merge(
    workingStore(store),
    sides.map((side) => side.clock),
  )
  const part = await merge.nodes(nodes, ROOT_TOP)
  const { reference } = await storeDirectory(store, part, ROOT_TOP)
  return { clock, root: reference }
}

/** A state whose clock another one contains has nothing to add. */
function withoutContained(states: readonly FolderState[]): FolderState[] {
  const kept: FolderState[] = []
  for (const state of states) {
    const isContained = kept.some((other) => isWithin(state, other))
    if (isContained) continue
    const rest = kept.filter((other) => !isWithin(other, state))
    kept.splice(0, kept.length, ...rest, state)
  }
  return kept
}

function isWithin(state: FolderState, other: FolderState): boolean {
  const order = compareVectors(state.clock, other.clock)
  return order === 'before' || (order === 'equal' && equalBytes(state.root.id, other.root.id))
}

/** What the states have at one place; undefined where a state has nothing. */
type Sides<T> = readonly (T | undefined)[]

/**
 * States with one clock. That there are several is nobody's intent: a device wrote twice from one state, say after a
 * backup was restored. None of them is evidence against the others, so together they hold what any of them does.
 */
interface Witness {
  readonly clock: VersionVector
  /** Where its states stand in all {@link Sides}. */
  readonly sides: readonly number[]
}

class Merge {
  readonly #store: TreeStore
  readonly #witnesses: readonly Witness[]

  constructor(store: TreeStore, clocks: readonly VersionVector[]) {
    this.#store = store
    this.#witnesses = witnessesOf(clocks)
  }

  async nodes(nodes: Sides<Node>, position: Position): Promise<Part> {
    const isFlat = nodes.every((node) => node?.kind !== 'inner')
    if (isFlat) {
      const entries = await this.#entries(
        nodes.map((node) => (node?.kind === 'loose' ? node.entries : [])),
      )
      return await partOf(this.#store, entries, position)
    }
    const halves = nodes.map((node) => node && halvesOf(node, position))
    const merged = await Promise.all([
      this.#parts(
        halves.map((pair) => filled(pair?.[0])),
        halfPosition(position, 0),
      ),
      this.#parts(
        halves.map((pair) => filled(pair?.[1])),
        halfPosition(position, 1),
      ),
    ])
    return await composePart(this.#store, merged, position)
  }

  async #parts(parts: Sides<Part>, position: Position): Promise<Part> {
    const known = this.#decide(parts, {
      areSame: areSameParts,
      dotsOf: ({ summary }) => summary.dots,
    })
    if (known === 'gone') return EMPTY_PART
    if (known !== 'mixed') return known
    const nodes = await mapConcurrently(parts, NODES_AT_ONCE, async (part) => {
      return part && (await openPart(this.#store, part, position))
    })
    return await this.nodes(nodes, position)
  }

  async #directories(directories: Sides<Directory>): Promise<Directory | 'gone'> {
    const known = this.#decide(directories, {
      areSame: areSameDirectories,
      dotsOf: ({ totals }) => totals.dots,
    })
    if (known !== 'mixed') return known
    const nodes = await mapConcurrently(directories, NODES_AT_ONCE, async (directory) => {
      return directory && (await openDirectory(this.#store, directory))
    })
    const part = await this.nodes(nodes, TOP)
    return part.summary.names === 0 ? 'gone' : await storeDirectory(this.#store, part, TOP)
  }

  /** What can be told without reading further: which subtree is the outcome, or that nothing is left of it. */
  #decide<T>(
    sides: Sides<T>,
    { areSame, dotsOf }: { areSame: (a: T, b: T) => boolean; dotsOf: (side: T) => DotSpan },
  ): T | 'gone' | 'mixed' {
    const present = sides.find((side) => side !== undefined)
    if (present === undefined) return 'gone'
    if (sides.some((side) => side !== undefined && side !== present && !areSame(side, present))) {
      return 'mixed'
    }
    const clock = this.#witnesses
      .filter((witness) => witness.sides.every((at) => sides[at] === undefined))
      .map((witness) => witness.clock)
      .reduce(joinVectors, NO_DOTS)
    if (hasSeenNone(clock, dotsOf(present))) return present
    return hasSeenAll(clock, dotsOf(present)) ? 'gone' : 'mixed'
  }

  async #entries(sides: readonly (readonly Entry[])[]): Promise<Entry[]> {
    const names = new Map<string, Entry[][]>()
    for (const [at, entries] of sides.entries()) {
      for (const group of groupByName(entries)) {
        const name = group[0]?.name ?? ''
        let bySide = names.get(name)
        if (bySide === undefined) names.set(name, (bySide = sides.map(() => [])))
        bySide[at] = [...group]
      }
    }
    const merged = await mapConcurrently([...names.values()], NODES_AT_ONCE, async (bySide) => {
      return await this.#name(bySide)
    })
    return merged.flat()
  }

  async #name(sides: readonly (readonly Entry[])[]): Promise<readonly Entry[]> {
    const [first = [], ...others] = sides
    if (others.every((entries) => areSameEntries(entries, first))) return first
    const byIdentity = new Map<string, (Entry | undefined)[]>()
    for (const [at, entries] of sides.entries()) {
      for (const entry of entries) {
        const identity = identityOf(entry)
        let same = byIdentity.get(identity)
        if (same === undefined) byIdentity.set(identity, (same = sides.map(() => undefined)))
        same[at] = entry
      }
    }
    const merged = [...byIdentity.values()].map(async (same) => await this.#entry(same))
    return (await Promise.all(merged)).filter((entry) => entry !== undefined)
  }

  async #entry(sides: Sides<Entry>): Promise<Entry | undefined> {
    const entry = sides.find((side) => side !== undefined)
    if (entry === undefined) return undefined
    const dots = this.#dots(sides.map((side) => side?.dots))
    if (entry.kind !== 'directory') return dots.size === 0 ? undefined : { ...entry, dots }
    // Sides of one identity are of one kind.
    return await this.#directory(sides as Sides<DirectoryEntry>, entry, dots)
  }

  /** A directory lives while its own dots or anything in it do. */
  async #directory(
    sides: Sides<DirectoryEntry>,
    { name }: DirectoryEntry,
    dots: Dots,
  ): Promise<Entry | undefined> {
    const content = await this.#directories(sides)
    if (content !== 'gone' && !isEmpty(content)) return directoryEntry(name, dots, content)
    if (dots.size === 0) return undefined
    return directoryEntry(name, dots, await storeDirectory(this.#store, EMPTY_PART, TOP))
  }

  #dots(sides: Sides<Dots>): Dots {
    const merged = new Map<TagHex, number>()
    for (const dots of sides) {
      for (const [tag, counter] of dots ?? NO_DOTS) {
        const isKept = this.#witnesses.every((witness) => {
          const hasSeen = covers(witness.clock, { tag, counter })
          return !hasSeen || witness.sides.some((at) => sides[at]?.get(tag) === counter)
        })
        if (isKept) merged.set(tag, counter)
      }
    }
    return merged
  }
}

function witnessesOf(clocks: readonly VersionVector[]): readonly Witness[] {
  const witnesses: { clock: VersionVector; sides: number[] }[] = []
  for (const [at, clock] of clocks.entries()) {
    const same = witnesses.find((witness) => compareVectors(witness.clock, clock) === 'equal')
    if (same === undefined) witnesses.push({ clock, sides: [at] })
    else same.sides.push(at)
  }
  return witnesses
}

function directoryEntry(
  name: DirectoryEntry['name'],
  dots: Dots,
  { reference, verifyKey, totals }: Directory,
): DirectoryEntry {
  return { kind: 'directory', name, dots, reference, verifyKey, totals }
}

function isEmpty({ totals }: Directory): boolean {
  return totals.dots.kind === 'empty'
}

function filled(part: Part | undefined): Part | undefined {
  return part === undefined || part.summary.names === 0 ? undefined : part
}
