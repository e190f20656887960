import { publicKeyOf } from '../crypto/signatures.ts'
import { equalBytes, type Branded } from '../foundation/bytes.ts'
import { assert } from '../foundation/error.ts'
import type { Randomness } from '../foundation/randomness.ts'
import {
  arrayField,
  bytesField,
  decodeFields,
  encodeFields,
  type Fields,
} from '../protocol/cbor.ts'
import { MalformedMessageError } from '../protocol/cbor.ts'
import { MalformedStatementError } from '../protocol/membership/fields.ts'
import {
  decodeGrant,
  inviteKeyHex,
  MAX_GRANT_BYTES,
  type InviteGrant,
} from '../protocol/membership/grant.ts'
import { MAX_ADDRESS_BYTES } from '../protocol/membership/limits.ts'
import { flawOfMemberName } from '../protocol/membership/names.ts'
import type { InviteKeyHex } from '../protocol/membership/statements.ts'
import { accountSecret, type AccountSecret } from './account.ts'
import { formatText, parseText } from './checked-text.ts'
import { gridIdOf } from './grid-keys.ts'
import { DEVICE_KIND, INVITE_KIND, MAX_JOIN_ADDRESSES } from './kinds.ts'
import { MalformedCapabilityError } from './malformed.ts'
import { slotWriteKey, type SlotWriteKey } from './slot-keys.ts'

/** Which grid a word leads to, and where to knock. */
export interface GridDoor {
  /** 32 bytes. */
  readonly gridId: Uint8Array
  /** What its members call the grid. */
  readonly gridName: string
  /** Multiaddrs of members, each ending in its peer id; at most four. */
  readonly addresses: readonly string[]
}

/** `hayinvite1…`: whoever has it can come in, as often as the grant says. */
export interface Invite extends GridDoor {
  readonly kind: 'invite'
  readonly secret: InviteSecret
  readonly grant: InviteGrant
  /** For an admin-to-be: the key of the grid. */
  readonly gridKey: SlotWriteKey | undefined
}

/** `haydevice1…`: whoever has it has all of an account. DANGER: as strong as the recovery key. */
export interface DeviceWord extends GridDoor {
  readonly kind: 'device'
  readonly account: AccountSecret
}

/** The seed of an invite's one-time key, 32 bytes. */
export type InviteSecret = Branded<Uint8Array, 'InviteSecret'>

export function newInviteSecret(randomness: Randomness): InviteSecret {
  return randomness.bytes(SECRET_BYTES) as InviteSecret
}

/** The public half of an invite's key, which its grant names. */
export function inviteKeyOf(secret: InviteSecret): InviteKeyHex {
  return inviteKeyHex(publicKeyOf(secret))
}

export function formatInvite({ secret, grant, gridKey, ...door }: Omit<Invite, 'kind'>): string {
  assert(inviteKeyOf(secret) === grant.inviteKey, 'an invite holds the key that its grant names')
  const fields = fieldsOf(door)
  fields.set(SECRET, secret)
  fields.set(GRANT, grant.bytes)
  if (gridKey !== undefined) fields.set(GRID_KEY, gridKey)
  return formatText(INVITE_KIND, encodeFields(fields))
}

export function formatDeviceWord({ account, ...door }: Omit<DeviceWord, 'kind'>): string {
  const fields = fieldsOf(door)
  fields.set(SECRET, account)
  return formatText(DEVICE_KIND, encodeFields(fields))
}

/**
 * What lets a device into a grid: an invite, or a word that another device of the same account gave. Mail programs break
 * long words into lines, so white space does not count.
 *
 * @throws MalformedCapabilityError that says what is wrong and where, without repeating the text
 */
export function parseJoinWord(text: string): Invite | DeviceWord {
  const { kind, body } = parseText(text.replaceAll(/\s+/gu, ''), {
    noun: 'invite',
    kinds: [INVITE_KIND, DEVICE_KIND],
  })
  try {
    const fields = decodeFields(body)
    return kind === INVITE_KIND ? inviteIn(fields) : deviceWordIn(fields)
  } catch (error) {
    if (error instanceof MalformedMessageError || error instanceof MalformedStatementError) {
      // The cause is not kept: it might hold a part of the word.
      throw notOurs(kind.prefix)
    }
    throw error
  }
}

const SECRET_BYTES = 32

const GRID_ID = 0
const GRID_NAME = 1
const ADDRESSES = 2
const SECRET = 3
const GRANT = 4
const GRID_KEY = 5

function fieldsOf({ gridId, gridName, addresses }: GridDoor): Fields {
  assert(addresses.length <= MAX_JOIN_ADDRESSES, 'a word names few addresses')
  return new Map<number, unknown>([
    [GRID_ID, gridId],
    [GRID_NAME, gridName],
    [ADDRESSES, addresses],
  ])
}

function inviteIn(fields: Fields): Invite {
  refuseOthers(fields, [GRID_ID, GRID_NAME, ADDRESSES, SECRET, GRANT, GRID_KEY])
  const door = doorIn(fields)
  const secret = bytesField(fields, SECRET, EXACTLY_32) as InviteSecret
  const grant = decodeGrant(bytesField(fields, GRANT, { max: MAX_GRANT_BYTES }), door.gridId)
  if (inviteKeyOf(secret) !== grant.inviteKey) throw new MalformedMessageError('Another key.')
  if (!fields.has(GRID_KEY)) return { kind: 'invite', ...door, secret, grant, gridKey: undefined }
  const gridKey = slotWriteKey(bytesField(fields, GRID_KEY, EXACTLY_32))
  if (!equalBytes(gridIdOf(gridKey), door.gridId)) throw new MalformedMessageError('Another grid.')
  return { kind: 'invite', ...door, secret, grant, gridKey }
}

function deviceWordIn(fields: Fields): DeviceWord {
  refuseOthers(fields, [GRID_ID, GRID_NAME, ADDRESSES, SECRET])
  const account = accountSecret(bytesField(fields, SECRET, EXACTLY_32))
  return { kind: 'device', ...doorIn(fields), account }
}

function doorIn(fields: Fields): GridDoor {
  const gridName = fields.get(GRID_NAME)
  if (typeof gridName !== 'string' || flawOfMemberName(gridName) !== undefined) {
    throw new MalformedMessageError('The grid has no name.')
  }
  return {
    gridId: bytesField(fields, GRID_ID, EXACTLY_32),
    gridName,
    addresses: arrayField(fields, ADDRESSES, { max: MAX_JOIN_ADDRESSES }).map((address) => {
      const isAddress = typeof address === 'string' && /^\/[!-~]+$/.test(address)
      if (isAddress && address.length <= MAX_ADDRESS_BYTES) return address
      throw new MalformedMessageError('An address is none.')
    }),
  }
}

const EXACTLY_32 = { min: 32, max: 32 }

function refuseOthers(fields: Fields, known: readonly number[]): void {
  const isKnown = [...fields.keys()].every((field) => known.includes(field))
  if (!isKnown) throw new MalformedMessageError('A field is not known.')
}

/** The checksum fits, so nobody mistyped it: a faulty or hostile program wrote it. */
function notOurs(prefix: string): MalformedCapabilityError {
  return new MalformedCapabilityError(
    'contents',
    `This ${prefix} was not written by Hayloft, or was changed since: what is in it does not fit together. Ask for a new one.`,
  )
}
