import { taggedHash } from '../../crypto/hash.ts'
import { verify, type Verify } from '../../crypto/signatures.ts'
import { TAGS, type Tag } from '../../crypto/tags.ts'
import { concatBytes, toHex } from '../../foundation/bytes.ts'
import { arrayField, bytesField, integerField, type Fields } from '../cbor.ts'
import { nodeKey, nodeKeyBytes, type NodeKey } from '../node-key.ts'
import { accountKey, accountKeyBytes, type AccountKey } from './account-key.ts'
import {
  choiceField,
  decodeSigned,
  malformed,
  nameField,
  optionalWholeField,
  orMalformed,
  refuseOtherFields,
  SIGNATURE_BYTES,
  wholeField,
} from './fields.ts'
import { decodeGrant, inviteKeyHex, isRedemption, MAX_GRANT_BYTES, ROLES } from './grant.ts'
import { MAX_ADDRESS_BYTES, MAX_ADDRESSES, MAX_SEQUENCE, MAX_STATEMENT_BYTES } from './limits.ts'
import type {
  AdmissionStatement,
  AnnouncementStatement,
  DeviceStatement,
  DeviceUse,
  MemberStatement,
  RevocationStatement,
  Statement,
  StatementHash,
} from './statements.ts'

/** Field 0 of every statement. Never reused. */
export const KINDS = { member: 1, revocation: 2, admission: 3, device: 4, announcement: 5 } as const
const KIND = 0

export const STATUSES: readonly ('in' | 'removed')[] = ['in', 'removed']
export const USES: readonly DeviceUse[] = ['client', 'storage']
const KEY_NONCE_BYTES = 32

/**
 * Reads one statement strictly and verifies all of its signatures; whether it counts is for {@link ./evaluate.ts}.
 * @param check - to read what this very program has verified before, without doing so again
 * @throws MalformedStatementError
 */
export function decodeStatement(
  bytes: Uint8Array,
  gridId: Uint8Array,
  check: Verify = verify,
): Statement {
  const { fields, body, signature } = decodeSigned(bytes, { maxBytes: MAX_STATEMENT_BYTES })
  const kind = fields.get(KIND)
  const signed = concatBytes([gridId, body])
  const isSignedBy = (publicKey: Uint8Array, tag: Tag): void => {
    if (check(tag, { publicKey, message: signed, signature })) return
    throw malformed('A statement is not signed by whoever may make it, or is about another grid.')
  }
  const name = { bytes, hash: statementHash(bytes) }
  return orMalformed(() => {
    switch (kind) {
      case KINDS.member: {
        const said = memberIn(fields)
        isSignedBy(gridId, TAGS.gridMember)
        return { ...said, ...name }
      }
      case KINDS.revocation: {
        const said = revocationIn(fields)
        isSignedBy(gridId, TAGS.gridRevocation)
        return { ...said, ...name }
      }
      case KINDS.admission: {
        const said = admissionIn(fields, gridId, check)
        isSignedBy(nodeKeyBytes(said.sponsor), TAGS.gridAdmission)
        return { ...said, ...name }
      }
      case KINDS.device: {
        const said = deviceIn(fields, gridId, check)
        isSignedBy(accountKeyBytes(said.account), TAGS.gridDevice)
        return { ...said, ...name }
      }
      case KINDS.announcement: {
        const said = announcementIn(fields)
        isSignedBy(nodeKeyBytes(said.device), TAGS.gridAnnouncement)
        return { ...said, ...name }
      }
      default:
        throw malformed('A statement is of a kind that is not known.')
    }
  })
}

/** `TH("hayloft1/grid-statement", statement)`. */
export function statementHash(bytes: Uint8Array): StatementHash {
  return toHex(taggedHash(TAGS.gridStatement, bytes)) as StatementHash
}

/** What a device signs to say whose it is. */
export function consentMessage(
  gridId: Uint8Array,
  { account, device }: Pick<DeviceStatement, 'account' | 'device'>,
): Uint8Array {
  return concatBytes([gridId, accountKeyBytes(account), nodeKeyBytes(device)])
}

