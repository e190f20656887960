import type { AccountKey } from './account-key.ts'
import type { MemberStatement, SignedStatement } from './statements.ts'
import { compareVersions } from './versions.ts'

/** What the grid's key says of an account. */
export interface Named {
  readonly newest: SignedStatement<MemberStatement>
  readonly overruled: SignedStatement<MemberStatement> | undefined
}

/** Of those for each account the one that counts, and one that it overrules, in whatever order they came. */
export function namedAccounts(
  members: readonly SignedStatement<MemberStatement>[],
): Map<AccountKey, Named> {
  const byAccount = new Map<AccountKey, SignedStatement<MemberStatement>[]>()
  for (const statement of members) {
    byAccount.set(statement.account, [...(byAccount.get(statement.account) ?? []), statement])
  }
  return new Map([...byAccount].map(([account, said]) => [account, weigh(said)]))
}

function weigh(said: readonly SignedStatement<MemberStatement>[]): Named {
  const newest = said.reduce((best, each) => (compareMemberships(each, best) > 0 ? each : best))
  const overruled = said
    .filter((each) => isOverruled(each, newest))
    .reduce<Named['overruled']>(
      (best, each) => (best === undefined || compareMemberships(each, best) > 0 ? each : best),
      undefined,
    )
  return { newest, overruled }
}

/**
 * Above zero if `a` counts and not `b`. In a term a removal stands, whatever is said by someone who has not heard of it; of
 * removals the one that knew most, so that what it overrules does not depend on which others were seen on the way.
 */
function compareMemberships(
  a: SignedStatement<MemberStatement>,
  b: SignedStatement<MemberStatement>,
): number {
  const removals = Number(a.status === 'removed') - Number(b.status === 'removed')
  const knew = a.status === 'removed' ? basisOf(a) - basisOf(b) : 0
  return (a.term ?? 0) - (b.term ?? 0) || removals || knew || compareVersions(a, b)
}

/** Whether someone said this whom the maker of the one that counts had not heard. What changes nothing is for the reader to see. */
function isOverruled(
  statement: SignedStatement<MemberStatement>,
  newest: SignedStatement<MemberStatement>,
): boolean {
  return (
    statement.hash !== newest.hash &&
    statement.status === 'in' &&
    statement.term === newest.term &&
    statement.seq > basisOf(newest)
  )
}

function basisOf({ basis, seq }: MemberStatement): number {
  return basis ?? seq - 1
}
