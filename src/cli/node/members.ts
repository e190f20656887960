import { deferred } from '../../foundation/concurrency.ts'
import { messageOf } from '../../foundation/error.ts'
import { NotAMemberError } from '../../home/errors.ts'
import type { HomeFiles } from '../../home/layout.ts'
import type { OwnGrid } from '../../home/own-grid.ts'
import { wasRemoved, watchMembership } from '../../library/live-membership.ts'
import type { Membership } from '../../protocol/membership/membership.ts'
import type { Statement } from '../../protocol/membership/statements.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { NodeLog } from '../node-log.ts'

/** What a running node does about its grid's members, beside what its network does by itself. */
export interface FollowedMembers extends Disposable {
  /** Rejects once this node belongs to the grid no more. */
  readonly removed: Promise<never>
}

/** Logs who comes and goes, and learns what commands of the same home write. */
export function followMembers(
  files: HomeFiles,
  { file, membership }: OwnGrid,
  { self, log }: { readonly self: NodeKey; readonly log: NodeLog },
): FollowedMembers {
  const removed = deferred<never>()
  // Whoever waits for it may not have begun to.
  removed.promise.catch(() => undefined)
  const stopListening = membership.onChange(({ added }) => {
    for (const statement of added) {
      const told = describeStatement(statement, membership)
      if (told !== undefined) log.write(told.event, told.text)
    }
    if (wasRemoved(membership, self)) removed.reject(new NotAMemberError(file.name))
  })
  const stopWatching = watchMembership(files, membership, (error) => {
    log.write('membership-unusable', messageOf(error))
  })
  return {
    removed: removed.promise,
    [Symbol.dispose]() {
      stopListening()
      stopWatching()
    },
  }
}

/** Names are others' choice, and were checked to fit one line. What a device announces of itself is no news to people. */
function describeStatement(
  statement: Statement,
  membership: Membership,
): { event: string; text: string } | undefined {
  switch (statement.kind) {
    case 'announcement':
      return undefined
    case 'revocation':
      return { event: 'invite-revoked', text: '' }
    case 'member':
      return {
        event: statement.status === 'in' ? 'member' : 'member-removed',
        text: statement.name,
      }
    case 'admission': {
      const counts = membership.member(statement.account) !== undefined
      const by = membership.memberOf(statement.sponsor)?.name ?? statement.sponsor.slice(0, 12)
      return counts
        ? { event: 'member-joined', text: `${statement.name}, let in by ${by}` }
        : { event: 'invite-used-again', text: `${statement.name}, who asked ${by}` }
    }
    case 'device': {
      const owner = membership.member(statement.account)?.name ?? statement.account.slice(0, 12)
      return {
        event: statement.status === 'in' ? 'device' : 'device-removed',
        text: `${statement.name} of ${owner}`,
      }
    }
  }
}
