import { BLOCK_CAPACITY_BYTES } from '../../protocol/limits.ts'
import {
  CONTENT_HEADER_BYTES,
  dataFrameMemory,
  frameFor,
  HEADER_BYTES,
  KIND_DATA,
} from '../blocks/frame.ts'
import type { EncodedFrame } from '../blocks/frame.ts'

/**
 * Cuts a source into the frames of data blocks: 1 MiB each, the last one shorter. The frame is written where it will
 * be sealed from, and its memory is used again for the next one, so a frame is good only until the next is asked for.
 */
export async function* dataFrames(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ frame: EncodedFrame; sizeBytes: number; isLast: boolean }> {
  const memory = dataFrameMemory()
  const content = memory.subarray(
    HEADER_BYTES + CONTENT_HEADER_BYTES,
    HEADER_BYTES + CONTENT_HEADER_BYTES + BLOCK_CAPACITY_BYTES,
  )
  const frameOf = (sizeBytes: number): EncodedFrame =>
    frameFor({ kind: KIND_DATA, level: 0, links: [] }, sizeBytes, memory)
  let filled = 0
  for await (const chunk of source) {
    let rest = chunk
    while (rest.length > 0) {
      // A full block goes out only when more is at hand, so that the last one is known for what it is.
      if (filled === BLOCK_CAPACITY_BYTES) {
        yield { frame: frameOf(filled), sizeBytes: filled, isLast: false }
        filled = 0
      }
      const taken = rest.subarray(0, BLOCK_CAPACITY_BYTES - filled)
      content.set(taken, filled)
      filled += taken.length
      rest = rest.subarray(taken.length)
    }
  }
  yield { frame: frameOf(filled), sizeBytes: filled, isLast: true }
}
