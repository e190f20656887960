/**
 * Bounds of what members tell each other about the grid, and of what strangers may do. A stranger is any peer that is no
 * member's device: someone with an invite, someone who was removed, or the internet knocking at an open port.
 */

/** One message between members: two dozen of the largest statements, or the names of all that there can be. */
export const MAX_EXCHANGE_MESSAGE_BYTES = 64 * 1024
/** Statements of one message, in bytes, which leaves room for the CBOR around them. */
export const STATEMENTS_BYTES_PER_MESSAGE = 56 * 1024
/** Messages of one exchange: all that a member can keep, 4 MiB, both ways, and twice that for what comes meanwhile. */
export const MAX_MESSAGES_PER_EXCHANGE = 320
/** One exchange from its first byte to its last: 4 MiB each way at 2 Mbit/s. */
export const EXCHANGE_TIMEOUT_MS = 60_000
/** One message and its answer, the time included that it takes to be put on a slow disk. */
export const MESSAGE_TIMEOUT_MS = 15_000
/** Messages of one member that are answered at once: two exchanges of all that there can be … */
export const MESSAGE_BURST = 640
/** … and from then on one in so long. */
export const MESSAGE_INTERVAL_MS = 250
/** Streams of exchanges that one peer may have open with us: one of its own, one push, and some that are dying. */
export const MAX_EXCHANGES_PER_PEER = 4
/** Members that are asked whether they know more, though nothing happened: news also gets past a broken connection. */
export const EXCHANGE_INTERVAL_MS = 5 * 60_000
/** How often a host looks whose membership has ended by itself, at a time that was agreed. */
export const SWEEP_INTERVAL_MS = 10_000
/** Members that a client compares notes with: what one of them has not heard, the others hear from each other. */
export const CLIENT_EXCHANGES = 3
/** News that comes within this time is pushed together. */
export const PUSH_DELAY_MS = 50
/** A host that ends waits for so long until others have taken its last news. */
export const LAST_NEWS_TIMEOUT_MS = 3_000
/** A member that sent rubbish is heard again after this time, in case its owner has mended it. */
export const RUBBISH_BAN_MS = 60_000

/** One message of the join protocol: a grant, and statements of which most have 300 to 900 bytes. */
export const MAX_JOIN_MESSAGE_BYTES = 32 * 1024
/**
 * Statements that come with a request to join, or with an introduction: a member's own, those of the member that let it
 * in, and so on for ten members; further ones are known to anybody who was not away for years.
 */
export const MAX_JOIN_STATEMENTS = 24
/** Messages of one stream of the join protocol: a greeting, an introduction and a request, and one more of each. */
export const MAX_JOIN_MESSAGES = 6

/** Strangers that are connected at a time. Joining takes a second, so this many come in at once and no friends do. */
export const MAX_STRANGERS = 32
/** Of these, from one address: a household behind one router, or one flooder. */
export const MAX_STRANGERS_PER_ADDRESS = 6
/** From the handshake to the end, unless the stranger has become a member. */
export const STRANGER_LIFETIME_MS = 10_000
/** What a stranger may send: several requests to join, and the handshakes around them. */
export const MAX_STRANGER_BYTES = 256 * 1024
/** Streams that a stranger may have open, and those it may open in all: a request takes one. */
export const MAX_STRANGER_STREAMS = 4
export const MAX_STRANGER_STREAMS_EVER = 16
/** Connections of strangers from one address that are taken at once, and how soon there may be one more. */
export const STRANGER_BURST = 40
export const STRANGER_INTERVAL_MS = 1_500
/** Addresses of which we remember how often they came. The one that came longest ago is forgotten. */
export const MAX_REMEMBERED_ADDRESSES = 1024

/** Connections on which nobody has proven yet who they are. libp2p takes no further ones. */
export const MAX_PENDING_CONNECTIONS = 96
/** Of these, as many may come from addresses from which no member ever came: the others are kept for members. */
export const MAX_PENDING_UNKNOWN = 48
/** Of these, from one address. */
export const MAX_PENDING_PER_ADDRESS = 16
/** To prove who they are, peers get less time than libp2p's 10 s: it takes three messages. */
export const HANDSHAKE_TIMEOUT_MS = 5_000
