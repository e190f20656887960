import { AEAD_TAG_BYTES } from '../crypto/aead.ts'
import { taggedHash } from '../crypto/hash.ts'
import { sign, verify } from '../crypto/signatures.ts'
import { TAGS } from '../crypto/tags.ts'
import { compareBytes, concatBytes, toHex, viewOf, type Branded } from '../foundation/bytes.ts'
import { assert, HayloftError, messageOf } from '../foundation/error.ts'
import { paddedBytes } from './padding.ts'
import { SLOT_KEY_BYTES, slotKey, type SlotKey } from './slot-key.ts'
import {
  decodeVector,
  encodeVector,
  MAX_CLOCK_TAGS,
  MalformedVectorError,
  vectorBytes,
  type VersionVector,
} from './version-vector.ts'

/**
 * One signed state of a slot, as anyone may check it and nobody without a key can read it:
 * `u8 1 ‖ 'S' ‖ P ‖ u64 expires ‖ clock ‖ nonce 24 ‖ links box 276 ‖ payload box 528 to 4,112 ‖ signature 64`,
 * where the clock is `u8 c ‖ c × (tag 8 ‖ u32 counter)` and the signature covers all before it. The payload box takes
 * what the others leave, and has one of the sizes that padding gives.
 */
export interface SlotRecord {
  /** All of it, as it is stored and sent. */
  readonly bytes: Uint8Array
  readonly slot: SlotKey
  /** Unix time in seconds from which on the record counts no more; 0 for never. */
  readonly expiresS: number
  /** What this record contains: all writes up to these counters. At least one tag. */
  readonly clock: VersionVector
  /** 24 bytes: of both boxes, whose keys differ. */
  readonly nonce: Uint8Array
  /** 276 bytes; opens with the verify key. */
  readonly linksBox: Uint8Array
  /** A padded payload and 16 bytes; opens with the read key. */
  readonly payloadBox: Uint8Array
  readonly signature: Uint8Array
  /** The bytes before the boxes: the associated data of both. */
  readonly head: Uint8Array
}

/** Links in a record: the root, and up to three parents. */
export const SLOT_LINKS = 4
const LINK_BYTES = 65
export const SLOT_LINKS_BYTES = SLOT_LINKS * LINK_BYTES
/** What a payload is padded to at least, and at most. */
const MIN_SLOT_PAYLOAD_BYTES = paddedBytes(0)
export const MAX_SLOT_PAYLOAD_BYTES = 4096
export const SLOT_NONCE_BYTES = 24
const LINKS_BOX_BYTES = SLOT_LINKS_BYTES + AEAD_TAG_BYTES
const SIGNATURE_BYTES = 64

const VERSION = 1
const LETTER = 'S'.charCodeAt(0)
const KEY_AT = 2
const EXPIRES_AT = KEY_AT + SLOT_KEY_BYTES
const CLOCK_AT = EXPIRES_AT + 8

export const MIN_SLOT_RECORD_BYTES = slotRecordBytes({
  tags: 1,
  payloadBytes: MIN_SLOT_PAYLOAD_BYTES,
})
export const MAX_SLOT_RECORD_BYTES = slotRecordBytes({
  tags: MAX_CLOCK_TAGS,
  payloadBytes: MAX_SLOT_PAYLOAD_BYTES,
})
export const RECORD_DIGEST_BYTES = 32

/** The bytes are no record, or not one that the key in it has signed. */
export class MalformedSlotRecordError extends HayloftError {
  readonly code = 'slot-record-malformed'
}

/** Bytes of a record whose clock has so many tags, with a payload that is padded to so many bytes. */
export function slotRecordBytes({
  tags,
  payloadBytes,
}: {
  readonly tags: number
  readonly payloadBytes: number
}): number {
  return (
    CLOCK_AT +
    vectorBytes(tags) +
    SLOT_NONCE_BYTES +
    LINKS_BOX_BYTES +
    payloadBytes +
    AEAD_TAG_BYTES +
    SIGNATURE_BYTES
  )
}

/** Whether a payload may be padded to so many bytes. */
function isPayloadSize(bytes: number): boolean {
  return bytes <= MAX_SLOT_PAYLOAD_BYTES && paddedBytes(bytes) === bytes
}

/**
 * Reads a record strictly and verifies its signature. Whether it has expired is for the reader's clock to say.
 * The parts are views of `bytes`.
 * @throws MalformedSlotRecordError
 */
