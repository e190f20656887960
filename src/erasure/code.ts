import { HayloftError } from '../foundation/error.ts'

/**
 * Code 1: any `required` (k) of `total` (n) shards rebuild the rest. Shards 0…k−1 are the data itself, k…n−1 parity.
 * Made by {@link erasureCode} only, so whoever holds one need not check its bounds.
 */
export interface ErasureCode {
  readonly required: number
  readonly total: number
}

/** The encoder of @ronomon/reed-solomon, on which another implementation may run this code, takes no more. */
const MAX_SHARDS_REQUIRED = 24

/** Shard indices and counts are one byte in a manifest, and GF(2^8) has no more than 256 columns and rows. */
const MAX_SHARDS_TOTAL = 255

/** Every shard is a whole number of words this long, so that it divides into 4 or 8 packets. */
export const SHARD_ALIGNMENT_BYTES = 8

/** There is no code with such a k and n. */
export class InvalidErasureCodeError extends HayloftError {
  readonly code = 'erasure-code-invalid'
  readonly required: number
  readonly total: number

  constructor(required: number, total: number) {
    super(
      `There is no erasure code ${required}-of-${total}: choose whole numbers with 1 ≤ required ≤ ` +
        `${MAX_SHARDS_REQUIRED} and required ≤ total ≤ ${MAX_SHARDS_TOTAL}.`,
    )
    this.required = required
    this.total = total
  }
}

/**
 * @param required k, from 1 to 24
 * @param total n, from k to 255
 * @throws {@link InvalidErasureCodeError} outside these bounds
 */
export function erasureCode(required: number, total: number): ErasureCode {
  const isValid =
    Number.isInteger(required) &&
    Number.isInteger(total) &&
    required >= 1 &&
    required <= MAX_SHARDS_REQUIRED &&
    total >= required &&
    total <= MAX_SHARDS_TOTAL
  if (!isValid) throw new InvalidErasureCodeError(required, total)
  return Object.freeze({ required, total })
}

/**
 * The size in bytes of each shard of `length` bytes of content, S = 8·⌈length / 8k⌉; the content is extended with
 * zeros to k·S.
 */
export function shardSize(code: ErasureCode, length: number): number {
  return SHARD_ALIGNMENT_BYTES * Math.ceil(length / (SHARD_ALIGNMENT_BYTES * code.required))
}
