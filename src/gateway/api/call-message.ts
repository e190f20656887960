import { concatBytes, viewOf } from '../../foundation/bytes.ts'
import type { WireMessage } from '../../protocol/codec.ts'
import { MAX_BODY_BYTES, MAX_HEADER_BYTES } from '../../protocol/limits.ts'
import { ApiError } from './errors.ts'

/** Messages of the storage protocol in HTTP bodies: the length of the header in 4 bytes, the header, the rest. */
export const CALL_TYPE = 'application/x-hayloft-message'
const LENGTH_BYTES = 4
export const MAX_CALL_BYTES = LENGTH_BYTES + MAX_HEADER_BYTES + MAX_BODY_BYTES

export function packMessage({ header, body }: WireMessage): Uint8Array {
  const length = new Uint8Array(LENGTH_BYTES)
  viewOf(length).setUint32(0, header.length)
  return concatBytes([length, header, ...body])
}

/** @throws ApiError */
export function unpackMessage(bytes: Uint8Array): { header: Uint8Array; body: Uint8Array } {
  const length = bytes.length < LENGTH_BYTES ? Infinity : viewOf(bytes).getUint32(0)
  const end = LENGTH_BYTES + length
  if (length > MAX_HEADER_BYTES || end > bytes.length) throw new ApiError('request-invalid')
  return { header: bytes.subarray(LENGTH_BYTES, end), body: bytes.subarray(end) }
}
