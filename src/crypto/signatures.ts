import { concatBytes } from '../foundation/bytes.ts'
import { assert } from '../foundation/error.ts'
import { backend } from './backends.ts'
import { tagPrefix } from './hash.ts'
import type { Tag } from './tags.ts'

/** The Ed25519 public key (32 bytes) of a secret seed (32 bytes). */
export function publicKeyOf(seed: Uint8Array): Uint8Array {
  assert(seed.length === SEED_BYTES, 'an Ed25519 seed has 32 bytes')
  return backend.publicKeyOf(seed)
}

/** Signs `u8 length(tag) ‖ tag ‖ message`, so that no signature serves a purpose that it was not made for. 64 bytes. */
export function sign(seed: Uint8Array, tag: Tag, message: Uint8Array): Uint8Array {
  assert(seed.length === SEED_BYTES, 'an Ed25519 seed has 32 bytes')
  return backend.signerOf(seed).sign(concatBytes([tagPrefix(tag), message]))
}

/** {@link sign} for many messages: OpenSSL takes ten times as long to set up a key as to sign with it. */
export function signerOf(seed: Uint8Array, tag: Tag): Signer {
  assert(seed.length === SEED_BYTES, 'an Ed25519 seed has 32 bytes')
  const signer = backend.signerOf(seed)
  return {
    publicKey: signer.publicKey(),
    sign: (message) => signer.sign(concatBytes([tagPrefix(tag), message])),
  }
}

export interface Signer {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** 64 bytes. */
  readonly sign: (message: Uint8Array) => Uint8Array
}

/** Whether `signature` is what {@link sign} made; false for any malformed input. */
export function verify(
  tag: Tag,
  signed: { publicKey: Uint8Array; message: Uint8Array; signature: Uint8Array },
): boolean {
  const { publicKey, signature } = signed
  if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false
  const message = concatBytes([tagPrefix(tag), signed.message])
  return backend.verify({ publicKey, message, signature })
}

export type Verify = typeof verify

const SEED_BYTES = 32
const PUBLIC_KEY_BYTES = 32
const SIGNATURE_BYTES = 64