function memberIn(fields: Fields): MemberStatement {
  refuseOtherFields(fields, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  const seq = sequenceField(fields, 2)
  return {
    kind: 'member',
    account: accountField(fields, 1),
    seq,
    name: nameField(fields, 3),
    role: choiceField(fields, 4, ROLES),
    quotaBytes: optionalWholeField(fields, 5),
    expiresS: wholeField(fields, 6),
    status: choiceField(fields, 7, STATUSES),
    keyNonce: fields.has(8)
      ? bytesField(fields, 8, { min: KEY_NONCE_BYTES, max: KEY_NONCE_BYTES })
      : undefined,
    term: fields.has(9) ? sequenceField(fields, 9) : undefined,
    basis: fields.has(10) ? integerField(fields, 10, { max: seq - 1 }) : undefined,
  }
}

function revocationIn(fields: Fields): RevocationStatement {
  refuseOtherFields(fields, [0, 1])
  const inviteKey = inviteKeyHex(bytesField(fields, 1, { min: 32, max: 32 }))
  return { kind: 'revocation', inviteKey }
}

function admissionIn(fields: Fields, gridId: Uint8Array, check: Verify): AdmissionStatement {
  refuseOtherFields(fields, [0, 1, 2, 3, 4, 5, 6])
  const admission: AdmissionStatement = {
    kind: 'admission',
    grant: decodeGrant(bytesField(fields, 1, { max: MAX_GRANT_BYTES }), gridId, check),
    account: accountField(fields, 2),
    name: nameField(fields, 3),
    redemption: bytesField(fields, 4, { min: SIGNATURE_BYTES, max: SIGNATURE_BYTES }),
    admittedS: wholeField(fields, 5),
    sponsor: deviceField(fields, 6),
  }
  const { grant, account, name, redemption } = admission
  if (isRedemption(redemption, { gridId, account, name, inviteKey: grant.inviteKey }, check)) {
    return admission
  }
  throw malformed('An admission is not signed by the key of its invite.')
}

function deviceIn(fields: Fields, gridId: Uint8Array, check: Verify): DeviceStatement {
  refuseOtherFields(fields, [0, 1, 2, 3, 4, 5, 6, 7])
  const said: DeviceStatement = {
    kind: 'device',
    account: accountField(fields, 1),
    device: deviceField(fields, 2),
    seq: sequenceField(fields, 3),
    name: nameField(fields, 4),
    use: choiceField(fields, 5, USES),
    status: choiceField(fields, 6, STATUSES),
    consent: fields.has(7)
      ? bytesField(fields, 7, { min: SIGNATURE_BYTES, max: SIGNATURE_BYTES })
      : undefined,
  }
  const { consent, status } = said
  if ((consent === undefined) !== (status === 'removed')) {
    throw malformed('A device agrees to belong to an account, and to nothing else.')
  }
  if (consent === undefined) return said
  const publicKey = nodeKeyBytes(said.device)
  const message = consentMessage(gridId, said)
  if (check(TAGS.gridConsent, { publicKey, message, signature: consent })) return said
  throw malformed('A device did not agree to belong to the account that claims it.')
}

function announcementIn(fields: Fields): AnnouncementStatement {
  refuseOtherFields(fields, [0, 1, 2, 3, 4, 5, 6])
  return {
    kind: 'announcement',
    device: deviceField(fields, 1),
    seq: sequenceField(fields, 2),
    addresses: arrayField(fields, 3, { max: MAX_ADDRESSES }).map(checkAddress),
    zone: nameField(fields, 4),
    capacityBytes: wholeField(fields, 5),
    timeS: wholeField(fields, 6),
  }
}

function accountField(fields: Fields, key: number): AccountKey {
  return accountKey(bytesField(fields, key, { min: 32, max: 32 }))
}

function deviceField(fields: Fields, key: number): NodeKey {
  return nodeKey(toHex(bytesField(fields, key, { min: 32, max: 32 })))
}

function sequenceField(fields: Fields, key: number): number {
  return integerField(fields, key, { min: 1, max: MAX_SEQUENCE })
}

/** Whether anyone can be reached there is for the network to find out; here it must only be safe to show. */
function checkAddress(value: unknown): string {
  const isAddress = typeof value === 'string' && /^\/[!-~]+$/.test(value)
  if (isAddress && value.length <= MAX_ADDRESS_BYTES) return value
  throw malformed('An announcement has an address that is none.')
}
