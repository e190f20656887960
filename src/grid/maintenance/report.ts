import type { NodeKey } from '../../protocol/node-key.ts'

/** What was found out about a whole tree. */
export interface TreeReport {
  /**
   * Whether all of the present can be read. False only if it is certain that something cannot; `unknown` if something
   * was not found and nodes that may have it did not answer.
   */
  readonly recoverable: boolean | 'unknown'
  /** Everything has all its shares, each on a node of its own, and all its copies. */
  readonly healthy: boolean
  readonly blocks: Tally
  readonly slots: Tally
  /** Shares that blocks have too few; those of lost blocks are not counted. */
  readonly sharesMissing: number
  /** Copies of slots that are missing or old. */
  readonly copiesMissing: number
  /** Of all blocks found: their padded size, each once. */
  readonly bytes: number
  /** Blocks and states of slots that no conforming writer made: they are there, and nobody can read them. */
  readonly broken: number
  /**
   * Blocks of past states that are not there. Nothing tells what was given up on purpose from what was lost, so they
   * count as neither.
   */
  readonly pastGone: number
  readonly nodesAnswered: readonly NodeKey[]
  /** Nodes that left at least one question unanswered. */
  readonly nodesSilent: readonly NodeKey[]
}

/** Blocks, or slots, of a tree. */
export interface Tally {
  readonly total: number
  /** With all its shares, or copies. */
  readonly healthy: number
  /** Readable, with fewer. */
  readonly degraded: number
  /** Certainly not readable. What lies below it is counted only if it can still be found. */
  readonly lost: number
  /** Too little was found, but nodes that may have more did not answer. The same goes for what lies below it. */
  readonly unknown: number
}

export type Health = 'healthy' | 'degraded' | 'lost' | 'unknown'

/** Adds up what is found. */
export class TreeTally {
  readonly #blocks = { total: 0, healthy: 0, degraded: 0, lost: 0, unknown: 0 }
  readonly #slots = { total: 0, healthy: 0, degraded: 0, lost: 0, unknown: 0 }
  sharesMissing = 0
  copiesMissing = 0
  bytes = 0
  broken = 0
  pastGone = 0
  /** Slots of which there may be newer states than were found. */
  maybeStale = 0

  get items(): number {
    return this.#blocks.total + this.#slots.total
  }

  addBlock(health: Health): void {
    this.#blocks.total += 1
    this.#blocks[health] += 1
  }

  addSlot(health: Health): void {
    this.#slots.total += 1
    this.#slots[health] += 1
  }

  report(nodes: Pick<TreeReport, 'nodesAnswered' | 'nodesSilent'>): TreeReport {
    const blocks = { ...this.#blocks }
    const slots = { ...this.#slots }
    const isBroken = this.broken > 0 || blocks.lost > 0 || slots.lost > 0
    const isUnknown = this.maybeStale > 0 || blocks.unknown > 0 || slots.unknown > 0
    const isWhole = blocks.healthy === blocks.total && slots.healthy === slots.total
    return {
      recoverable: isBroken ? false : isUnknown ? 'unknown' : true,
      healthy: isWhole && !isBroken && !isUnknown,
      blocks,
      slots,
      sharesMissing: this.sharesMissing,
      copiesMissing: this.copiesMissing,
      bytes: this.bytes,
      broken: this.broken,
      pastGone: this.pastGone,
      ...nodes,
    }
  }
}
