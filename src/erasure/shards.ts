import { allocateBytes } from '../foundation/bytes.ts'

/** `count` arrays of `size` bytes with unspecified contents, consecutive in one allocation that starts 8-byte aligned. */
export function allocateShards(count: number, size: number): Uint8Array[] {
  const bytes = allocateBytes(count * size)
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  )
}
