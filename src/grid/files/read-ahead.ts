import { concatBytes } from '../../foundation/bytes.ts'

/** Content up to this size takes part in one round trip with other blocks instead of an upload of its own. */
const SMALL_BYTES = 64 * 1024

/** A source of which the beginning was read: all of it, if it is small. */
export type ReadAhead =
  | { readonly kind: 'small'; readonly content: Uint8Array }
  | { readonly kind: 'large'; readonly source: AsyncIterable<Uint8Array> }

/** Reads so much of a source that it shows whether it is small. @throws what `source` throws */
export async function readAhead(
  source: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<ReadAhead> {
  const reading = source[Symbol.asyncIterator]()
  const first: Uint8Array[] = []
  let firstBytes = 0
  while (firstBytes <= SMALL_BYTES) {
    if (signal?.aborted === true) {
      await reading.return?.()
      signal.throwIfAborted()
    }
    const next = await reading.next()
    if (next.done === true) return { kind: 'small', content: concatBytes(first) }
    first.push(next.value)
    firstBytes += next.value.length
  }
  return { kind: 'large', source: resumed(first, reading) }
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
