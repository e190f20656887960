import { ACCOUNT_BYTES } from './account-name.ts'
import { arrayField, bytesField, checkBytes, integerField } from './cbor.ts'
import { MalformedMessageError, type Fields } from './cbor.ts'
import { indexField, MAX_MANIFEST_BYTES, sizeField } from './codec-parts.ts'
import { MAX_ACCOUNTS, MAX_BODY_BYTES, MAX_HANDED_LEASES, MAX_LEASE_S } from './limits.ts'
import type {
  AccountUsage,
  HandedLease,
  ReplyOf,
  RequestOf,
  StatReply,
  TransferOutcome,
} from './messages.ts'
import { positionsField, type MessageParts } from './slot-codec.ts'
import { MAX_SLOT_RECORD_BYTES } from './slot-record.ts'

/** The operations by which a node that goes gives away what it keeps. */
export type TransferOp = 'transfer' | 'slot-transfer'

const OUTCOMES: readonly TransferOutcome[] = [
  'stored',
  'have',
  'quota',
  'full',
  'bad',
  'later',
  'expired',
]

export function transferRequestParts(request: RequestOf<TransferOp>): MessageParts {
  const leases = request.leases.map(({ account, leaseS }) => [account, leaseS])
  switch (request.op) {
    case 'transfer':
      return [[leases, request.manifest, request.index], [request.shard]]
    case 'slot-transfer':
      return [[leases], [request.record]]
  }
}

/** @throws MalformedMessageError */
export function decodeTransferRequest(
  op: TransferOp,
  fields: Fields,
  body: Uint8Array,
): RequestOf<TransferOp> {
  const leases = arrayField(fields, 1, { max: MAX_HANDED_LEASES }).map(decodeHandedLease)
  switch (op) {
    case 'transfer':
      return {
        op,
        leases,
        manifest: bytesField(fields, 2, { min: 1, max: MAX_MANIFEST_BYTES }),
        index: indexField(fields, 3),
        shard: checkBytes(body, 'The shard', { min: 1, max: MAX_BODY_BYTES }),
      }
    case 'slot-transfer':
      return {
        op,
        leases,
        record: checkBytes(body, 'The record', { min: 1, max: MAX_SLOT_RECORD_BYTES }),
      }
  }
}

export function transferReplyParts({ outcome, refused }: ReplyOf<TransferOp>): MessageParts {
  return [[OUTCOMES.indexOf(outcome), refused.length === 0 ? undefined : refused], []]
}

/** @throws MalformedMessageError */
export function decodeTransferReply(op: TransferOp, fields: Fields): ReplyOf<TransferOp> {
  const outcome = OUTCOMES[integerField(fields, 1, { max: OUTCOMES.length - 1 })]
  if (outcome === undefined) throw new MalformedMessageError('The outcome is not known.')
  return { op, outcome, refused: fields.has(2) ? positionsField(fields, 2, MAX_HANDED_LEASES) : [] }
}

function decodeHandedLease(value: unknown): HandedLease {
  const [account, leaseS] = partsOf(value, 2)
  return {
    account: accountField(account),
    leaseS: integerField(new Map([[1, leaseS]]), 1, { max: MAX_LEASE_S }),
  }
}

export function statReplyParts(reply: StatReply): MessageParts {
  const { usedBytes, shares, freeBytes, capacityBytes, account, accounts } = reply
  const listed = accounts?.map(({ account: key, usedBytes: used, handedBytes, quotaBytes }) => [
    key,
    used,
    handedBytes,
    quotaBytes ?? null,
  ])
  const { usedBytes: ownBytes, quotaBytes } = account
  return [[usedBytes, shares, freeBytes, capacityBytes, ownBytes, quotaBytes, listed], []]
}

/** @throws MalformedMessageError */
export function decodeStat(fields: Fields): StatReply {
  return {
    op: 'stat',
    usedBytes: sizeField(fields, 1),
    shares: sizeField(fields, 2),
    freeBytes: sizeField(fields, 3),
    capacityBytes: sizeField(fields, 4),
    account: { usedBytes: sizeField(fields, 5), quotaBytes: sizeField(fields, 6) },
    ...(fields.has(7) && {
      accounts: arrayField(fields, 7, { max: MAX_ACCOUNTS }).map(decodeAccountUsage),
    }),
  }
}

function decodeAccountUsage(value: unknown): AccountUsage {
  const [account, used, handed, quota] = partsOf(value, 4)
  const sizes: Fields = new Map([
    [1, used],
    [2, handed],
    [3, quota],
  ])
  return {
    account: accountField(account),
    usedBytes: sizeField(sizes, 1),
    handedBytes: sizeField(sizes, 2),
    ...(quota !== null && { quotaBytes: sizeField(sizes, 3) }),
  }
}

function accountField(value: unknown): Uint8Array {
  return checkBytes(value, 'An account', { min: ACCOUNT_BYTES, max: ACCOUNT_BYTES })
}

function partsOf(value: unknown, count: number): unknown[] {
  if (Array.isArray(value) && value.length === count) return value as unknown[]
  throw new MalformedMessageError(`An item does not have ${count} parts.`)
}
