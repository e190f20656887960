import type { ErasureCode } from '../../erasure/code.ts'
import { assert } from '../../foundation/error.ts'
import { KIND_DATA } from '../blocks/frame.ts'
import type { BlockStore } from '../blocks/store.ts'
import type { GridContext, OperationOptions } from '../context.ts'
import type { BlockReference } from '../files/index-node.ts'
import { readAhead } from '../files/read-ahead.ts'
import { uploadFile } from '../upload.ts'

export interface StoredContent {
  readonly root: BlockReference
  readonly sizeBytes: number
  /** What was sent so far; what the store still sends comes to it. */
  readonly sentBytes: number
}

/**
 * Stores the content of a file. What is small goes out with whatever else the store sends, at the next flush; what is
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
    const root = await store.put({ kind: KIND_DATA, level: 0, links: [], content })
    return { root, sizeBytes: content.length, sentBytes: 0 }
  }
  const { capability, sizeBytes, sentBytes } = await uploadFile(context, ahead.source, {
    code,
    signal,
    onProgress,
  })
  assert(capability.kind === 'file-read', 'what is not small is no literal')
  return { root: { key: capability.key, id: capability.id }, sizeBytes, sentBytes }
}
