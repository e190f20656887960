import { taggedHash } from '../../crypto/hash.ts'
import { TAGS } from '../../crypto/tags.ts'
import { equalBytes } from '../../foundation/bytes.ts'
import { nodeKeyBytes, type NodeKey } from '../../protocol/node-key.ts'
import {
  covers,
  joinVectors,
  MAX_CLOCK_TAGS,
  meetVectors,
  sharedByAtLeast,
  type VersionVector,
} from '../../protocol/version-vector.ts'
import { clockOf, type Head } from './heads.ts'
import type { SlotProof } from './memory.ts'
import { settledAt } from './poll.ts'

/** Where the copies of a slot should be, and what counts. */
export interface SlotPlaces {
  /** All nodes, in the order to ask them. */
  readonly order: readonly NodeKey[]
  /** Copies that there should be: the first so many of the order are the slot's own. */
  readonly copies: number
  /** Copies from which on a write counts at all. */
  readonly keptAt: number
}

/** Proves nothing yet. */
export function noProof({ order, copies }: SlotPlaces): SlotProof {
  return { kept: new Map(), placed: new Map(), own: ownDigest(order.slice(0, copies)) }
}

/** What nodes' answers prove, besides what was proved before. */
export function proofOf(
  answers: ReadonlyMap<NodeKey, readonly Head[]>,
  places: SlotPlaces,
): SlotProof {
  const own = places.order.slice(0, places.copies)
  const clocks = [...answers.values()].map((heads) => clockOf(heads))
  const ofOwn = own.flatMap((node) => {
    const heads = answers.get(node)
    return heads === undefined ? [] : [clockOf(heads)]
  })
  return {
    kept: sharedByAtLeast(clocks, places.keptAt),
    placed: sharedByAtLeast(ofOwn, placedAt(places)),
    own: ownDigest(own),
  }
}

/** What a write proves that so many nodes have acknowledged. */
export function proofOfWrite(
  clock: VersionVector,
  acknowledged: { readonly all: number; readonly byOwn: number },
  places: SlotPlaces,
): SlotProof {
  const nothing: VersionVector = new Map()
  return {
    kept: acknowledged.all >= places.keptAt ? clock : nothing,
    placed: acknowledged.byOwn >= placedAt(places) ? clock : nothing,
    own: ownDigest(places.order.slice(0, places.copies)),
  }
}

/** Both together. Where a slot's own nodes have become others, what was on the former ones need not show any more. */
export function joinProofs(earlier: SlotProof, later: SlotProof): SlotProof {
  const isSamePlace = equalBytes(earlier.own, later.own)
  return {
    kept: bounded(joinVectors(earlier.kept, later.kept)),
    placed: bounded(isSamePlace ? joinVectors(earlier.placed, later.placed) : later.placed),
    own: later.own,
  }
}

export function sameProofs(a: SlotProof, b: SlotProof): boolean {
  const sameClocks = (one: VersionVector, other: VersionVector): boolean =>
    covers(one, other) && covers(other, one)
  return equalBytes(a.own, b.own) && sameClocks(a.kept, b.kept) && sameClocks(a.placed, b.placed)
}

/** What nodes that have it all must show, of what has not expired. */
export function provenClock({ kept, placed }: SlotProof, live: VersionVector): VersionVector {
  return meetVectors(joinVectors(kept, placed), live)
}

/**
 * What nodes are to blame for not showing. So many of a slot's own nodes must have been heard that one of them has what
 * is placed, or so many of all that one has what is kept.
 * @param options.shown what the nodes that answered show together
 * @param options.live what has not expired; nodes need not show anything else
 */
export function missingFrom(
  proof: SlotProof,
  answered: ReadonlyMap<NodeKey, unknown>,
  { shown, live, places }: { shown: VersionVector; live: VersionVector; places: SlotPlaces },
): VersionVector | undefined {
  const { order, copies, keptAt } = places
  const own = order.slice(0, copies)
  const unheard = (nodes: readonly NodeKey[]): number =>
    nodes.filter((node) => !answered.has(node)).length
  let expected: VersionVector = new Map()
  const isSamePlace = equalBytes(proof.own, ownDigest(own))
  if (isSamePlace && unheard(own) < placedAt(places)) expected = proof.placed
  if (unheard(order) < keptAt) expected = joinVectors(expected, proof.kept)
  const missing = [...meetVectors(expected, live)].filter(
    ([tag, counter]) => (shown.get(tag) ?? 0) < counter,
  )
  return missing.length === 0 ? undefined : new Map(missing)
}

/** Own nodes of which a settled read, where none is away, meets one. */
function placedAt({ copies }: SlotPlaces): number {
  return copies - settledAt(copies) + 1
}

/** A part will do of what is too much to be written down: less is noticed then. */
function bounded(clock: VersionVector): VersionVector {
  return clock.size <= MAX_CLOCK_TAGS ? clock : new Map([...clock].slice(0, MAX_CLOCK_TAGS))
}

function ownDigest(own: readonly NodeKey[]): Uint8Array {
  const keys = [...own].sort().map((node) => nodeKeyBytes(node))
  return taggedHash(TAGS.ownNodes, ...keys).slice(0, OWN_DIGEST_BYTES)
}

export const OWN_DIGEST_BYTES = 8
