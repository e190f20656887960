import { publicKeyOf, sign } from '../../crypto/signatures.ts'
import { TAGS, type Tag } from '../../crypto/tags.ts'
import { concatBytes, toHex } from '../../foundation/bytes.ts'
import { assert } from '../../foundation/error.ts'
import { encodeFields } from '../cbor.ts'
import { nodeKey, nodeKeyBytes } from '../node-key.ts'
import { accountKeyBytes, type AccountKey } from './account-key.ts'
import { consentMessage, decodeStatement, KINDS, STATUSES, USES } from './decode.ts'
import { bytesOf, ROLES } from './grant.ts'
import { MAX_ADDRESSES, MAX_STATEMENT_BYTES } from './limits.ts'
import type {
  AdmissionStatement,
  AnnouncementStatement,
  DeviceStatement,
  InviteKeyHex,
  MemberStatement,
  SignedStatement,
  Signing,
  Statement,
} from './statements.ts'

/** What {@link signMember} is told; without `basis`, its maker knew all statements for the account that are older. */
export type MemberSaid = Omit<MemberStatement, 'kind' | 'term' | 'basis'> &
  Partial<Pick<MemberStatement, 'term' | 'basis'>>

/** @param signing - with the grid's key */
export function signMember(said: MemberSaid, signing: Signing): SignedStatement<MemberStatement> {
  const { account, seq, name, role, quotaBytes, expiresS, status, keyNonce, term, basis } = said
  const fields = [
    accountKeyBytes(account),
    seq,
    name,
    ROLES.indexOf(role),
    quotaBytes,
    expiresS,
    STATUSES.indexOf(status),
    keyNonce,
    term,
    basis,
  ]
  return signed('member', fields, { tag: TAGS.gridMember, ...signing })
}

/** @param signing - with the grid's key */
export function signRevocation(inviteKey: InviteKeyHex, signing: Signing): Statement {
  return signed('revocation', [bytesOf(inviteKey)], { tag: TAGS.gridRevocation, ...signing })
}

/** @param signing - with the sponsor's identity: the device that lets someone in */
export function signAdmission(
  said: Omit<AdmissionStatement, 'kind' | 'sponsor'>,
  signing: Signing,
): SignedStatement<AdmissionStatement> {
  const { grant, account, name, redemption, admittedS } = said
  const sponsor = publicKeyOf(signing.seed)
  const fields = [grant.bytes, accountKeyBytes(account), name, redemption, admittedS, sponsor]
  return signed('admission', fields, { tag: TAGS.gridAdmission, ...signing })
}

/** A device says to which account it belongs. 64 bytes, for {@link signDevice}. */
export function signConsent(account: AccountKey, { gridId, seed }: Signing): Uint8Array {
  const device = nodeKey(toHex(publicKeyOf(seed)))
  return sign(seed, TAGS.gridConsent, consentMessage(gridId, { account, device }))
}

/** @param signing - with the account's signing key */
export function signDevice(
  said: Omit<DeviceStatement, 'kind'>,
  signing: Signing,
): SignedStatement<DeviceStatement> {
  const { account, device, seq, name, use, status, consent } = said
  const fields = [
    accountKeyBytes(account),
    nodeKeyBytes(device),
    seq,
    name,
    USES.indexOf(use),
    STATUSES.indexOf(status),
    consent,
  ]
  return signed('device', fields, { tag: TAGS.gridDevice, ...signing })
}

/**
 * Of the addresses, as many are told as a statement has room for: the first ones.
 * @param signing - with the identity of the device itself
 */
export function signAnnouncement(
  said: Omit<AnnouncementStatement, 'kind' | 'device'>,
  signing: Signing,
): SignedStatement<AnnouncementStatement> {
  const device = publicKeyOf(signing.seed)
  const { seq, zone, capacityBytes, timeS } = said
  for (let count = Math.min(said.addresses.length, MAX_ADDRESSES); ; count--) {
    const addresses = said.addresses.slice(0, count)
    const fields = [device, seq, addresses, zone, capacityBytes, timeS]
    const bytes = signedBytes('announcement', fields, { tag: TAGS.gridAnnouncement, ...signing })
    if (bytes.length <= MAX_STATEMENT_BYTES || count === 0) {
      return ofKind('announcement', bytes, signing.gridId)
    }
  }
}

type With<Kind extends Statement['kind']> = Extract<Statement, { kind: Kind }>

function signed<Kind extends Statement['kind']>(
  kind: Kind,
  values: readonly unknown[],
  signing: Signing & { readonly tag: Tag },
): With<Kind> {
  return ofKind(kind, signedBytes(kind, values, signing), signing.gridId)
}

/** Fields 1, 2, … in order; an undefined one is left out. */
function signedBytes(
  kind: Statement['kind'],
  values: readonly unknown[],
  { tag, gridId, seed }: Signing & { readonly tag: Tag },
): Uint8Array {
  const fields = new Map<number, unknown>([[0, KINDS[kind]]])
  values.forEach((value, at) => {
    if (value !== undefined) fields.set(at + 1, value)
  })
  const body = encodeFields(fields)
  return concatBytes([body, sign(seed, tag, concatBytes([gridId, body]))])
}

/** What we signed must be what others read: a name that is none, say, is found here and not by them. */
function ofKind<Kind extends Statement['kind']>(
  kind: Kind,
  bytes: Uint8Array,
  gridId: Uint8Array,
): With<Kind> {
  const statement = decodeStatement(bytes, gridId)
  assert(statement.kind === kind, 'a statement says what it was made to say')
  return statement as With<Kind>
}
