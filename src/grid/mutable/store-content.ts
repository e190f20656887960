import type { ErasureCode } from '../../erasure/code.ts'
import { concatBytes } from '../../foundation/bytes.ts'
import { assert } from '../../foundation/error.ts'
import { KIND_DATA } from '../blocks/frame.ts'
import type { BlockStore } from '../blocks/store.ts'
import type { GridContext, OperationOptions } from '../context.ts'
import type { BlockReference } from '../files/index-node.ts'
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
  const reading = source[Symbol.asyncIterator]()
  const first: Uint8Array[] = []
  let firstBytes = 0
  while (firstBytes <= SMALL_BYTES) {
    options.signal?.throwIfAborted()
    const next = await reading.next()
    if (next.done === true) {
      const content = concatBytes(first)
      const root = await store.put({ kind: KIND_DATA, level: 0, links: [], content })
      return { root, sizeBytes: content.length, sentBytes: 0 }
    }
    first.push(next.value)
    firstBytes += next.value.length
  }
  const { signal, onProgress } = options
  const whole = resumed(first, reading)
  const { capability, sizeBytes, sentBytes } = await uploadFile(context, whole, {
    code,
    signal,
    onProgress,
  })
  assert(capability.kind === 'file-read', 'what is not small is no literal')
  return { root: { key: capability.key, id: capability.id }, sizeBytes, sentBytes }
}

async function* resumed(
  first: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* first
    for (;;) {
      const next = await rest.next()
      if (next.done === true) return
      yield next.value
    }
  } finally {
    await rest.return?.()
  }
}

/** Content up to this size takes part in one round trip with the blocks of its history. */
const SMALL_BYTES = 64 * 1024
