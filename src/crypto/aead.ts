import { assert } from '../foundation/error.ts'
import { viewOf } from '../foundation/bytes.ts'
import { AEAD_TAG_BYTES } from './backend.ts'
import type { AeadParameters } from './backend.ts'
import { backend } from './backends.ts'

/**
 * `AEAD(key, counter, plaintext)` of the block format: ChaCha20-Poly1305 (RFC 8439) with the counter as a 96-bit
 * big-endian nonce and no associated data. Writes ciphertext ‖ 16-byte tag into `into`, which must be exactly
 * {@link AEAD_TAG_BYTES} longer than `plaintext`.
 *
 * DANGER. A pair of key and counter must only ever seal one plaintext: a second one gives both away. Block keys are
 * hashes of what they seal, or random and used once, which is why a counter suffices.
 */
export function seal(
  key: Uint8Array,
  counter: number,
  plaintext: Uint8Array,
  into: Uint8Array,
): void {
  assert(into.length === plaintext.length + AEAD_TAG_BYTES, 'sealed bytes are 16 longer')
  backend.sealChaCha20Poly1305(counterBox(key, counter), plaintext, into)
}

/** The inverse of {@link seal}. @returns undefined if the tag does not match: wrong key, wrong counter or changed. */
export function open(key: Uint8Array, counter: number, sealed: Uint8Array): Uint8Array | undefined {
  return backend.openChaCha20Poly1305(counterBox(key, counter), sealed)
}

/**
 * XChaCha20-Poly1305: for small boxes whose key seals many plaintexts. The 24-byte nonce is the caller's and must be
 * random or a PRF of all that is sealed. @returns ciphertext ‖ tag, 16 bytes longer than `plaintext`.
 */
export function sealBox(box: AeadParameters, plaintext: Uint8Array): Uint8Array {
  assertBox(box)
  return backend.sealXChaCha20Poly1305(box, plaintext)
}

/** The inverse of {@link sealBox}. @returns undefined if the tag does not match. */
export function openBox(box: AeadParameters, sealed: Uint8Array): Uint8Array | undefined {
  assertBox(box)
  return backend.openXChaCha20Poly1305(box, sealed)
}

export { AEAD_TAG_BYTES }
const AEAD_KEY_BYTES = 32
/** Length of the nonce of {@link sealBox}. */
const BOX_NONCE_BYTES = 24

const COUNTER_NONCE_BYTES = 12
const NO_ASSOCIATED_DATA = new Uint8Array(0)

function counterBox(key: Uint8Array, counter: number): AeadParameters {
  assert(key.length === AEAD_KEY_BYTES, 'an AEAD key has 32 bytes')
  assert(Number.isInteger(counter) && counter >= 0 && counter < 2 ** 32, 'a counter is a u32')
  const nonce = new Uint8Array(COUNTER_NONCE_BYTES)
  viewOf(nonce).setUint32(COUNTER_NONCE_BYTES - 4, counter)
  return { key, nonce, associatedData: NO_ASSOCIATED_DATA }
}

function assertBox({ key, nonce }: AeadParameters): void {
  assert(key.length === AEAD_KEY_BYTES, 'an AEAD key has 32 bytes')
  assert(nonce.length === BOX_NONCE_BYTES, 'the nonce of a box has 24 bytes')
}
