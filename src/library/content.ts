import { utf8 } from '../foundation/bytes.ts'

/**
 * What is in memory already, as a source to store: a text (in UTF-8), bytes, or parts of either. Anything else that gives
 * out bytes, such as a stream of `node:fs`, is a source by itself.
 */
// eslint-disable-next-line typescript/require-await -- sources are asynchronous, and this one happens not to wait
export async function* chunksOf(
  content: string | Uint8Array | Iterable<string | Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const isWhole = typeof content === 'string' || content instanceof Uint8Array
  for (const part of isWhole ? [content] : content) {
    yield typeof part === 'string' ? utf8(part) : part
  }
}
