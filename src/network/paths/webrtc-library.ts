/**
 * WebRTC of libp2p. A bundle of its own, read when there is a relayed connection to improve; that fails where its native
 * part was not made for the machine, and then everything else works as before.
 */
import '../polyfill.ts'
export { webRTC } from '@libp2p/webrtc'
