import { HayloftError } from '../foundation/error.ts'
import type { BlockId } from '../protocol/block-id.ts'

/** Too few nodes took a share for the data to count as stored. */
export class TooFewNodesError extends HayloftError {
  readonly code = 'too-few-nodes'
  /** Nodes that must hold a share before a block counts as stored. */
  readonly needed: number
  /** Nodes that did take one. */
  readonly answered: number

  constructor({
    needed,
    answered,
    total,
    full = 0,
    overQuota = 0,
  }: {
    needed: number
    answered: number
    total: number
    /** How many of the others said that they have no room. */
    full?: number
    /** How many of the others said that this account stores as much as it may. */
    overQuota?: number
  }) {
    super(
      `The file was not stored: ${needed} storage nodes must each keep a share of every block, ` +
        `and only ${answered} of ${total} took one. ${adviceFor({ full, overQuota })}`,
    )
    this.needed = needed
    this.answered = answered
  }
}

function adviceFor({ full, overQuota }: { full: number; overQuota: number }): string {
  const said = [
    ...(overQuota === 0 ? [] : [`${overQuota} said that you store as much as you may`]),
    ...(full === 0 ? [] : [`${full} had no room left`]),
  ]
  const again = 'then try again; what was already stored is not sent twice.'
  if (said.length === 0) return `Start more nodes, or ask for fewer shares, ${again}`
  const advice =
    overQuota > 0
      ? 'Ask an admin for a higher quota, or offer more yourself'
      : 'Offer more space, or find more nodes'
  return `${said.join(', ')}. ${advice}, ${again}`
}

/** A content that is being stored is not what it was when it was hashed. */
export class SourceChangedError extends HayloftError {
  readonly code = 'source-changed'

  constructor() {
    super('The file was changed while it was being stored. Store it again.')
  }
}

/** Fewer than k good shares of a block could be had. */
export class NotEnoughSharesError extends HayloftError {
  readonly code = 'not-enough-shares'
  readonly blockId: BlockId
  readonly found: number
  /** Undefined when not one share was found, since only shares tell k. */
  readonly required: number | undefined
  /** Whether nodes that did not answer could have the shares that are missing; else nobody keeps the block any more. */
  readonly mayComeBack: boolean

  constructor(
    blockId: BlockId,
    {
      found,
      required,
      mayComeBack,
    }: { found: number; required: number | undefined; mayComeBack: boolean },
  ) {
    const need =
      required === undefined ? 'no share' : `only ${found} of the ${required} shares needed`
    super(
      `A part of the file cannot be read now: ${need} could be found on the nodes that answered. ` +
        'It can be read again once more of its nodes are back.',
    )
    this.blockId = blockId
    this.found = found
    this.required = required
    this.mayComeBack = mayComeBack
  }
}

/** The shares are what their id says, but no conforming writer made such a file. Other nodes will not help. */
export class BrokenFileError extends HayloftError {
  readonly code = 'file-broken'

  constructor(why: string) {
    super(`This is not a file that Hayloft wrote: ${why}. Its writer was broken or meant harm.`)
  }
}

/** A range that does not lie in the file. */
export class InvalidRangeError extends HayloftError {
  readonly code = 'range-invalid'
}
