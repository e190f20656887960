import type { FileReadCapability, LiteralCapability } from '../src/capabilities/capability.ts'
import { concatBytes } from '../src/foundation/bytes.ts'
import type { GetOptions } from '../src/grid/download.ts'
import type { Grid } from '../src/grid/grid.ts'

/** `bytes` as a source for uploads, in pieces that fit no block. */
// eslint-disable-next-line typescript/require-await -- uploads take async sources
export async function* sourceOf(
  bytes: Uint8Array,
  pieceBytes = 100_003,
): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    yield bytes.subarray(start, start + pieceBytes)
  }
}

/** A whole download, or a range of it, in memory. */
export async function readAll(
  grid: Pick<Grid, 'get'>,
  capability: FileReadCapability | LiteralCapability,
  options?: GetOptions,
): Promise<Uint8Array> {
  const { chunks } = await grid.get(capability, options)
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return concatBytes(parts)
}
