import { dropOldest } from '../foundation/newest.ts'
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  hash,
  scryptSync,
  sign,
  verify,
} from 'node:crypto'
import type { Hash, KeyObject } from 'node:crypto'
import { AEAD_TAG_BYTES, SHA256_BYTES } from './backend.ts'
import type { CryptoBackend, StreamedHash } from './backend.ts'
import { isStrictPublicKey } from './ed25519-points.ts'
import { nobleBackend } from './noble-backend.ts'
import { privateKeyOf } from './private-keys.ts'

/** OpenSSL through `node:crypto`. XChaCha20, which OpenSSL lacks, comes from the portable backend. */
export const nodeBackend: CryptoBackend = {
  name: 'node',

  // A digest as a string of char codes is more than twice as fast to get as a Buffer, which costs an allocation
  // outside the JavaScript heap; Merkle trees and tiny files are all small hashes.
  sha256Into(bytes, into, offset) {
    const digest = hash('sha256', bytes, 'binary')
    for (let i = 0; i < SHA256_BYTES; i++) into[offset + i] = digest.charCodeAt(i)
  },

  sha256Parts(parts) {
    const hasher = createHash('sha256')
    for (const part of parts) hasher.update(part)
    return plain(hasher.digest())
  },

  startSha256: () => streamed(createHash('sha256')),

  hmacSha256,

  // Written with HMAC, as RFC 5869 defines it: `hkdfSync` makes key objects and a job, and takes three times as long.
  hkdfSha256(secret, { salt, info, length }) {
    const extracted = hmacSha256(salt, [secret])
    const output = new Uint8Array(length)
    let previous: Uint8Array = new Uint8Array(0)
    for (let counter = 1, offset = 0; offset < length; counter++, offset += SHA256_BYTES) {
      previous = hmacSha256(extracted, [previous, info, Uint8Array.of(counter)])
      output.set(previous.subarray(0, length - offset), offset)
    }
    return output
  },

  sealChaCha20Poly1305({ key, nonce, associatedData }, plaintext, into) {
    const cipher = createCipheriv('chacha20-poly1305', key, nonce, CIPHER_OPTIONS)
    if (associatedData.length > 0)
      cipher.setAAD(associatedData, { plaintextLength: plaintext.length })
    into.set(cipher.update(plaintext))
    cipher.final()
    into.set(cipher.getAuthTag(), plaintext.length)
  },

  openChaCha20Poly1305({ key, nonce, associatedData }, sealed) {
    const length = sealed.length - AEAD_TAG_BYTES
    if (length < 0) return undefined
    const decipher = createDecipheriv('chacha20-poly1305', key, nonce, CIPHER_OPTIONS)
    if (associatedData.length > 0) decipher.setAAD(associatedData, { plaintextLength: length })
    decipher.setAuthTag(sealed.subarray(length))
    const plaintext = decipher.update(sealed.subarray(0, length))
    try {
      decipher.final()
    } catch {
      return undefined
    }
    return plain(plaintext)
  },

  sealXChaCha20Poly1305: (box, plaintext) => nobleBackend.sealXChaCha20Poly1305(box, plaintext),
  openXChaCha20Poly1305: (box, sealed) => nobleBackend.openXChaCha20Poly1305(box, sealed),

  publicKeyOf: (seed) => nodeBackend.signerOf(seed).publicKey(),

  signerOf(seed) {
    const key = privateKeyOf('Ed25519', seed)
    return {
      sign: (message) => plain(sign(null, message, key)),
      publicKey() {
        const { x = '' } = key.export({ format: 'jwk' })
        return new Uint8Array(Buffer.from(x, 'base64url'))
      },
    }
  },

  // OpenSSL checks the scalar and, by comparing encodings, the point R, but takes any public key that decodes.
  verify({ publicKey, message, signature }) {
    const key = publicKeyObjectOf(publicKey)
    return key !== undefined && verify(null, message, key, signature)
  },

  scrypt(password, { salt, cost, blockSize, parallelization, length }) {
    // OpenSSL refuses parameters that need more than `maxmem`; twice the formula's memory covers its own overhead.
    const maxmem = 2 * 128 * blockSize * (cost + parallelization + 2)
    const options = { N: cost, r: blockSize, p: parallelization, maxmem }
    return plain(scryptSync(password, salt, length, options))
  },
}

/** Those used last, as who writes a slot does so again; to set one up takes as long as to verify with it. */
const publicKeys = new Map<string, KeyObject>()
const PUBLIC_KEYS_KEPT = 256

/** Undefined for a key that strict verification does not accept. */
function publicKeyObjectOf(publicKey: Uint8Array): KeyObject | undefined {
  const x = Buffer.from(publicKey).toString('base64url')
  const known = publicKeys.get(x)
  if (known === undefined && !isStrictPublicKey(publicKey)) return undefined
  // As a JWK (RFC 8037) it is taken as it is; to find out what DER holds takes as long as the verification.
  const jwk = { kty: 'OKP', crv: 'Ed25519', x }
  const key = known ?? createPublicKey({ key: jwk, format: 'jwk' })
  publicKeys.delete(x)
  publicKeys.set(x, key)
  dropOldest(publicKeys, PUBLIC_KEYS_KEPT)
  return key
}

/**
 * HMAC (RFC 2104) of two hashes where key and message are short, which most are: an object of OpenSSL's takes three times
 * as long to set up and to collect as that.
 */
function hmacSha256(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  let end = HMAC_BLOCK_BYTES
  for (const part of parts) end += part.length
  if (key.length > HMAC_BLOCK_BYTES || end > innerScratch.length) {
    const hmac = createHmac('sha256', key)
    for (const part of parts) hmac.update(part)
    return plain(hmac.digest())
  }
  for (let i = 0; i < HMAC_BLOCK_BYTES; i++) {
    const byte = key[i] ?? 0
    innerScratch[i] = byte ^ 0x36
    outerScratch[i] = byte ^ 0x5c
  }
  let at = HMAC_BLOCK_BYTES
  for (const part of parts) {
    innerScratch.set(part, at)
    at += part.length
  }
  nodeBackend.sha256Into(innerScratch.subarray(0, end), outerScratch, HMAC_BLOCK_BYTES)
  const digest = new Uint8Array(SHA256_BYTES)
  nodeBackend.sha256Into(outerScratch, digest, 0)
  // They had a key in them.
  innerScratch.fill(0, 0, end)
  outerScratch.fill(0)
  return digest
}

const HMAC_BLOCK_BYTES = 64
/** The code is synchronous, so one buffer each serves all. */
const innerScratch = new Uint8Array(512)
const outerScratch = new Uint8Array(HMAC_BLOCK_BYTES + SHA256_BYTES)

const CIPHER_OPTIONS = { authTagLength: AEAD_TAG_BYTES } as const

function streamed(hasher: Hash): StreamedHash {
  return {
    update: (bytes) => void hasher.update(bytes),
    copy: () => streamed(hasher.copy()),
    digest: () => plain(hasher.digest()),
  }
}

/** The same memory seen as a plain array: `Buffer` changes the meaning of `slice` and of equality in tests. */
function plain(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
}
