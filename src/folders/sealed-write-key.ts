import { openBox, sealBox } from '../crypto/aead.ts'
import { prf } from '../crypto/hash.ts'
import { TAGS } from '../crypto/tags.ts'
import { slotKeyOf, slotWriteKey, type SlotWriteKey } from '../capabilities/slot-keys.ts'
import { concatBytes, equalBytes } from '../foundation/bytes.ts'
import type { SlotKey } from '../protocol/slot-key.ts'
import { SEALED_WRITE_KEY_BYTES } from './entry.ts'
import { BrokenFolderError } from './errors.ts'

/**
 * `sealedW = nonce 24 ‖ XChaCha20-Poly1305(D, nonce, W of the child, AAD = P of the child)`, where D is the children's
 * key of the linking folder and `nonce = PRF(D, "hayloft1/child-nonce", P ‖ W)[0..24]`, so that equal entries stay
 * equal. Who may only read the folder lacks D, and finds in its entries no more than read keys all the way down.
 */
export function sealWriteKey(childrenKey: Uint8Array, writeKey: SlotWriteKey): Uint8Array {
  const slot = slotKeyOf(writeKey)
  const nonce = prf(childrenKey, TAGS.childNonce, slot, writeKey).slice(0, NONCE_BYTES)
  const box = { key: childrenKey, nonce, associatedData: slot }
  return concatBytes([nonce, sealBox(box, writeKey)])
}

/** The inverse. @throws BrokenFolderError if it was not sealed under this key for this slot */
export function openWriteKey(
  childrenKey: Uint8Array,
  slot: SlotKey,
  sealed: Uint8Array,
): SlotWriteKey {
  if (sealed.length === SEALED_WRITE_KEY_BYTES) {
    const nonce = sealed.subarray(0, NONCE_BYTES)
    const box = { key: childrenKey, nonce, associatedData: slot }
    const opened = openBox(box, sealed.subarray(NONCE_BYTES))
    if (opened !== undefined) {
      const writeKey = slotWriteKey(opened)
      if (equalBytes(slotKeyOf(writeKey), slot)) return writeKey
    }
  }
  throw new BrokenFolderError('the write key of a linked folder was not sealed for it')
}

const NONCE_BYTES = 24
