import { readOpenInvites } from '../../home/invites-file.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { isoTime } from '../../library/member-json.ts'
import type { InviteGrant } from '../../protocol/membership/grant.ts'
import type { Membership } from '../../protocol/membership/membership.ts'
import { formatTime } from '../folders/times.ts'
import { count, printableName } from '../terminal.ts'
import { SHOWN_DIGITS } from '../../library/node-names.ts'
import type { KnownInvite } from './who.ts'

/** An invite that was made here and may let somebody in. */
export interface OpenInvite extends KnownInvite {
  readonly grant: InviteGrant
  /** How many more people it lets in. */
  readonly usesLeft: number
}

/** @throws HomeError */
export async function openInvites(files: HomeFiles, membership: Membership): Promise<OpenInvite[]> {
  const grants = await readOpenInvites(files, membership)
  return grants.map((grant) => {
    const { inviteKey, name = FOR_ANYONE, uses } = grant
    return { grant, inviteKey, name, usesLeft: uses - letInBy(grant, membership) }
  })
}

/** Invites by which members came in. */
export function usedInvites({ members }: Membership): KnownInvite[] {
  return members.flatMap(({ name, admission }) =>
    admission === undefined ? [] : [{ inviteKey: admission.grant.inviteKey, name }],
  )
}

/** `Ben: an invite for 1 person, until 2026-12-04 21:00; 1a2b3c4d5e6f`. */
export function inviteLine({ grant, name, usesLeft, inviteKey }: OpenInvite): string {
  const { expiresS, role } = grant
  const until = expiresS === 0 ? 'for ever' : `until ${formatTime(1000 * expiresS)}`
  const admin = role === 'admin' ? ', as an admin' : ''
  const people = count(usesLeft, 'person', 'people')
  return `${printableName(name)}: lets in ${people}${admin}, ${until}; ${inviteKey.slice(0, SHOWN_DIGITS)}`
}

export function describeInvite({ grant, usesLeft }: OpenInvite): object {
  const { inviteKey, name, role, quotaBytes, uses, expiresS } = grant
  return {
    inviteKey,
    name: name ?? null,
    role,
    quotaBytes: quotaBytes ?? null,
    uses,
    usesLeft,
    expires: expiresS === 0 ? null : isoTime(expiresS),
  }
}

const FOR_ANYONE = 'anyone'

function letInBy({ inviteKey }: InviteGrant, { members }: Membership): number {
  return members.filter(({ admission }) => admission?.grant.inviteKey === inviteKey).length
}
