import { chacha20poly1305, xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { scrypt } from '@noble/hashes/scrypt.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { equalBytes } from '../foundation/bytes.ts'
import { AEAD_TAG_BYTES } from './backend.ts'
import type { CryptoBackend, SignedMessage, StreamedHash } from './backend.ts'
import { isStrictPublicKey } from './ed25519-points.ts'

/** JavaScript alone: for browsers, for what OpenSSL lacks, and to hold the native backend against in tests. */
export const nobleBackend: CryptoBackend = {
  name: 'noble',

  sha256Into(bytes, into, offset) {
    into.set(sha256(bytes), offset)
  },

  sha256Parts(parts) {
    const hasher = sha256.create()
    for (const part of parts) hasher.update(part)
    return hasher.digest()
  },

  startSha256: () => streamed(sha256.create()),

  hmacSha256(key, parts) {
    const mac = hmac.create(sha256, key)
    for (const part of parts) mac.update(part)
    return mac.digest()
  },

  hkdfSha256: (secret, { salt, info, length }) => hkdf(sha256, secret, salt, info, length),

  sealChaCha20Poly1305({ key, nonce, associatedData }, plaintext, into) {
    into.set(chacha20poly1305(key, nonce, associatedData).encrypt(plaintext))
  },

  openChaCha20Poly1305({ key, nonce, associatedData }, sealed) {
    return decrypt(chacha20poly1305(key, nonce, associatedData), sealed)
  },

  sealXChaCha20Poly1305({ key, nonce, associatedData }, plaintext) {
    return xchacha20poly1305(key, nonce, associatedData).encrypt(plaintext)
  },

  openXChaCha20Poly1305({ key, nonce, associatedData }, sealed) {
    return decrypt(xchacha20poly1305(key, nonce, associatedData), sealed)
  },

  publicKeyOf: (seed) => ed25519.getPublicKey(seed),
  signerOf(seed) {
    const own = Uint8Array.from(seed)
    return {
      sign: (message) => ed25519.sign(message, own),
      publicKey: () => ed25519.getPublicKey(own),
    }
  },
  verify: verifyWithoutCofactor,

  scrypt(password, { salt, cost, blockSize, parallelization, length }) {
    // noble refuses to take more memory than `maxmem`; this is what the formula needs, and its own small extra.
    const maxmem = 2 * 128 * blockSize * (cost + parallelization + 2)
    const options = { N: cost, r: blockSize, p: parallelization, dkLen: length, maxmem }
    return scrypt(password, salt, options)
  },
}

/** noble throws both for a wrong tag and for wrong lengths; the latter are ruled out before. */
function decrypt(
  cipher: { decrypt(sealed: Uint8Array): Uint8Array },
  sealed: Uint8Array,
): Uint8Array | undefined {
  if (sealed.length < AEAD_TAG_BYTES) return undefined
  try {
    return cipher.decrypt(sealed)
  } catch {
    return undefined
  }
}

/**
 * RFC 8032 §5.1.7 with the equation `R = s·B − k·A` compared as encodings, as OpenSSL does. noble's own `verify`
 * multiplies by the cofactor (which the RFC also allows) and so accepts some crafted signatures that OpenSSL refuses.
 */
function verifyWithoutCofactor({ publicKey, message, signature }: SignedMessage): boolean {
  if (signature.length !== 64 || !isStrictPublicKey(publicKey)) return false
  const { Point } = ed25519
  const { Fn } = Point
  const r = signature.subarray(0, 32)
  try {
    const negatedA = Point.fromBytes(publicKey, false).negate()
    const s = Fn.fromBytes(signature.subarray(32))
    const digest = sha512.create().update(r).update(publicKey).update(message).digest()
    const k = Fn.create(littleEndian(digest))
    const expected = Point.BASE.multiplyUnsafe(s).add(negatedA.multiplyUnsafe(k))
    return equalBytes(expected.toBytes(), r)
  } catch {
    return false
  }
}

function streamed(hasher: ReturnType<typeof sha256.create>): StreamedHash {
  return {
    update: (bytes) => void hasher.update(bytes),
    copy: () => streamed(hasher.clone()),
    digest: () => hasher.digest(),
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes.toReversed()) value = (value << 8n) | BigInt(byte)
  return value
}
