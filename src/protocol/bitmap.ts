/** Which shares of a block are held: bit i (from the least significant bit of byte ⌊i/8⌋) is share i. */
export type ShareBitmap = Uint8Array

export function toShareBitmap(indices: Iterable<number>): ShareBitmap {
  const bytes: number[] = []
  for (const index of indices) {
    const at = index >> 3
    while (bytes.length <= at) bytes.push(0)
    bytes[at] = (bytes[at] ?? 0) | (1 << (index & 7))
  }
  return Uint8Array.from(bytes)
}

export function hasShare(bitmap: ShareBitmap, index: number): boolean {
  return (((bitmap[index >> 3] ?? 0) >> (index & 7)) & 1) === 1
}

/** The indices in a bitmap, ascending. */
export function shareIndices(bitmap: ShareBitmap): number[] {
  const indices: number[] = []
  for (let index = 0; index < bitmap.length * 8; index++)
    if (hasShare(bitmap, index)) indices.push(index)
  return indices
}
