import { assert } from '../foundation/error.ts'
import { toHex, type Branded } from '../foundation/bytes.ts'

/**
 * Names a block by the hash of what nodes store for it: its storage index. 32 bytes,
 * `TH("hayloft1/block-id", manifest)`, so a node can check any share against it without a key.
 */
export type BlockId = Branded<Uint8Array, 'BlockId'>

export const BLOCK_ID_BYTES = 32

export function blockId(bytes: Uint8Array): BlockId {
  assert(bytes.length === BLOCK_ID_BYTES, 'a block id has 32 bytes')
  return bytes as BlockId
}

/** The id as a key for maps and sets, and as people see it. */
export type BlockIdHex = Branded<string, 'BlockIdHex'>

export function blockIdHex(id: BlockId): BlockIdHex {
  return toHex(id) as BlockIdHex
}
