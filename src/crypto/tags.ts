/**
 * Every domain-separation tag and key label there is.
 *
 * DANGER. A tag keeps a hash made for one purpose from ever passing as a hash made for another, so:
 * - never use a tag for a second purpose, and never give a retired one to anything new;
 * - never change one: ids, keys and placements of all stored data depend on these letters;
 * - every tag has at least 6 bytes. A tagged hash begins with its tag's length, a Merkle leaf with 0 and a Merkle node
 *   with 1; 6 leaves room for more such one-byte prefixes and keeps all of them from ever colliding with a tag.
 */
export const TAGS = {
  /** PRF over a block's content: its key under convergent encryption. */
  blockKey: 'hayloft1/block-key',
  /** Hash of a manifest: the block's id. */
  blockId: 'hayloft1/block-id',
  /** Hash that ranks nodes for a placement group. */
  rank: 'hayloft1/rank',
  /** Hash of an entry's name: its place in a folder's tree. */
  name: 'hayloft1/name',
  /** PRF: the nonce that seals a child's write key. */
  childNonce: 'hayloft1/child-nonce',
  /** Prefix of everything that a slot's key signs. */
  slotSignature: 'hayloft1/slot-signature',
  /** Hash of a whole slot record: names one head of a slot. */
  slotRecord: 'hayloft1/slot-record',
  /** Hash of the names of all heads of a slot, sorted: what a watcher says that it knows. */
  slotHeads: 'hayloft1/slot-heads',
  /** Signed by a grid's key: who an account is in the grid, and whether it still belongs to it. */
  gridMember: 'hayloft1/grid-member',
  /** Signed by a grid's key: what whoever holds a one-time key may become. */
  gridInvite: 'hayloft1/grid-invite',
  /** Signed by a grid's key: an invite counts no more. */
  gridRevocation: 'hayloft1/grid-revocation',
  /** Signed by the one-time key of an invite: the account that it is used for. */
  gridRedemption: 'hayloft1/grid-redemption',
  /** Signed by the device that let an account in: with which invite, and when. */
  gridAdmission: 'hayloft1/grid-admission',
  /** Signed by an account: that a device belongs to it, or no more. */
  gridDevice: 'hayloft1/grid-device',
  /** Signed by a device: to which account it belongs. */
  gridConsent: 'hayloft1/grid-consent',
  /** Signed by a device: where it can be reached, and what it offers. */
  gridAnnouncement: 'hayloft1/grid-announcement',
  /** PRF over a nonce, under what an account has for it: the key of a grid that the account founded. */
  gridKey: 'hayloft1/grid-key',
  /** Hash of a whole statement about a grid's members: its name. */
  gridStatement: 'hayloft1/grid-statement',
  /** Hash of the digests of all statements that a member holds: equal where two hold the same. */
  gridSummary: 'hayloft1/grid-summary',
  /** Hash of a block's key and code: its name in a cache of ids on the owner's own disk. Never leaves the machine. */
  knownBlock: 'hayloft1/known-block',
  /** Hash of the nodes that a slot's copies belong on, as a device remembers them. Never leaves the machine. */
  ownNodes: 'hayloft1/own-nodes',
  /** PRF over what a device remembers of a local file: see `src/home/local-files.ts`. Never leaves the machine. */
  localFile: 'hayloft1/local-file',
  /** Hash of what names a content: that of a file with what has come of it so far. Never leaves the machine. */
  unfinished: 'hayloft1/unfinished',
} as const

export type Tag = (typeof TAGS)[keyof typeof TAGS]

/** The fewest bytes that a tag may have. */
export const MIN_TAG_BYTES = 6

/**
 * Labels of derived keys: `HKDF(info = "hayloft1/" ‖ label ‖ 0x00)`. The rules for tags hold for these too; the final
 * zero byte keeps a label that begins with another one apart from it.
 */
export const KEY_LABELS = {
  /** A block key's weaker half: opens the links, proves nothing else. */
  verify: 'verify',
  /** A block key's other half: opens the content. */
  read: 'read',
  /** A folder tree's secret, under which equal blocks get equal keys. */
  convergence: 'convergence',
  /** Seed of the Ed25519 key that an account is known by. */
  account: 'account/sign',
  /** From an account's secret: the write key of its root folder. */
  accountRoot: 'account/root',
  /** From an account's secret: what the keys of the grids that it founded follow from. */
  accountGrids: 'account/grids',
  /** From an account's secret: seals the aliases that a device keeps. */
  accountAliases: 'account/aliases',
  /** From an account's secret: seals the list of directories that a device syncs. */
  accountSyncs: 'account/syncs',
  /** From an account's secret: seals the list of what a device looks after for others. */
  accountCared: 'account/cared',
  /** From an account's secret: seals the key of a grid of which it is an admin. */
  accountGridKey: 'account/grid-key',
  /** From an account's secret: hides what a device remembers of local files. */
  accountLocalFiles: 'account/local-files',
  /** From a slot's write key: seed of the Ed25519 key that signs its records and whose public key names it. */
  slotSign: 'slot/sign',
  /** From a slot's write key: the key of its readers. */
  slotRead: 'slot/read',
  /** From a slot's read key: the key of its verifiers. */
  slotVerify: 'slot/verify',
  /** From a slot's write key: seals the write keys of linked folders. */
  slotChildren: 'slot/children',
  /** From a slot's read key: opens the payload of its records. From its verify key: opens their links. */
  slotBox: 'slot/box',
} as const

export type KeyLabel = (typeof KEY_LABELS)[keyof typeof KEY_LABELS]
