import { utf8 } from '../foundation/bytes.ts'
import { SHA256_BYTES, type StreamedHash } from './backend.ts'
import { backend } from './backends.ts'
import { KEY_LABELS, TAGS } from './tags.ts'
import type { KeyLabel, Tag } from './tags.ts'

/** SHA-256. Not for anything that needs a tag: see {@link taggedHash}. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const digest = new Uint8Array(SHA256_BYTES)
  backend.sha256Into(bytes, digest, 0)
  return digest
}

/** SHA-256 of the parts one after another, without joining them in memory. */
export function sha256Parts(parts: readonly Uint8Array[]): Uint8Array {
  return backend.sha256Parts(parts)
}

/** SHA-256 of bytes that come one after another. */
export function startSha256(): StreamedHash {
  return backend.startSha256()
}

/**
 * `TH(tag, m) = SHA256(u8 length(tag) ‖ tag ‖ m)`, m being the parts one after another. The parts are not told
 * apart: where they could be cut differently, their lengths must be fixed or among them.
 */
export function taggedHash(tag: Tag, ...parts: Uint8Array[]): Uint8Array {
  return backend.sha256Parts([TAG_PREFIXES[tag], ...parts])
}

/** `PRF(key, tag, m) = HMAC-SHA256(key, u8 length(tag) ‖ tag ‖ m)`. The same warning holds. */
export function prf(key: Uint8Array, tag: Tag, ...parts: Uint8Array[]): Uint8Array {
  return backend.hmacSha256(key, [TAG_PREFIXES[tag], ...parts])
}

/** `KDF(secret, label) = HKDF-SHA256(ikm = secret, salt = "", info = "hayloft1/" ‖ label ‖ 0x00)`, 32 bytes. */
export function deriveKey(secret: Uint8Array, label: KeyLabel): Uint8Array {
  const info = LABEL_INFOS[label]
  return backend.hkdfSha256(secret, { salt: NO_SALT, info, length: SHA256_BYTES })
}

/** `u8 length(tag) ‖ tag`: what stands before everything that is hashed, keyed or signed under a tag. */
export function tagPrefix(tag: Tag): Uint8Array {
  return TAG_PREFIXES[tag]
}

const NO_SALT = new Uint8Array(0)

const TAG_PREFIXES = Object.fromEntries(
  Object.values(TAGS).map((tag) => [tag, Uint8Array.of(tag.length, ...utf8(tag))]),
) as Record<Tag, Uint8Array>

const LABEL_INFOS = Object.fromEntries(
  Object.values(KEY_LABELS).map((label) => [label, utf8(`hayloft1/${label}\0`)]),
) as Record<KeyLabel, Uint8Array>
