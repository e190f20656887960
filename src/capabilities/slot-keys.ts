import { deriveKey } from '../crypto/hash.ts'
import { publicKeyOf, signerOf } from '../crypto/signatures.ts'
import { KEY_LABELS, TAGS } from '../crypto/tags.ts'
import { assert } from '../foundation/error.ts'
import type { Branded } from '../foundation/bytes.ts'
import { slotKey, type SlotKey } from '../protocol/slot-key.ts'

/**
 * The keys of a slot: W → Rs → Vs, each a one-way derivation from the one before, so whoever holds one holds the later
 * ones and never an earlier one. A brand keeps them apart, for all three are 32 bytes and the wrong one would give away
 * a power that nobody meant to give.
 */
export type SlotWriteKey = Branded<Uint8Array, 'SlotWriteKey'>
/** Rs: opens what a slot says. */
export type SlotReadKey = Branded<Uint8Array, 'SlotReadKey'>
/** Vs: opens a slot's links, and nothing of what it says. */
export type SlotVerifyKey = Branded<Uint8Array, 'SlotVerifyKey'>

export const SLOT_SECRET_BYTES = 32

export function slotWriteKey(bytes: Uint8Array): SlotWriteKey {
  assertLength(bytes)
  return bytes as SlotWriteKey
}

export function slotReadKey(bytes: Uint8Array): SlotReadKey {
  assertLength(bytes)
  return bytes as SlotReadKey
}

export function slotVerifyKey(bytes: Uint8Array): SlotVerifyKey {
  assertLength(bytes)
  return bytes as SlotVerifyKey
}

/** What follows from W. To read what one writes, derive {@link slotReadKeys} from its `readKey`. */
export interface SlotWriteKeys {
  /** P: the slot's public key and its place on the grid. */
  readonly slot: SlotKey
  readonly readKey: SlotReadKey
  readonly verifyKey: SlotVerifyKey
  /** D: seals the write keys of folders linked from this one. */
  readonly childrenKey: Uint8Array
  /** Under which equal blocks of this folder's tree get equal keys; of the root of a tree, for all of it. */
  readonly convergence: Uint8Array
  /** The 64-byte signature under `hayloft1/slot-signature`. */
  readonly sign: (record: Uint8Array) => Uint8Array
}

/** Costs some tenths of a millisecond, most of them for the public key: keep it for a slot that is written often. */
export function slotWriteKeys(writeKey: SlotWriteKey): SlotWriteKeys {
  const { publicKey, sign } = signerOf(deriveKey(writeKey, KEY_LABELS.slotSign), TAGS.slotSignature)
  const readKey = slotReadKeyOf(writeKey)
  return {
    slot: slotKey(publicKey),
    readKey,
    verifyKey: slotVerifyKeyOf(readKey),
    childrenKey: deriveKey(writeKey, KEY_LABELS.slotChildren),
    convergence: deriveKey(writeKey, KEY_LABELS.convergence),
    sign,
  }
}

/** What follows from Rs. */
export interface SlotReadKeys extends SlotVerifyKeys {
  readonly verifyKey: SlotVerifyKey
  /** Opens the payload of a record. */
  readonly payloadBoxKey: Uint8Array
}

/** Derived once from each array, which must not be changed afterwards: whoever writes a slot needs them time and again. */
export function slotReadKeys(readKey: SlotReadKey): SlotReadKeys {
  let keys = READ_KEYS.get(readKey)
  if (keys === undefined) {
    const verifyKey = slotVerifyKeyOf(readKey)
    const payloadBoxKey = deriveKey(readKey, KEY_LABELS.slotBox)
    keys = { verifyKey, payloadBoxKey, ...slotVerifyKeys(verifyKey) }
    READ_KEYS.set(readKey, keys)
  }
  return keys
}

const READ_KEYS = new WeakMap<SlotReadKey, SlotReadKeys>()

/** What follows from Vs. */
export interface SlotVerifyKeys {
  /** Opens the links of a record. */
  readonly linksBoxKey: Uint8Array
}

export function slotVerifyKeys(verifyKey: SlotVerifyKey): SlotVerifyKeys {
  return { linksBoxKey: deriveKey(verifyKey, KEY_LABELS.slotBox) }
}

/** P alone. */
export function slotKeyOf(writeKey: SlotWriteKey): SlotKey {
  return slotKey(publicKeyOf(deriveKey(writeKey, KEY_LABELS.slotSign)))
}

export function slotReadKeyOf(writeKey: SlotWriteKey): SlotReadKey {
  return slotReadKey(deriveKey(writeKey, KEY_LABELS.slotRead))
}

export function slotVerifyKeyOf(readKey: SlotReadKey): SlotVerifyKey {
  return slotVerifyKey(deriveKey(readKey, KEY_LABELS.slotVerify))
}

function assertLength(bytes: Uint8Array): void {
  assert(bytes.length === SLOT_SECRET_BYTES, 'a key of a slot has 32 bytes')
}
