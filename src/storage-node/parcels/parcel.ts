import { sha256 } from '../../crypto/hash.ts'
import {
  allocateBytes,
  concatBytes,
  equalBytes,
  toHex,
  utf8,
  viewOf,
} from '../../foundation/bytes.ts'
import { HayloftError } from '../../foundation/error.ts'
import type { BlockId } from '../../protocol/block-id.ts'
import { MAX_HEADER_BYTES, MAX_BODY_BYTES } from '../../protocol/limits.ts'
import type { SlotTransferRequest, TransferRequest } from '../../protocol/messages.ts'
import { decodeRequest, encodeRequest } from '../../protocol/codec.ts'
import { MalformedMessageError } from '../../protocol/cbor.ts'
import type { SlotKey } from '../../protocol/slot-key.ts'

/**
 * A share, or one record of a slot, as a file that is carried from one node to another by hand: the very message by which a
 * node hands it over to another one, with the leases that were on it when it was written.
 *
 *     'hayparcel1' ‖ u32 header length ‖ u32 body length ‖ header ‖ body ‖ SHA-256 of all before
 */
export type Parcel = TransferRequest | SlotTransferRequest

const MAGIC = utf8('hayparcel1')
const LENGTHS_BYTES = 8
const CHECK_BYTES = 32
export const MAX_PARCEL_BYTES =
  MAGIC.length + LENGTHS_BYTES + MAX_HEADER_BYTES + MAX_BODY_BYTES + CHECK_BYTES

/** A file that is no parcel, or not the one that was written. */
export class MalformedParcelError extends HayloftError {
  readonly code = 'parcel-malformed'
}

export function encodeParcel(parcel: Parcel): Uint8Array {
  const { header, body } = encodeRequest(parcel)
  const lengths = allocateBytes(LENGTHS_BYTES)
  viewOf(lengths).setUint32(0, header.length)
  viewOf(lengths).setUint32(
    4,
    body.reduce((sum, { length }) => sum + length, 0),
  )
  const whole = concatBytes([MAGIC, lengths, header, ...body])
  return concatBytes([whole, sha256(whole)])
}

/** @throws MalformedParcelError */
export function decodeParcel(bytes: Uint8Array): Parcel {
  const start = MAGIC.length + LENGTHS_BYTES
  if (bytes.length < start + CHECK_BYTES || !equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) {
    throw new MalformedParcelError('It is no share that a Hayloft node has exported.')
  }
  const end = bytes.length - CHECK_BYTES
  if (!equalBytes(sha256(bytes.subarray(0, end)), bytes.subarray(end))) {
    throw new MalformedParcelError('It is cut short, or its bytes have changed.')
  }
  const headerBytes = viewOf(bytes).getUint32(MAGIC.length)
  const bodyBytes = viewOf(bytes).getUint32(MAGIC.length + 4)
  if (start + headerBytes + bodyBytes !== end || headerBytes > MAX_HEADER_BYTES) {
    throw new MalformedParcelError('It says another length than it has.')
  }
  return asParcel(bytes.subarray(start, start + headerBytes), bytes.slice(start + headerBytes, end))
}

function asParcel(header: Uint8Array, body: Uint8Array): Parcel {
  try {
    const request = decodeRequest(header, body)
    if (request.op === 'transfer' || request.op === 'slot-transfer') return request
  } catch (cause) {
    if (!(cause instanceof MalformedMessageError)) throw cause
    throw new MalformedParcelError('It is of another version of Hayloft.', { cause })
  }
  throw new MalformedParcelError('It is another message than those that hand something over.')
}

/** In a folder by its first byte, so that no folder holds more than a file system likes. */
export function shareParcelName(id: BlockId, index: number): string {
  const hex = toHex(id)
  return `${hex.slice(0, 2)}/${hex}-${index}.share`
}

export function recordParcelName(slot: SlotKey, digest: Uint8Array): string {
  const hex = toHex(slot)
  return `${hex.slice(0, 2)}/${hex}-${toHex(digest).slice(0, 16)}.record`
}

/** What either of these names looks like. */
export const PARCEL_NAME = /^[0-9a-f]{64}-[0-9a-f]{1,16}\.(?:share|record)$/
