/**
 * All of libp2p that is used here, values only.
 */
import './polyfill.ts'
export {
  circuitRelayServer,
  circuitRelayTransport,
  RELAY_V2_HOP_CODEC,
} from '@libp2p/circuit-relay-v2'
export { privateKeyFromRaw } from '@libp2p/crypto/keys'
export { identify, identifyPush } from '@libp2p/identify'
export { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
export { noise } from '@libp2p/noise'
export { defaultCrypto as noiseCrypto } from '@libp2p/noise/crypto'
export { peerIdFromString } from '@libp2p/peer-id'
export { ping } from '@libp2p/ping'
export { tcp } from '@libp2p/tcp'
export { lpStream } from '@libp2p/utils'
export { yamux } from '@libp2p/yamux'
export { multiaddr } from '@multiformats/multiaddr'
export { createLibp2p } from 'libp2p'
export { Uint8ArrayList } from 'uint8arraylist'
