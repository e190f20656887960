import { concatBytes } from '../foundation/bytes.ts'
import { assert } from '../foundation/error.ts'
import { blockId } from '../protocol/block-id.ts'
import { slotKey } from '../protocol/slot-key.ts'
import { CAPABILITY_KEY_BYTES } from './capability.ts'
import type { Capability } from './capability.ts'
import { formatText, parseText } from './checked-text.ts'
import { TEXT_KINDS, textKindOf } from './kinds.ts'
import type { CapabilityKind } from './kinds.ts'
import { slotReadKey, slotVerifyKey, slotWriteKey } from './slot-keys.ts'

/** A capability as one lower-case word in Bech32m, which begins with its kind. */
export function formatCapability(capability: Capability): string {
  return formatText(textKindOf(capability.kind), bodyOf(capability))
}

/**
 * The inverse of {@link formatCapability}; takes all upper case too, as in QR codes. A capability has exactly one text
 * but for that. White space around it is the caller's to remove.
 *
 * @throws MalformedCapabilityError that says what is wrong and where, without repeating the text
 */
export function parseCapability(text: string): Capability {
  const { kind, body } = parseText(text, { noun: 'capability', kinds: TEXT_KINDS })
  return capabilityOf(kind, body)
}

function bodyOf(capability: Capability): Uint8Array {
  switch (capability.kind) {
    case 'file-read':
    case 'snapshot-read':
      return keyAnd(capability.key, capability.id)
    case 'file-verify':
    case 'snapshot-verify':
      return keyAnd(capability.verifyKey, capability.id)
    case 'literal':
      return capability.bytes
    case 'folder-write':
    case 'mutable-write':
      return capability.writeKey
    case 'folder-read':
    case 'mutable-read':
      return keyAnd(capability.readKey, capability.slot)
    case 'folder-verify':
    case 'mutable-verify':
      return keyAnd(capability.verifyKey, capability.slot)
  }
}

/** @param place - a block's id or a slot's key */
function keyAnd(key: Uint8Array, place: Uint8Array): Uint8Array {
  assert(key.length === CAPABILITY_KEY_BYTES, 'a capability holds a key of 32 bytes')
  return concatBytes([key, place])
}

function capabilityOf({ kind }: CapabilityKind, body: Uint8Array): Capability {
  const key = body.slice(0, CAPABILITY_KEY_BYTES)
  const rest = body.slice(CAPABILITY_KEY_BYTES)
  switch (kind) {
    case 'file-read':
    case 'snapshot-read':
      return { kind, key, id: blockId(rest) }
    case 'file-verify':
    case 'snapshot-verify':
      return { kind, verifyKey: key, id: blockId(rest) }
    case 'literal':
      return { kind, bytes: body }
    case 'folder-write':
    case 'mutable-write':
      return { kind, writeKey: slotWriteKey(key) }
    case 'folder-read':
    case 'mutable-read':
      return { kind, readKey: slotReadKey(key), slot: slotKey(rest) }
    case 'folder-verify':
    case 'mutable-verify':
      return { kind, verifyKey: slotVerifyKey(key), slot: slotKey(rest) }
  }
}
