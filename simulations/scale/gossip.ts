import { EventQueue } from '../models/event-queue.ts'
import type { SeededRandomness } from '../randomness.ts'

export interface Flood {
  /** How often the statement was sent, a member: it comes from every neighbour that had it not from here. */
  readonly copiesPerMember: number
  /** Until the last member had it, in milliseconds. */
  readonly lastMs: number
  /** The part of the members that it reached without waiting for the next exchange. */
  readonly reachedPart: number
}

/**
 * A statement that changed is pushed to everyone connected, who push it on unless they had it. Each member keeps up
 * connections to some others, chosen by chance, and connections go both ways.
 */
export function flood(options: {
  readonly members: number
  /** Connections that each member keeps up by itself. */
  readonly connections: number
  readonly roundTripMs: number
  readonly randomness: SeededRandomness
}): Flood {
  const { members, connections, roundTripMs, randomness } = options
  const neighbours = connect(members, connections, randomness)
  const hasIt = new Uint8Array(members)
  const arrivals = new EventQueue<{ member: number; from: number }>()
  arrivals.add(0, { member: 0, from: -1 })
  let [copies, reached, lastMs] = [0, 0, 0]
  for (let next = arrivals.take(); next !== undefined; next = arrivals.take()) {
    const { member, from } = next.event
    if (hasIt[member] === 1) continue
    hasIt[member] = 1
    reached++
    lastMs = next.at
    for (const neighbour of neighbours[member] as Set<number>) {
      if (neighbour === from) continue
      copies++
      const takesMs = (roundTripMs / 2) * (0.5 + randomness.fraction())
      arrivals.add(next.at + takesMs, { member: neighbour, from: member })
    }
  }
  return { copiesPerMember: copies / members, lastMs, reachedPart: reached / members }
}

/** Everyone dials others until it has enough connections; the first dial of each is in a ring, so that all are one grid. */
function connect(
  members: number,
  connections: number,
  randomness: SeededRandomness,
): Set<number>[] {
  const neighbours = Array.from({ length: members }, () => new Set<number>())
  const link = (a: number, b: number): void => {
    if (a === b) return
    neighbours[a]?.add(b)
    neighbours[b]?.add(a)
  }
  for (let member = 0; member < members; member++) {
    link(member, (member + 1) % members)
    const wanted = Math.min(connections, members - 1)
    for (let dial = 0; dial < 4 * wanted && (neighbours[member]?.size ?? 0) < wanted; dial++) {
      link(member, randomness.below(members))
    }
  }
  return neighbours
}
