import type { MemberSaid } from './sign.ts'
import type { Member } from './state.ts'
import { nextSequence } from './statements.ts'

/** What an admin may change of a member. */
export type MemberChange = Partial<
  Pick<MemberSaid, 'name' | 'role' | 'quotaBytes' | 'expiresS' | 'status'>
>

/**
 * What the grid's key is to say next of someone: all that held of them, with a change. It counts before all that is known
 * of them here; whoever was removed comes back by `status: 'in'` alone.
 */
export function nextOf(member: Member, change: MemberChange, nowMs: number): MemberSaid {
  const { account, name, role, quotaBytes, expiresS, statement, overruled } = member
  const basis = Math.max(statement?.seq ?? 0, overruled?.seq ?? 0)
  const wasRemoved = statement?.status === 'removed'
  const comesBack = wasRemoved && change.status === 'in'
  return {
    account,
    name,
    role,
    quotaBytes,
    expiresS,
    status: wasRemoved ? 'removed' : 'in',
    ...change,
    seq: nextSequence(basis, nowMs),
    basis,
    term: comesBack ? (statement.term ?? 0) + 1 : statement?.term,
    keyNonce: statement?.keyNonce,
  }
}
