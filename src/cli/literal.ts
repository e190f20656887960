import type { LiteralCapability } from '../capabilities/capability.ts'
import { InvalidRangeError } from '../grid/errors.ts'

/** A literal's content, or a part of it, cut where the file ends; no grid is needed. @throws InvalidRangeError */
export function readLiteral(
  { bytes }: LiteralCapability,
  range?: { readonly offset: number; readonly length: number },
): Uint8Array {
  if (range === undefined) return bytes
  if (range.offset > bytes.length) {
    throw new InvalidRangeError(
      `The range begins at byte ${range.offset}, but the file has ${bytes.length} bytes.`,
    )
  }
  return bytes.subarray(range.offset, range.offset + range.length)
}
