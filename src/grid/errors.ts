import { HayloftError } from '../foundation/error.ts'
import type { BlockId } from '../protocol/block-id.ts'

/** Too few nodes took a share for the data to count as stored. */
export class TooFewNodesError extends HayloftError {
  readonly code = 'too-few-nodes'
  /** Nodes that must hold a share before a block counts as stored. */
  readonly needed: number
  /** Nodes that did take one. */
  readonly answered: number

  constructor({ needed, answered, total }: { needed: number; answered: number; total: number }) {
    super(
      `The file was not stored: ${needed} storage nodes must each keep a share of every block, ` +
        `and only ${answered} of ${total} took one. Start more nodes, or ask for fewer shares, then try again; ` +
        'what was already stored is not sent twice.',
    )
    this.needed = needed
    this.answered = answered
  }
}

/** Fewer than k good shares of a block could be had. */
export class NotEnoughSharesError extends HayloftError {
  readonly code = 'not-enough-shares'
  readonly blockId: BlockId
  readonly found: number
  /** Undefined when not one share was found, since only shares tell k. */
  readonly required: number | undefined

  constructor(
    blockId: BlockId,
    { found, required }: { found: number; required: number | undefined },
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
