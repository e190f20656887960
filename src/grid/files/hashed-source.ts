import { SHA256_BYTES, type StreamedHash } from '../../crypto/backend.ts'
import { sha256, startSha256 } from '../../crypto/hash.ts'
import { allocateBytes, equalBytes } from '../../foundation/bytes.ts'
import { assert } from '../../foundation/error.ts'
import { BLOCK_CAPACITY_BYTES } from '../../protocol/limits.ts'
import {
  CONTENT_HEADER_BYTES,
  encodeFrame,
  frameFor,
  HEADER_BYTES,
  KIND_DATA,
  type EncodedFrame,
} from '../blocks/frame.ts'
import { SourceChangedError } from '../errors.ts'

/**
 * A content whose bytes have gone by once already, with what its blocks hashed to. Of blocks that the grid has nothing is
 * read again.
 */
export interface HashedSource extends AsyncIterable<Uint8Array> {
  readonly sizeBytes: number
  /** SHA-256 of the frame of each data block, one after another. */
  readonly frameHashes: Uint8Array
  /** Undefined where the content has changed. */
  read(range: { readonly offset: number; readonly length: number }): Promise<Uint8Array | undefined>
}

export function isHashed(source: AsyncIterable<Uint8Array> | HashedSource): source is HashedSource {
  return 'frameHashes' in source
}

/** @throws what iterating throws: SourceChangedError */
export function hashedSource({
  sizeBytes,
  frameHashes,
  read,
}: Omit<HashedSource, typeof Symbol.asyncIterator>): HashedSource {
  assert(frameHashes.length === countBlocks(sizeBytes) * SHA256_BYTES, 'each block has a hash')
  const source: HashedSource = {
    sizeBytes,
    frameHashes,
    read,
    async *[Symbol.asyncIterator]() {
      for (const block of hashedBlocks(source)) yield (await block.read()).content
    },
  }
  return source
}

/** One block of a hashed source. */
export interface HashedBlock {
  readonly sizeBytes: number
  readonly frameHash: Uint8Array
  /** @throws SourceChangedError if it is not what was hashed */
  read(): Promise<{ readonly frame: EncodedFrame; readonly content: Uint8Array }>
}

export function* hashedBlocks(source: HashedSource): Generator<HashedBlock> {
  for (let at = 0; at < countBlocks(source.sizeBytes); at++) {
    const offset = at * BLOCK_CAPACITY_BYTES
    const length = Math.min(BLOCK_CAPACITY_BYTES, source.sizeBytes - offset)
    const frameHash = source.frameHashes.subarray(at * SHA256_BYTES, (at + 1) * SHA256_BYTES)
    const read: HashedBlock['read'] = async () => {
      const content = await source.read({ offset, length })
      if (content?.length !== length) throw new SourceChangedError()
      const frame = encodeFrame({ kind: KIND_DATA, level: 0, links: [], content })
      if (!equalBytes(sha256(frame.whole), frameHash)) throw new SourceChangedError()
      return { frame, content }
    }
    yield { sizeBytes: length, frameHash, read }
  }
}

/** Works out what the frames of a content's blocks hash to, while its bytes go by. */
export class FrameHasher {
  readonly #sizeBytes: number
  readonly #hashes: Uint8Array
  #doneBytes = 0
  #block:
    { readonly hash: StreamedHash; readonly padding: Uint8Array; leftBytes: number } | undefined

  /** @param sizeBytes - of the whole content, more than none */
  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes
    this.#hashes = allocateBytes(countBlocks(sizeBytes) * SHA256_BYTES)
  }

  update(bytes: Uint8Array): void {
    let rest = bytes
    while (rest.length > 0) {
      const block = (this.#block ??= this.#begin())
      if (block === undefined) break
      const taken = rest.subarray(0, block.leftBytes)
      block.hash.update(taken)
      block.leftBytes -= taken.length
      rest = rest.subarray(taken.length)
      this.#doneBytes += taken.length
      if (block.leftBytes > 0) continue
      block.hash.update(block.padding)
      const at = Math.ceil(this.#doneBytes / BLOCK_CAPACITY_BYTES) - 1
      this.#hashes.set(block.hash.digest(), at * SHA256_BYTES)
      this.#block = undefined
    }
    // More than there should be: no hash is right then.
    if (rest.length > 0) this.#doneBytes = Infinity
  }

  /** @returns undefined if there were not as many bytes as there should be */
  finish(): Uint8Array | undefined {
    return this.#doneBytes === this.#sizeBytes ? this.#hashes : undefined
  }

  #begin(): { hash: StreamedHash; padding: Uint8Array; leftBytes: number } | undefined {
    const leftBytes = Math.min(BLOCK_CAPACITY_BYTES, this.#sizeBytes - this.#doneBytes)
    if (!(leftBytes > 0)) return undefined
    const { whole } = frameFor({ kind: KIND_DATA, level: 0, links: [] }, leftBytes)
    const hash = startSha256()
    hash.update(whole.subarray(0, HEADER_BYTES + CONTENT_HEADER_BYTES))
    const padding = whole.slice(HEADER_BYTES + CONTENT_HEADER_BYTES + leftBytes)
    return { hash, padding, leftBytes }
  }
}

function countBlocks(sizeBytes: number): number {
  return Math.ceil(sizeBytes / BLOCK_CAPACITY_BYTES)
}
