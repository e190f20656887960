/** Bounds of what members tell each other about the grid. They are part of the format: all members must agree on them. */

/** One statement. The largest are announcements of many long addresses. */
export const MAX_STATEMENT_BYTES = 2048
/** All that one member keeps: room for some 400 people with ten statements each, and read within a second or two. */
export const MAX_STATEMENTS = 4096
export const MAX_STATEMENTS_BYTES = 4 * 1024 * 1024
/** Kept free for what the grid's key signs: however full members have made it, an admin can still remove them. */
export const RESERVED_STATEMENTS = 512
export const RESERVED_BYTES = 512 * 1024

/** Characters of the name of a person, device or household. */
export const MAX_NAME_CHARACTERS = 64
/** Devices that an account may have at a time. */
export const MAX_DEVICES = 16
/** Devices that are kept of an account, those that it has removed among them. */
export const MAX_DEVICE_STATEMENTS = 64
/** Where one device can be reached. */
export const MAX_ADDRESSES = 16
export const MAX_ADDRESS_BYTES = 256
/** How often one invite may be used. */
export const MAX_INVITE_USES = 1000
/** Further uses of an invite that are kept, to tell of them. */
export const MAX_REFUSED_ADMISSIONS = 4
/** A sequence number must leave room for the ones after it. */
export const MAX_SEQUENCE = Number.MAX_SAFE_INTEGER - 1

/**
 * An invite is taken for so long after it has expired: whoever made it and whoever lets someone in with it may have
 * clocks that are a day apart.
 */
export const INVITE_GRACE_S = 24 * 3600