export function decodeSlotRecord(bytes: Uint8Array): SlotRecord {
  if (bytes.length < MIN_SLOT_RECORD_BYTES || bytes[0] !== VERSION || bytes[1] !== LETTER) {
    throw new MalformedSlotRecordError('This is no slot record of version 1.')
  }
  const tags = bytes[CLOCK_AT] ?? 0
  if (tags === 0) throw new MalformedSlotRecordError('The clock of a slot record is empty.')
  const payloadBytes = bytes.length - slotRecordBytes({ tags, payloadBytes: 0 })
  if (!isPayloadSize(payloadBytes)) {
    throw new MalformedSlotRecordError('A slot record has a length that none with its clock has.')
  }
  const nonceAt = CLOCK_AT + vectorBytes(tags)
  const linksAt = nonceAt + SLOT_NONCE_BYTES
  const payloadAt = linksAt + LINKS_BOX_BYTES
  const signatureAt = payloadAt + payloadBytes + AEAD_TAG_BYTES
  const record: SlotRecord = {
    bytes,
    slot: slotKey(bytes.subarray(KEY_AT, EXPIRES_AT)),
    expiresS: readExpiry(bytes),
    clock: readClock(bytes.subarray(CLOCK_AT, nonceAt)),
    nonce: bytes.subarray(nonceAt, linksAt),
    linksBox: bytes.subarray(linksAt, payloadAt),
    payloadBox: bytes.subarray(payloadAt, signatureAt),
    signature: bytes.subarray(signatureAt),
    head: bytes.subarray(0, linksAt),
  }
  const message = bytes.subarray(0, signatureAt)
  const { slot: publicKey, signature } = record
  if (!verify(TAGS.slotSignature, { publicKey, message, signature })) {
    throw new MalformedSlotRecordError('A slot record is not signed by the key of its slot.')
  }
  return record
}

/** The bytes before the boxes, which both boxes have as their associated data. */
export function encodeSlotHead({
  slot,
  expiresS,
  clock,
  nonce,
}: Pick<SlotRecord, 'slot' | 'expiresS' | 'clock' | 'nonce'>): Uint8Array {
  assert(Number.isSafeInteger(expiresS) && expiresS >= 0, 'an expiry is a whole number')
  assert(nonce.length === SLOT_NONCE_BYTES, 'the nonce of a record has 24 bytes')
  assert(clock.size > 0, 'a record contains at least its own write')
  const expires = new Uint8Array(8)
  viewOf(expires).setBigUint64(0, BigInt(expiresS))
  return concatBytes([Uint8Array.of(VERSION, LETTER), slot, expires, encodeVector(clock), nonce])
}

/** Completes a record: `seed` is that of the key pair whose public half is the slot's key in `head`. */
export function signSlotRecord(
  seed: Uint8Array,
  { head, linksBox, payloadBox }: Pick<SlotRecord, 'head' | 'linksBox' | 'payloadBox'>,
): Uint8Array {
  assert(linksBox.length === LINKS_BOX_BYTES, 'four links are sealed in 276 bytes')
  assert(
    isPayloadSize(payloadBox.length - AEAD_TAG_BYTES),
    'a payload is padded before it is sealed',
  )
  const message = concatBytes([head, linksBox, payloadBox])
  return concatBytes([message, sign(seed, TAGS.slotSignature, message)])
}

/** `TH("hayloft1/slot-record", record)`: names one head of a slot. 32 bytes. */
export function recordDigest(bytes: Uint8Array): Uint8Array {
  return taggedHash(TAGS.slotRecord, bytes)
}

/** {@link recordDigest} as the key of a map. */
export type RecordDigestHex = Branded<string, 'RecordDigestHex'>

export function recordDigestHex(digest: Uint8Array): RecordDigestHex {
  assert(digest.length === RECORD_DIGEST_BYTES, 'a record digest has 32 bytes')
  return toHex(digest) as RecordDigestHex
}

/** `TH("hayloft1/slot-heads", the digests, sorted)`: what a watcher says it knows of a slot. Without heads, of nothing. */
export function headsDigest(digests: readonly Uint8Array[]): Uint8Array {
  return taggedHash(TAGS.slotHeads, ...digests.toSorted(compareBytes))
}

function readExpiry(bytes: Uint8Array): number {
  const expiresS = Number(viewOf(bytes).getBigUint64(EXPIRES_AT))
  if (!Number.isSafeInteger(expiresS)) {
    throw new MalformedSlotRecordError('The expiry of a slot record is no time.')
  }
  return expiresS
}

function readClock(bytes: Uint8Array): VersionVector {
  try {
    return decodeVector(bytes)
  } catch (error) {
    if (!(error instanceof MalformedVectorError)) throw error
    throw new MalformedSlotRecordError(messageOf(error), { cause: error })
  }
}
