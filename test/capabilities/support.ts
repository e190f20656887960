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

const blockRead = fc.record({ key: bytes32, id: bytes32.map(blockId) })
const blockVerify = fc.record({ verifyKey: bytes32, id: bytes32.map(blockId) })
const slotWrite = fc.record({ writeKey: bytes32.map(slotWriteKey) })
const slotRead = fc.record({ readKey: bytes32.map(slotReadKey), slot: bytes32.map(slotKey) })
const slotVerify = fc.record({ verifyKey: bytes32.map(slotVerifyKey), slot: bytes32.map(slotKey) })

/** One arbitrary a kind: a kind without one does not compile. */
const OF_KIND: { readonly [K in Capability['kind']]: fc.Arbitrary<Capability & { kind: K }> } = {
  'file-read': blockRead.map((parts) => ({ kind: 'file-read', ...parts })),
  'file-verify': blockVerify.map((parts) => ({ kind: 'file-verify', ...parts })),
  literal: fc
    .uint8Array({ maxLength: LITERAL_MAX_BYTES })
    .map((bytes) => ({ kind: 'literal', bytes })),
  'folder-write': slotWrite.map((parts) => ({ kind: 'folder-write', ...parts })),
  'folder-read': slotRead.map((parts) => ({ kind: 'folder-read', ...parts })),
  'folder-verify': slotVerify.map((parts) => ({ kind: 'folder-verify', ...parts })),
  'mutable-write': slotWrite.map((parts) => ({ kind: 'mutable-write', ...parts })),
  'mutable-read': slotRead.map((parts) => ({ kind: 'mutable-read', ...parts })),
  'mutable-verify': slotVerify.map((parts) => ({ kind: 'mutable-verify', ...parts })),
  'snapshot-read': blockRead.map((parts) => ({ kind: 'snapshot-read', ...parts })),
  'snapshot-verify': blockVerify.map((parts) => ({ kind: 'snapshot-verify', ...parts })),
}

export const KINDS = Object.keys(OF_KIND) as Capability['kind'][]

export const capabilities: fc.Arbitrary<Capability> = fc.oneof(...Object.values(OF_KIND))

/** Those that are stored and give more than the power to verify. */
export const {
  'file-read': fileReads,
  'folder-write': folderWrites,
  'folder-read': folderReads,
  'mutable-write': mutableWrites,
  'mutable-read': mutableReads,
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
