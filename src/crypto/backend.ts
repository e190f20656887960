/**
 * The primitives, one implementation of which does all the work. Inputs are never changed or kept; outputs are new
 * memory and plain `Uint8Array`s, never Node's `Buffer`. Lengths are checked by the callers in this folder.
 */
export interface CryptoBackend {
  readonly name: string

  /** Writes the 32-byte SHA-256 (FIPS 180-4) of `bytes` into `into` at `offset`. */
  sha256Into(bytes: Uint8Array, into: Uint8Array, offset: number): void
  /** SHA-256 of the parts one after another, without joining them in memory. */
  sha256Parts(parts: readonly Uint8Array[]): Uint8Array
  /** SHA-256 of bytes that come one after another. */
  startSha256(): StreamedHash
  /** HMAC-SHA256 (RFC 2104) of the parts one after another. */
  hmacSha256(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array
  /** HKDF-SHA256 (RFC 5869), extract and expand, to `length` bytes (at most 255 × 32). */
  hkdfSha256(secret: Uint8Array, options: HkdfOptions): Uint8Array

  /** RFC 8439: writes ciphertext ‖ 16-byte tag into `into`, which is exactly 16 bytes longer than `plaintext`. */
  sealChaCha20Poly1305(box: AeadParameters, plaintext: Uint8Array, into: Uint8Array): void
  /** @returns undefined if the tag does not match or `sealed` is too short to hold one. */
  openChaCha20Poly1305(box: AeadParameters, sealed: Uint8Array): Uint8Array | undefined
  /** The same with a 24-byte nonce (draft-irtf-cfrg-xchacha-03). */
  sealXChaCha20Poly1305(box: AeadParameters, plaintext: Uint8Array): Uint8Array
  openXChaCha20Poly1305(box: AeadParameters, sealed: Uint8Array): Uint8Array | undefined

  /** Ed25519 (RFC 8032): the 32-byte public key of a 32-byte seed. */
  publicKeyOf(seed: Uint8Array): Uint8Array
  /** What signs with a 32-byte seed. Making it costs more than ten signatures, so keep it. */
  signerOf(seed: Uint8Array): BackendSigner
  /**
   * Strict: refuses non-canonical points and scalars and public keys of small order, and compares without the
   * cofactor, so that all backends give one answer for every input, hostile ones too.
   */
  verify(input: SignedMessage): boolean

  /** scrypt (RFC 7914). Blocks while it runs and takes 128 × N × r bytes of memory. */
  scrypt(password: Uint8Array, options: ScryptOptions): Uint8Array
}

export interface StreamedHash {
  update(bytes: Uint8Array): void
  /** One that goes on by itself from what this one has been given so far. */
  copy(): StreamedHash
  /** Ends it. */
  digest(): Uint8Array
}

export interface BackendSigner {
  /** The 64-byte signature of `message`. */
  readonly sign: (message: Uint8Array) => Uint8Array
  /** As `publicKeyOf` its seed. */
  readonly publicKey: () => Uint8Array
}

export interface HkdfOptions {
  readonly salt: Uint8Array
  readonly info: Uint8Array
  readonly length: number
}

export interface AeadParameters {
  readonly key: Uint8Array
  readonly nonce: Uint8Array
  readonly associatedData: Uint8Array
}

export interface SignedMessage {
  readonly publicKey: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
}

export interface ScryptOptions {
  readonly salt: Uint8Array
  /** N, a power of two. */
  readonly cost: number
  /** r */
  readonly blockSize: number
  /** p */
  readonly parallelization: number
  readonly length: number
}

export const SHA256_BYTES = 32

/** Length of the Poly1305 tag that follows every ciphertext. */
export const AEAD_TAG_BYTES = 16
