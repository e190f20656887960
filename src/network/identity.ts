import { base58 } from '@scure/base'
import { publicKeyOf } from '../crypto/signatures.ts'
import { concatBytes, equalBytes, toHex } from '../foundation/bytes.ts'
import { nodeKey, nodeKeyBytes, type NodeKey } from '../protocol/node-key.ts'

/** The node key of a host whose identity is this 32-byte Ed25519 seed. */
export function nodeKeyOfIdentity(seed: Uint8Array): NodeKey {
  return nodeKey(toHex(publicKeyOf(seed)))
}

/**
 * A libp2p peer id of an Ed25519 key is an identity multihash (code 0x00, length 0x24) of the key as protobuf:
 * field 1, key type 1; field 2, 32 bytes. See the libp2p specification, peer-ids/peer-ids.md.
 */
const PEER_ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)

/** The key as libp2p writes peers: `12D3Koo…`. */
export function peerIdText(key: NodeKey): string {
  return base58.encode(concatBytes([PEER_ID_PREFIX, nodeKeyBytes(key)]))
}

/** @returns the key, or undefined if `text` is not the peer id of an Ed25519 key */
export function parsePeerIdText(text: string): NodeKey | undefined {
  let bytes: Uint8Array
  try {
    bytes = base58.decode(text)
  } catch {
    return undefined
  }
  const prefix = bytes.subarray(0, PEER_ID_PREFIX.length)
  if (bytes.length !== PEER_ID_PREFIX.length + 32 || !equalBytes(prefix, PEER_ID_PREFIX)) {
    return undefined
  }
  return nodeKey(toHex(bytes.subarray(PEER_ID_PREFIX.length)))
}

/** The node that a multiaddr ends at (`…/p2p/12D3Koo…`), if it says so. */
export function nodeOfAddress(address: string): NodeKey | undefined {
  const text = /\/p2p\/([^/]+)$/.exec(address)?.[1]
  return text === undefined ? undefined : parsePeerIdText(text)
}
