import { deriveKey } from './hash.ts'

/** Kv: opens a block's links, so that its holder can verify, lease and repair a tree without reading it. */
export function verifyKeyOf(blockKey: Uint8Array): Uint8Array {
  return deriveKey(blockKey, 'verify')
}

/** Kr: opens a block's content. */
export function readKeyOf(blockKey: Uint8Array): Uint8Array {
  return deriveKey(blockKey, 'read')
}
