import { toHex, type Branded } from '../foundation/bytes.ts'
import { assert } from '../foundation/error.ts'

/**
 * Names a slot: P, the raw Ed25519 public key (32 bytes) that signs all of its records. It is the slot's storage index,
 * so a node can check any record against it without a secret.
 */
export type SlotKey = Branded<Uint8Array, 'SlotKey'>

export const SLOT_KEY_BYTES = 32

export function slotKey(bytes: Uint8Array): SlotKey {
  assert(bytes.length === SLOT_KEY_BYTES, 'a slot key has 32 bytes')
  return bytes as SlotKey
}

/** The key as a key for maps and sets, and as people see it. */
export type SlotKeyHex = Branded<string, 'SlotKeyHex'>

export function slotKeyHex(key: SlotKey): SlotKeyHex {
  return toHex(key) as SlotKeyHex
}
