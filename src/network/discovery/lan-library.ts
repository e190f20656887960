/** Multicast DNS of libp2p. A bundle of its own, read by nodes that listen in a local network. */
import '../polyfill.ts'
export { mdns } from '@libp2p/mdns'
