/** Bounds of the network layer. Those of the messages themselves are in `protocol/limits.ts`. */

/** The longest that a call waits for a connection: a dial with several addresses, or a search in the DHT and a dial. */
export const DIAL_TIMEOUT_MS = 5_000
/** The longest that a stream over an open connection takes to open: what is being sent stands before it in a slow line. */
export const OPEN_STREAM_TIMEOUT_MS = 30_000
/** The longest for one address: five round trips of a handshake over a slow satellite, or a host that swallows packets. */
export const ADDRESS_DIAL_TIMEOUT_MS = 3_000
/** After a failed dial, calls fail at once for this long, so that a dead node costs one timeout and not one a call. */
export const FIRST_FAILURE_MEMORY_MS = 1_000
/** Doubled for each failure in a row up to this, short enough that a node that comes back is soon used again. */
export const MAX_FAILURE_MEMORY_MS = 4_000
/** Nodes that start together find each other soon, though none was there when the first one looked. */
export const FIRST_REJOIN_MS = 500
/** How often a node looks for members that it knows and is not connected to, so that a restarted one is found. */
export const REJOIN_INTERVAL_MS = 5_000
/** Dials at once while joining. */
export const JOIN_CONCURRENCY = 8
/** Connections that a node keeps up by itself; beyond, the DHT and dialling on demand suffice. */
export const KEPT_CONNECTIONS = 32

/** Addresses kept for one node: what a host with several interfaces announces, IPv4 and IPv6. */
export const MAX_ADDRESSES_PER_NODE = 16
/** Nodes whose addresses are kept. A grid of friends is far smaller. */
export const MAX_NODES_IN_ADDRESS_BOOK = 4_096

/** One send to a stream: large enough that Noise and Yamux cost little per byte, small enough to interleave lanes. */
export const SEND_BYTES = 512 * 1024
/** Requests whose bodies or expected replies are larger travel in the bulk lane, out of the way of small ones. */
export const SMALL_MESSAGE_BYTES = 64 * 1024

/** Requests of one stream being served; beyond, the node stops reading the stream. */
export const MAX_IN_FLIGHT_REQUESTS = 128
/** Bytes of requests being served and of replies not yet sent, a stream; beyond, the node stops reading it. */
export const IN_FLIGHT_BYTES = 16 * 1024 * 1024
/** Streams of the storage protocol that a peer may have open with us: two lanes, and as many of a dying connection. */
export const MAX_STREAMS_PER_PEER = 4

/** Flow control, identical on every host of a grid because Yamux does not negotiate it. */
export const INITIAL_WINDOW_BYTES = 1024 * 1024
export const MAX_WINDOW_BYTES = 4 * 1024 * 1024
/** Above the largest window, or a paused reader's stream would be reset instead of waiting. */
export const MAX_READ_BUFFER_BYTES = 8 * 1024 * 1024
