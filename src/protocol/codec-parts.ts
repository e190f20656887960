import { concatBytes } from '../foundation/bytes.ts'
import { blockId, BLOCK_ID_BYTES, type BlockId } from './block-id.ts'
import {
  bytesField,
  encodeFields,
  integerField,
  MalformedMessageError,
  type Fields,
} from './cbor.ts'
import { MAX_IDS, MAX_SHARES } from './limits.ts'
import { MANIFEST_HEADER_BYTES } from './manifest.ts'
import type { Refusal, RefusalReason } from './network.ts'

/** The pieces that several messages share: lists of ids, numbers, and refusals. */
export const MAX_MANIFEST_BYTES = MANIFEST_HEADER_BYTES + 32 * MAX_SHARES
/** A contiguous range of leaves needs at most two hashes a level, and no shard has more than 2^7 leaves. */
export const MAX_PROOF_BYTES = 2 * 7 * 32

const REASONS: readonly RefusalReason[] = ['malformed', 'busy', 'internal', 'unserved']
/** Characters, so that a refusal cannot be used to fill a log. */
const MAX_REASON_TEXT = 200

/** Ids travel as one byte string: 1,900 of them fit the 64 KiB that a header may have. */
export function joinIds(ids: readonly Uint8Array[]): Uint8Array {
  return concatBytes(ids)
}

/** @throws MalformedMessageError */
export function splitIds(fields: Fields, key: number): BlockId[] {
  const bytes = bytesField(fields, key, { max: MAX_IDS * BLOCK_ID_BYTES })
  if (bytes.length % BLOCK_ID_BYTES !== 0) throw new MalformedMessageError('The ids are cut short.')
  return Array.from({ length: bytes.length / BLOCK_ID_BYTES }, (_, at) =>
    blockId(bytes.subarray(at * BLOCK_ID_BYTES, (at + 1) * BLOCK_ID_BYTES)),
  )
}

/** @throws MalformedMessageError */
export function requireNoBody(body: Uint8Array): void {
  if (body.length > 0) throw new MalformedMessageError('A body came with a message that has none.')
}

/** The index of a share. @throws MalformedMessageError */
export function indexField(fields: Fields, key: number): number {
  return integerField(fields, key, { max: MAX_SHARES - 1 })
}

/** A number of bytes or things. @throws MalformedMessageError */
export function sizeField(fields: Fields, key: number): number {
  return integerField(fields, key, { max: Number.MAX_SAFE_INTEGER })
}

export function encodeRefusal({ reason, message }: Refusal, op: number): Uint8Array {
  return encodeFields(
    new Map<number, unknown>([
      [0, op],
      [1, REASONS.indexOf(reason)],
      [2, message.slice(0, MAX_REASON_TEXT)],
    ]),
  )
}

/** @throws MalformedMessageError */
export function decodeRefusal(fields: Fields): Refusal {
  const reason = REASONS[Number(fields.get(1))]
  const text = fields.get(2)
  if (reason === undefined || typeof text !== 'string') {
    throw new MalformedMessageError('The refusal gives no reason.')
  }
  // The text is a stranger's: control characters could rewrite the terminal that shows it.
  const message = text.slice(0, MAX_REASON_TEXT).replaceAll(/\p{Cc}/gu, ' ')
  return { op: 'refused', reason, message }
}
