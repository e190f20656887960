/** Bounds of relays, observers and hole punching. Those of the network layer at large are in `network/limits.ts`. */

/** How long a direct dial may take before a relay is tried beside it: a round trip around the world. */
export const RELAY_HEAD_START_MS = 300
/** Relays that a member which cannot be reached keeps a place at: one may go away at any time. */
export const WANTED_RELAYS = 2
/** Members that may keep a place at one relay: more than a grid of friends has. */
export const MAX_RESERVATIONS = 1_024
/** What one relayed connection may carry: days of anything a home's uplink sends; finite, so that it stays marked. */
export const MAX_RELAYED_BYTES = 256n * 1024n ** 3n
/** How long one may last. Streams move to the next one as they would if the relay went away. */
export const MAX_RELAYED_MS = 24 * 60 * 60 * 1000
/** Relayed connections that one member may have opened through a relay at the same time. */
export const MAX_HOP_STREAMS = 300

/** How often a host looks whether its addresses, relays and paths are as they should be. */
export const UPKEEP_INTERVAL_MS = 5_000
/** A path that a better one has replaced is closed when nothing has used it for this long. */
export const SUPERSEDED_MS = 3_000
/** How long a peer may take to answer when its connection is in doubt. */
export const DOUBT_TIMEOUT_MS = 5_000

/** Longest message of the protocols for observing and punching, in bytes. */
export const MAX_SIGNAL_BYTES = 1_024
/** An observer's answer takes a round trip; a dial back, several. */
export const OBSERVE_TIMEOUT_MS = 5_000
export const DIAL_BACK_TIMEOUT_MS = 3_000
/** Questions of one connection at once. */
export const MAX_OBSERVE_STREAMS = 4
/** Dials back at once, for all members together. */
export const MAX_DIALS_BACK = 8
/** How often a host has its verdict about itself checked by others. */
export const RECHECK_INTERVAL_MS = 10 * 60 * 1000
/** STUN requests answered a second, all together: far more than ICE needs, too few to help a flood. */
export const MAX_STUN_PER_S = 500

/** Tries to punch before giving up for now; most succeed at once. */
export const PUNCH_ATTEMPTS = 2
/** How long both sides try to connect: SYNs are repeated after 1 and 3 s. */
export const PUNCH_TIMEOUT_MS = 4_000
/** How long punching is tried alone before WebRTC is tried beside it. */
export const WEBRTC_DELAY_MS = 2_500
export const WEBRTC_TIMEOUT_MS = 15_000
/** After a relayed path could not be improved, the next try waits this long, doubled each time up to the second. */
export const FIRST_RETRY_MS = 20_000
export const MAX_RETRY_MS = 30 * 60 * 1000
/** LAN addresses told to a peer. */
export const MAX_LAN_ADDRESSES = 4
