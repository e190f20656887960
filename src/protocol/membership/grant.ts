import { sign, verify, type Verify } from '../../crypto/signatures.ts'
import { TAGS } from '../../crypto/tags.ts'
import { concatBytes, fromHex, toHex, utf8 } from '../../foundation/bytes.ts'
import { assert } from '../../foundation/error.ts'
import { bytesField, encodeFields, integerField, type Fields } from '../cbor.ts'
import { accountKeyBytes, type AccountKey } from './account-key.ts'
import {
  choiceField,
  decodeSigned,
  malformed,
  optionalNameField,
  optionalWholeField,
  orMalformed,
  wholeField,
} from './fields.ts'
import { MAX_INVITE_USES } from './limits.ts'
import type { InviteKeyHex, Role, Signing } from './statements.ts'

/** What an invite allows whoever holds its one-time key, signed by the grid's key. Verifies offline. */
export interface InviteGrant {
  /** As it is stored and sent: deterministic CBOR ‖ signature. */
  readonly bytes: Uint8Array
  readonly inviteKey: InviteKeyHex
  /** What the inviter calls the one who comes in. */
  readonly name: string | undefined
  readonly role: Role
  readonly quotaBytes: number | undefined
  /** Unix time in seconds from which on it lets nobody in; 0 for never. */
  readonly expiresS: number
  /** How many accounts it lets in. */
  readonly uses: number
}

/** A grant is part of an admission and of an invite's text, so it must be small. */
export const MAX_GRANT_BYTES = 512

/** @param signing - with the grid's key */
export function signGrant(
  grant: Omit<InviteGrant, 'bytes'>,
  { gridId, seed }: Signing,
): InviteGrant {
  const fields: Fields = new Map<number, unknown>([
    [KEY, bytesOf(grant.inviteKey)],
    [ROLE, ROLES.indexOf(grant.role)],
    [EXPIRES, grant.expiresS],
    [USES, grant.uses],
  ])
  if (grant.name !== undefined) fields.set(NAME, grant.name)
  if (grant.quotaBytes !== undefined) fields.set(QUOTA, grant.quotaBytes)
  const body = encodeFields(fields)
  const signature = sign(seed, TAGS.gridInvite, concatBytes([gridId, body]))
  return decodeGrant(concatBytes([body, signature]), gridId)
}

/** @throws MalformedStatementError unless it is a grant that the key of this grid has signed */
export function decodeGrant(
  bytes: Uint8Array,
  gridId: Uint8Array,
  check: Verify = verify,
): InviteGrant {
  const { fields, body, signature } = decodeSigned(bytes, {
    known: [KEY, NAME, ROLE, QUOTA, EXPIRES, USES],
    maxBytes: MAX_GRANT_BYTES,
  })
  const grant = orMalformed(() => ({
    bytes,
    inviteKey: inviteKeyHex(bytesField(fields, KEY, { min: 32, max: 32 })),
    name: optionalNameField(fields, NAME),
    role: choiceField(fields, ROLE, ROLES),
    quotaBytes: optionalWholeField(fields, QUOTA),
    expiresS: wholeField(fields, EXPIRES),
    uses: integerField(fields, USES, { min: 1, max: MAX_INVITE_USES }),
  }))
  const message = concatBytes([gridId, body])
  if (!check(TAGS.gridInvite, { publicKey: gridId, message, signature })) {
    throw malformed('An invite is not signed by the key of this grid.')
  }
  return grant
}

/** By the invite's one-time key: that it is used for this account, under this name. 64 bytes. */
export function signRedemption(inviteSeed: Uint8Array, redeemed: Redeemed): Uint8Array {
  return sign(inviteSeed, TAGS.gridRedemption, redemptionMessage(redeemed))
}

export function isRedemption(
  signature: Uint8Array,
  redeemed: Redeemed & { readonly inviteKey: InviteKeyHex },
  check: Verify = verify,
): boolean {
  const publicKey = bytesOf(redeemed.inviteKey)
  return check(TAGS.gridRedemption, {
    publicKey,
    message: redemptionMessage(redeemed),
    signature,
  })
}

/** Who uses an invite. */
export interface Redeemed {
  readonly gridId: Uint8Array
  readonly account: AccountKey
  readonly name: string
}

export function inviteKeyHex(bytes: Uint8Array): InviteKeyHex {
  assert(bytes.length === 32, 'the key of an invite has 32 bytes')
  return toHex(bytes) as InviteKeyHex
}

export const ROLES: readonly Role[] = ['member', 'admin']

const KEY = 0
const NAME = 1
const ROLE = 2
const QUOTA = 3
const EXPIRES = 4
const USES = 5

/** Grid and account have fixed lengths, so the name needs none. */
function redemptionMessage({ gridId, account, name }: Redeemed): Uint8Array {
  return concatBytes([gridId, accountKeyBytes(account), utf8(name)])
}

export function bytesOf(hex: InviteKeyHex): Uint8Array {
  const bytes = fromHex(hex)
  assert(bytes !== undefined, 'the key of an invite is hexadecimal')
  return bytes
}
