import type { AccountKey } from '../protocol/membership/account-key.ts'
import type { Membership } from '../protocol/membership/membership.ts'
import type { Device, Member } from '../protocol/membership/state.ts'
import type { MemberStatement } from '../protocol/membership/statements.ts'

/** A member as programs are told, by commands and by the API of the daemon. Null for what is not there. */
export interface MemberJson extends SaidJson {
  account: string
  /** Whether it is who asks. */
  you: boolean
  /** How they came in, if by an invite. */
  admitted: { at: string | null; by: string | null; invite: string } | null
  devices: DeviceJson[]
  /** What another admin said at the same time and does not count. */
  overruled: SaidJson | null
}

interface SaidJson {
  status: string
  name: string
  role: string
  quotaBytes: number | null
  /** ISO 8601; null for never. */
  expires: string | null
}

export interface DeviceJson {
  key: string
  name: string
  use: string
  zone: string | null
  capacityBytes: number | null
  addresses: string[]
  announced: string | null
}

export function describeMember(
  member: Member,
  { membership, account }: { readonly membership: Membership; readonly account: AccountKey },
): MemberJson {
  const { admission, devices, status } = member
  const overruled = contradictionIn(member)
  return {
    account: member.account,
    you: member.account === account,
    ...describeSaid(member),
    status,
    admitted:
      admission === undefined
        ? null
        : {
            at: isoTime(admission.admittedS),
            by: membership.memberOf(admission.sponsor)?.name ?? null,
            invite: admission.grant.inviteKey,
          },
    devices: devices.map(describeDevice),
    overruled:
      overruled === undefined ? null : { ...describeSaid(overruled), status: overruled.status },
  }
}

export function describeDevice({ key, name, use, announcement }: Device): DeviceJson {
  return {
    key,
    name,
    use,
    zone: announcement?.zone ?? null,
    capacityBytes: announcement?.capacityBytes ?? null,
    addresses: [...(announcement?.addresses ?? [])],
    announced: announcement === undefined ? null : isoTime(announcement.timeS),
  }
}

/** What another admin said of someone at the same time, where it means something else than what counts. */
export function contradictionIn(member: Member): MemberStatement | undefined {
  const { overruled } = member
  if (overruled === undefined || member.status === 'removed') return overruled
  const { name, role, quotaBytes, expiresS } = overruled
  const isSame =
    name === member.name &&
    role === member.role &&
    quotaBytes === member.quotaBytes &&
    expiresS === member.expiresS
  return isSame ? undefined : overruled
}

/** Times are others' numbers: one that no calendar has is not shown. */
export function isoTime(timeS: number): string | null {
  const time = new Date(1000 * timeS)
  return Number.isNaN(time.getTime()) ? null : time.toISOString()
}

type Said = Pick<MemberStatement, 'name' | 'role' | 'quotaBytes' | 'expiresS'>

function describeSaid({ name, role, quotaBytes, expiresS }: Said): Omit<SaidJson, 'status'> {
  const expires = expiresS === 0 ? null : isoTime(expiresS)
  return { name, role, quotaBytes: quotaBytes ?? null, expires }
}
