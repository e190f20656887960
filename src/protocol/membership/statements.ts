import type { Branded } from '../../foundation/bytes.ts'
import type { NodeKey } from '../node-key.ts'
import type { AccountKey } from './account-key.ts'
import type { InviteGrant } from './grant.ts'

/**
 * What members keep and pass on about who belongs to the grid. Each statement is signed by whoever may make it, names the
 * grid in what is signed, and stands for itself; all of them together merge without anyone in charge: see
 * {@link ./evaluate.ts | how they are weighed}.
 */
export type Statement = SignedStatement<
  | MemberStatement
  | RevocationStatement
  | AdmissionStatement
  | DeviceStatement
  | AnnouncementStatement
>

/** A statement whose signatures were verified. */
export type SignedStatement<Said> = Said & {
  /** All of it, as it is stored and sent. */
  readonly bytes: Uint8Array
  /** Hash of the bytes: its name, and what decides where nothing else does. */
  readonly hash: StatementHash
}

/** 32 bytes as 64 hexadecimal digits. */
export type StatementHash = Branded<string, 'StatementHash'>

/** `admin`: knows the grid's key, and may invite and remove others. */
export type Role = 'admin' | 'member'

/**
 * Signed by the grid's key. Of several for an account, that of the latest term counts, in a term a removal, and then that of
 * the highest `seq`: an admin who has not heard of a removal does not undo it.
 */
export interface MemberStatement {
  readonly kind: 'member'
  readonly account: AccountKey
  readonly seq: number
  readonly name: string
  readonly role: Role
  /** What the account may store on each node; undefined where nothing was agreed. */
  readonly quotaBytes: number | undefined
  /** Unix time in seconds from which on it belongs no more; 0 for never. */
  readonly expiresS: number
  readonly status: 'in' | 'removed'
  /** With this and the secret of the founder's account, the grid's key can be had again. 32 bytes; the founder's alone. */
  readonly keyNonce: Uint8Array | undefined
  /** How often the account was let in again after it was removed; undefined for never. */
  readonly term: number | undefined
  /** The highest `seq` of the account that its maker knew, 0 for none; undefined where it is the one before its own. */
  readonly basis: number | undefined
}

/** Signed by the grid's key: whoever was not made a member by name yet cannot become one with this invite. */
export interface RevocationStatement {
  readonly kind: 'revocation'
  readonly inviteKey: InviteKeyHex
}

/** The public half of an invite's one-time key, as hexadecimal digits: its name. */
export type InviteKeyHex = Branded<string, 'InviteKeyHex'>

/** Signed by the device that let an account in: an invite was used. */
export interface AdmissionStatement {
  readonly kind: 'admission'
  readonly grant: InviteGrant
  readonly account: AccountKey
  /** What the one who came in wants to be called. */
  readonly name: string
  /** By the invite's one-time key, of account and name: so that nobody can use an invite for another. 64 bytes. */
  readonly redemption: Uint8Array
  /** Unix time in seconds, by the sponsor's clock. */
  readonly admittedS: number
  readonly sponsor: NodeKey
}

/** Signed by an account. Of several for a device of the account, that of the highest `seq` counts. */
export interface DeviceStatement {
  readonly kind: 'device'
  readonly account: AccountKey
  readonly device: NodeKey
  readonly seq: number
  readonly name: string
  /** `storage`: keeps shares for others. `client`: only asks. */
  readonly use: DeviceUse
  readonly status: 'in' | 'removed'
  /** The device's own signature of grid and account, so that nobody claims one that is not theirs; none if removed. */
  readonly consent: Uint8Array | undefined
}

export type DeviceUse = 'storage' | 'client'

/** Signed by a device. Of several, that of the highest `seq` counts. */
export interface AnnouncementStatement {
  readonly kind: 'announcement'
  readonly device: NodeKey
  /** One more than the last, or Unix time in milliseconds if that is more: see {@link nextSequence}. */
  readonly seq: number
  /** Multiaddrs at which it can be reached, the best first. */
  readonly addresses: readonly string[]
  /** The household that would lose its devices together. */
  readonly zone: string
  /** What it offers to the grid, in bytes; 0 for nothing more. */
  readonly capacityBytes: number
  /** Unix time in seconds, by the device's clock. */
  readonly timeS: number
}

/** Who makes a statement, and about which grid. */
export interface Signing {
  readonly gridId: Uint8Array
  /** 32-byte Ed25519 seed of the key that must sign. */
  readonly seed: Uint8Array
}

/** The number of a new statement, which counts before all that went before it, though a memory was lost. */
export function nextSequence(lastSeq: number | undefined, nowMs: number): number {
  return Math.max((lastSeq ?? 0) + 1, Math.floor(nowMs))
}
