import { HayloftError } from '../../foundation/error.ts'
import type { JoinRefusal } from './messages.ts'

/** A member was reached and does not let this device in. */
export class JoinRefusedError extends HayloftError {
  readonly code: JoinRefusedCode
  /** What was said. The evidence in it can be checked; the rest is a member's word. */
  readonly refusal: JoinRefusal

  constructor(refusal: JoinRefusal) {
    super(sentenceOf(refusal))
    this.code = CODES[refusal.reason]
    this.refusal = refusal
  }
}

/** Stable, for programs. */
export type JoinRefusedCode =
  | 'invite-expired'
  | 'invite-used'
  | 'invite-revoked'
  | 'invite-malformed'
  | 'not-a-member'
  | 'join-failed'

const CODES: Readonly<Record<JoinRefusal['reason'], JoinRefusedCode>> = {
  expired: 'invite-expired',
  'used-up': 'invite-used',
  revoked: 'invite-revoked',
  malformed: 'invite-malformed',
  removed: 'not-a-member',
  unknown: 'not-a-member',
  full: 'join-failed',
  failed: 'join-failed',
  leaving: 'join-failed',
}

/** None of the members that a word names could be reached, or be heard to the end. */
export class GridUnreachableError extends HayloftError {
  readonly code = 'grid-unreachable'

  constructor(
    { tried, answered }: { readonly tried: readonly string[]; readonly answered: boolean },
    options?: ErrorOptions,
  ) {
    const where = tried.length === 0 ? 'names no address' : `leads to ${tried.join(', ')}`
    super(
      answered
        ? 'A member of the grid answered, but the conversation broke off. Run the command again: it goes on from there.'
        : `None of the members that this word leads to answers: it ${where}. Ask a friend in the grid to switch on a ` +
            'node, or for its address, and give that with --at.',
      options,
    )
  }
}

function sentenceOf({ reason, usedBy }: JoinRefusal): string {
  const by = usedBy.length === 0 ? '' : ` by ${usedBy.join(', ')}`
  switch (reason) {
    case 'expired':
      return 'This invite has expired. Ask for a new one.'
    case 'used-up':
      return (
        `This invite was used already${by}. If that was not you, tell whoever gave it to you: somebody else may have ` +
        'got hold of it. Ask for a new one.'
      )
    case 'revoked':
      return 'This invite was taken back. Ask for a new one.'
    case 'malformed':
      return 'The grid does not know this invite. Copy it once more, whole, or ask for a new one.'
    case 'removed':
      return 'This account or device was removed from the grid. An admin of the grid can take you back: "hayloft grid readmit NAME".'
    case 'unknown':
      return 'The grid does not know this device. Ask for an invite.'
    case 'full':
      return 'The grid has as many members, devices and invites as it can have. Ask an admin to remove some.'
    case 'failed':
      return 'The member that answered could not keep what it was told: its disk may be full. Try again later.'
    case 'leaving':
      return 'The member that answered was removed from the grid itself. Try again when another one is reachable.'
  }
}
