/** Bounds that client and node agree on. A message outside them is refused before memory is spent on it. */

/** The most plaintext and links that one block carries together. */
export const BLOCK_CAPACITY_BYTES = 1024 * 1024

/** Ciphertext of the largest block: three AEAD tags, two frame headers' worth of fields, and its padded content. */
export const MAX_CIPHERTEXT_BYTES = BLOCK_CAPACITY_BYTES + 68

/** n in k-of-n: an index fits one byte. */
export const MAX_SHARES = 255
/** k in k-of-n: more would make the native engine's matrices and a repair's fan-in unwieldy. */
export const MAX_REQUIRED = 24

/** The largest shard: k = 1, rounded up to whole words. */
export const MAX_SHARD_BYTES = MAX_CIPHERTEXT_BYTES + 8

/** CBOR headers: 1,900 ids of 32 bytes, or 1,900 bitmaps of up to 32 bytes, with what surrounds them. */
export const MAX_HEADER_BYTES = 64 * 1024
/** Ids in one HAVE, LEASE or DROP. */
export const MAX_IDS = 1900
/** Leaves in one AUDIT: half a MiB of answer, and half as much again with the longest manifests. */
export const MAX_AUDIT_LEAVES = 32
/** Bodies: one whole shard, or the leaves of one audit. */
export const MAX_BODY_BYTES = MAX_SHARD_BYTES

/** The longest lease one request may ask for: a year. The usual one is 45 days, renewed every 15. */
export const MAX_LEASE_S = 366 * 24 * 3600
export const DEFAULT_LEASE_S = 45 * 24 * 3600

/** Concurrent records of one slot that a node keeps; with more, somebody has to merge first. */
export const MAX_SLOT_HEADS = 8
/** Slots in one SLOT-GET or SLOT-WATCH: with eight of the largest records each, they fit a body. */
export const MAX_SLOTS = 24
/** The longest that a SLOT-WATCH is left unanswered. */
export const MAX_WATCH_WAIT_S = 60

/** Accounts in one STAT reply and leases in one TRANSFER: either fits a header beside the longest manifest. */
export const MAX_ACCOUNTS = 512
export const MAX_HANDED_LEASES = 512
