import { fromHex, type Branded } from '../foundation/bytes.ts'
import { assert } from '../foundation/error.ts'

/**
 * Who a node or client is: its raw Ed25519 public key (32 bytes) as 64 lower-case hexadecimal digits, so that it
 * can be the key of a map. The connection proves it; nothing else names a peer.
 */
export type NodeKey = Branded<string, 'NodeKey'>

export function nodeKey(text: string): NodeKey {
  assert(/^[0-9a-f]{64}$/.test(text), 'a node key is 64 lower-case hexadecimal digits')
  return text as NodeKey
}

export function nodeKeyBytes(key: NodeKey): Uint8Array {
  const bytes = fromHex(key)
  assert(bytes !== undefined, 'a node key is hexadecimal')
  return bytes
}
