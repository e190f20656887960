import type { NodeKey } from '../node-key.ts'
import type { AccountKey } from './account-key.ts'
import type {
  AdmissionStatement,
  AnnouncementStatement,
  DeviceStatement,
  MemberStatement,
  Role,
  SignedStatement,
} from './statements.ts'

/** A person, as the grid knows them. */
export interface Member {
  readonly account: AccountKey
  readonly name: string
  readonly role: Role
  readonly quotaBytes: number | undefined
  readonly expiresS: number
  /** `expired`: as `removed`, because their time is over. Only those `in` may do anything. */
  readonly status: 'in' | 'removed' | 'expired'
  /** With which invite they came; undefined where the grid's key named them first. */
  readonly admission: SignedStatement<AdmissionStatement> | undefined
  /** What the grid's key said of them last. */
  readonly statement: SignedStatement<MemberStatement> | undefined
  /** What an admin said who did not know of that one, nor its maker of this: it does not count. */
  readonly overruled: SignedStatement<MemberStatement> | undefined
  /** Those that belong to it now, by name, then key. */
  readonly devices: readonly Device[]
}

export interface Device {
  readonly key: NodeKey
  readonly name: string
  readonly use: DeviceStatement['use']
  readonly statement: SignedStatement<DeviceStatement>
  /** What it said of itself last. */
  readonly announcement: SignedStatement<AnnouncementStatement> | undefined
}

/** Why an invite does not let someone in. */
export type InviteRefusal = 'expired' | 'used-up' | 'revoked'

export interface RefusedAdmission {
  readonly admission: SignedStatement<AdmissionStatement>
  readonly reason: InviteRefusal
}
