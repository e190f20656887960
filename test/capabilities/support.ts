import * as fc from 'fast-check'
import { LITERAL_MAX_BYTES } from '../../src/capabilities/capability.ts'
import type { Capability } from '../../src/capabilities/capability.ts'
import { MalformedCapabilityError } from '../../src/capabilities/malformed.ts'
import { parseCapability } from '../../src/capabilities/text.ts'
import { blockId } from '../../src/protocol/block-id.ts'

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })

export const capabilities: fc.Arbitrary<Capability> = fc.oneof(
  fc.record({ key: bytes32, id: bytes32 }).map(({ key, id }): Capability => {
    return { kind: 'file-read', key, id: blockId(id) }
  }),
  fc.record({ verifyKey: bytes32, id: bytes32 }).map(({ verifyKey, id }): Capability => {
    return { kind: 'file-verify', verifyKey, id: blockId(id) }
  }),
  fc.uint8Array({ maxLength: LITERAL_MAX_BYTES }).map((bytes): Capability => {
    return { kind: 'literal', bytes }
  }),
)

/** The error that parsing `text` throws. */
export function refusalOf(text: string): MalformedCapabilityError {
  try {
    parseCapability(text)
  } catch (error) {
    if (error instanceof MalformedCapabilityError) return error
    throw error
  }
  throw new Error('the text was taken for a capability')
}
