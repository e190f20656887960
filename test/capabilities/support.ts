import * as fc from 'fast-check'
import { LITERAL_MAX_BYTES } from '../../src/capabilities/capability.ts'
import type { Capability } from '../../src/capabilities/capability.ts'
import { MalformedCapabilityError } from '../../src/capabilities/malformed.ts'
import { slotReadKey, slotVerifyKey, slotWriteKey } from '../../src/capabilities/slot-keys.ts'
import { parseCapability } from '../../src/capabilities/text.ts'
import { fromHex } from '../../src/foundation/bytes.ts'
import { blockId } from '../../src/protocol/block-id.ts'
import { slotKey } from '../../src/protocol/slot-key.ts'

export const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })

const id = bytes32.map(blockId)
const slot = bytes32.map(slotKey)
const writeKey = bytes32.map(slotWriteKey)
const readKey = bytes32.map(slotReadKey)
const verifyKey = bytes32.map(slotVerifyKey)

/** One arbitrary a kind: a kind without one does not compile. */
const OF_KIND: { readonly [K in Capability['kind']]: fc.Arbitrary<Capability & { kind: K }> } = {
  'file-read': fc.record({ kind: fc.constant('file-read'), key: bytes32, id }),
  'file-verify': fc.record({ kind: fc.constant('file-verify'), verifyKey: bytes32, id }),
  literal: fc.record({
    kind: fc.constant('literal'),
    bytes: fc.uint8Array({ maxLength: LITERAL_MAX_BYTES }),
  }),
  'folder-write': fc.record({ kind: fc.constant('folder-write'), writeKey }),
  'folder-read': fc.record({ kind: fc.constant('folder-read'), readKey, slot }),
  'folder-verify': fc.record({ kind: fc.constant('folder-verify'), verifyKey, slot }),
  'mutable-write': fc.record({ kind: fc.constant('mutable-write'), writeKey }),
  'mutable-read': fc.record({ kind: fc.constant('mutable-read'), readKey, slot }),
  'mutable-verify': fc.record({ kind: fc.constant('mutable-verify'), verifyKey, slot }),
  'snapshot-read': fc.record({ kind: fc.constant('snapshot-read'), key: bytes32, id }),
  'snapshot-verify': fc.record({ kind: fc.constant('snapshot-verify'), verifyKey: bytes32, id }),
}

export const KINDS = Object.keys(OF_KIND) as Capability['kind'][]

export const capabilities: fc.Arbitrary<Capability> = fc.oneof(...Object.values(OF_KIND))

export const {
  'folder-write': folderWrites,
  'mutable-write': mutableWrites,
  'snapshot-read': snapshotReads,
} = OF_KIND

/** Bytes of a vector file. */
export function hex(digits: string): Uint8Array {
  const bytes = fromHex(digits)
  if (bytes === undefined) throw new Error('the vector is not hexadecimal')
  return bytes
}

/** The error that parsing `text` throws. */
export function refusalOf(
  text: string,
  parse: (text: string) => unknown = parseCapability,
): MalformedCapabilityError {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof MalformedCapabilityError) return error
    throw error
  }
  throw new Error('the text was taken for a capability')
}
