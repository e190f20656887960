import { AEAD_TAG_BYTES, open, seal } from '../../crypto/aead.ts'
import { readKeyOf, verifyKeyOf } from '../../crypto/block-keys.ts'
import { prf, sha256 } from '../../crypto/hash.ts'
import { TAGS } from '../../crypto/tags.ts'
import { BrokenFileError } from '../errors.ts'
import {
  decodeContent,
  decodeHeader,
  decodeLinks,
  HEADER_BYTES,
  LINK_BYTES,
  SEALED_OVERHEAD_BYTES,
  type BlockFrame,
  type EncodedFrame,
  type Link,
} from './frame.ts'

/** The three compartments of a sealed block: `C = AEAD(Kv, 0, hdr) ‖ AEAD(Kv, 1, V) ‖ AEAD(Kr, 0, R)`. */
const COUNTER_HEADER = 0
const COUNTER_LINKS = 1
const COUNTER_CONTENT = 0
const SEALED_HEADER_BYTES = HEADER_BYTES + AEAD_TAG_BYTES

/**
 * K for content known to the writers of one tree only: `PRF(conv, "hayloft1/block-key", SHA-256(frame))`. The same
 * bytes under the same convergence secret get the same key, hence the same ciphertext and id, and are stored once.
 */
export function convergentKey(convergence: Uint8Array, frame: EncodedFrame): Uint8Array {
  return keyOfFrameHash(convergence, sha256(frame.whole))
}

/** The same, where the hash is known already. Only a frame that has this hash may be sealed with it. */
export function keyOfFrameHash(convergence: Uint8Array, frameHash: Uint8Array): Uint8Array {
  return prf(convergence, TAGS.blockKey, frameHash)
}

/** Length of the ciphertext of a frame. */
export function sealedBytes(frame: EncodedFrame): number {
  return SEALED_OVERHEAD_BYTES + frame.links.length + frame.content.length
}

/** Seals a frame into the first {@link sealedBytes} bytes of `into`. A key seals one frame only. */
export function sealFrame(key: Uint8Array, frame: EncodedFrame, into: Uint8Array): void {
  const verifyKey = verifyKeyOf(key)
  const linksEnd = SEALED_HEADER_BYTES + frame.links.length + AEAD_TAG_BYTES
  seal(verifyKey, COUNTER_HEADER, frame.header, into.subarray(0, SEALED_HEADER_BYTES))
  seal(verifyKey, COUNTER_LINKS, frame.links, into.subarray(SEALED_HEADER_BYTES, linksEnd))
  seal(readKeyOf(key), COUNTER_CONTENT, frame.content, into.subarray(linksEnd, sealedBytes(frame)))
}

/** Opens all of a block. @throws BrokenFileError */
export function openBlock(key: Uint8Array, ciphertext: Uint8Array): BlockFrame {
  const { links, content } = openHead(verifyKeyOf(key), ciphertext)
  const section = open(readKeyOf(key), COUNTER_CONTENT, content)
  if (section === undefined)
    throw new BrokenFileError('the content of a block does not fit its key')
  return { ...decodeContent(section, links.length * LINK_BYTES), links }
}

/** Opens only what the right to verify opens: the links. @throws BrokenFileError */
export function openLinks(verifyKey: Uint8Array, ciphertext: Uint8Array): readonly Link[] {
  return openHead(verifyKey, ciphertext).links
}

/** Bytes from the beginning of a ciphertext that tell whether it has links. */
export const PROBE_BYTES = SEALED_HEADER_BYTES

/**
 * Opens the links as far as the beginning of a ciphertext goes. Without links, {@link PROBE_BYTES} are enough.
 * @returns undefined if the links go on after `beginning`
 * @throws BrokenFileError
 */
export function openLinksAtStart(
  verifyKey: Uint8Array,
  { beginning, ciphertextBytes }: { beginning: Uint8Array; ciphertextBytes: number },
): readonly Link[] | undefined {
  const linkBytes = openHeader(verifyKey, beginning, ciphertextBytes)
  if (linkBytes === 0) return []
  if (beginning.length < SEALED_HEADER_BYTES + linkBytes + AEAD_TAG_BYTES) return undefined
  return openLinkSection(verifyKey, beginning, linkBytes)
}

function openHead(
  verifyKey: Uint8Array,
  ciphertext: Uint8Array,
): { links: Link[]; content: Uint8Array } {
  const linkBytes = openHeader(verifyKey, ciphertext, ciphertext.length)
  const links = openLinkSection(verifyKey, ciphertext, linkBytes)
  const linksEnd = SEALED_HEADER_BYTES + linkBytes + AEAD_TAG_BYTES
  return { links, content: ciphertext.subarray(linksEnd) }
}

/** @returns |V| */
function openHeader(
  verifyKey: Uint8Array,
  ciphertext: Uint8Array,
  ciphertextBytes: number,
): number {
  const header = open(verifyKey, COUNTER_HEADER, ciphertext.subarray(0, SEALED_HEADER_BYTES))
  if (header === undefined) throw new BrokenFileError('the header of a block does not fit its key')
  return decodeHeader(header, ciphertextBytes).linkBytes
}

function openLinkSection(verifyKey: Uint8Array, ciphertext: Uint8Array, linkBytes: number): Link[] {
  const linksEnd = SEALED_HEADER_BYTES + linkBytes + AEAD_TAG_BYTES
  const links = open(verifyKey, COUNTER_LINKS, ciphertext.subarray(SEALED_HEADER_BYTES, linksEnd))
  if (links === undefined) throw new BrokenFileError('the links of a block do not fit its key')
  return decodeLinks(links)
}
