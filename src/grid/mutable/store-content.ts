import type { ErasureCode } from '../../erasure/code.ts'
import { assert } from '../../foundation/error.ts'
import { KIND_DATA } from '../blocks/frame.ts'
import type { BlockStore } from '../blocks/store.ts'
import type { GridContext, OperationOptions } from '../context.ts'
import { readAhead } from '../files/read-ahead.ts'
import { MAX_INLINE_BYTES } from '../slots/contents.ts'
import { uploadFile } from '../upload.ts'
import type { FileContent } from './version.ts'

export interface StoredContent {
  readonly content: FileContent
  readonly sizeBytes: number
  /** What was sent so far; what the store still sends comes to it. */
  readonly sentBytes: number
}

/**
 * Stores the content of a file. What a record has room for needs no block. What is small goes out with whatever else the store sends, at the next flush; what is
 * large is uploaded, and of that nothing is sent that the grid has.
 */
export async function storeContent(
  context: GridContext,
  source: AsyncIterable<Uint8Array>,
  {
    store,
    code,
    options,
  }: { store: BlockStore; code: ErasureCode | undefined; options: OperationOptions },
): Promise<StoredContent> {
  const { signal, onProgress } = options
  const ahead = await readAhead(source, signal)
  if (ahead.kind === 'small') {
    const { content } = ahead
    if (content.length <= MAX_INLINE_BYTES) {
      const inline = { kind: 'inline' as const, bytes: content }
      return { content: inline, sizeBytes: content.length, sentBytes: 0 }
    }
    const root = await store.put({ kind: KIND_DATA, level: 0, links: [], content })
    return { content: { kind: 'blocks', root }, sizeBytes: content.length, sentBytes: 0 }
  }
  const { capability, sizeBytes, sentBytes } = await uploadFile(context, ahead.source, {
    code,
    signal,
    onProgress,
  })
  assert(capability.kind === 'file-read', 'what is not small is no literal')
  const root = { key: capability.key, id: capability.id }
  return { content: { kind: 'blocks', root }, sizeBytes, sentBytes }
}
