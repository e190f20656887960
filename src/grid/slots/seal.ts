import { openBox, sealBox } from '../../crypto/aead.ts'
import {
  slotReadKeys,
  slotVerifyKeys,
  type SlotReadKey,
  type SlotVerifyKey,
  type SlotWriteKeys,
} from '../../capabilities/slot-keys.ts'
import { concatBytes } from '../../foundation/bytes.ts'
import type { Randomness } from '../../foundation/randomness.ts'
import type { SlotKey } from '../../protocol/slot-key.ts'
import { encodeSlotHead, SLOT_NONCE_BYTES, type SlotRecord } from '../../protocol/slot-record.ts'
import type { VersionVector } from '../../protocol/version-vector.ts'
import {
  BrokenSlotRecordError,
  decodeSlotLinks,
  decodeSlotPayload,
  encodeSlotLinks,
  encodeSlotPayload,
  type SlotContents,
  type SlotLinks,
} from './contents.ts'

/** Who may read a slot; a read capability of a folder or mutable file is one. */
export interface SlotReader {
  readonly slot: SlotKey
  readonly readKey: SlotReadKey
}

/** A record and what it says. */
export interface OpenedRecord {
  readonly record: SlotRecord
  readonly contents: SlotContents
}

/**
 * Seals and signs a record. Links and payload are boxes of their own, for verifiers and for readers, under one random
 * nonce and different keys.
 * @returns the record's bytes
 */
export function sealRecord(
  keys: Pick<SlotWriteKeys, 'slot' | 'readKey' | 'sign'>,
  { contents, clock, expiresS }: { contents: SlotContents; clock: VersionVector; expiresS: number },
  randomness: Randomness,
): Uint8Array {
  const { linksBoxKey, payloadBoxKey } = slotReadKeys(keys.readKey)
  const nonce = randomness.bytes(SLOT_NONCE_BYTES)
  const head = encodeSlotHead({ slot: keys.slot, expiresS, clock, nonce })
  const box = { nonce, associatedData: head }
  const message = concatBytes([
    head,
    sealBox({ key: linksBoxKey, ...box }, encodeSlotLinks(contents)),
    sealBox({ key: payloadBoxKey, ...box }, encodeSlotPayload(contents)),
  ])
  return concatBytes([message, keys.sign(message)])
}

/** @throws BrokenSlotRecordError */
export function openRecord(readKey: SlotReadKey, record: SlotRecord): OpenedRecord {
  const { verifyKey, payloadBoxKey } = slotReadKeys(readKey)
  const links = openRecordLinks(verifyKey, record)
  const box = { key: payloadBoxKey, nonce: record.nonce, associatedData: record.head }
  const payload = openBox(box, record.payloadBox)
  if (payload === undefined) throw new BrokenSlotRecordError('its payload does not fit the key')
  return { record, contents: decodeSlotPayload(payload, links) }
}

/** Opens only what the right to verify opens. @throws BrokenSlotRecordError */
export function openRecordLinks(verifyKey: SlotVerifyKey, record: SlotRecord): SlotLinks {
  const { linksBoxKey } = slotVerifyKeys(verifyKey)
  const box = { key: linksBoxKey, nonce: record.nonce, associatedData: record.head }
  const links = openBox(box, record.linksBox)
  if (links === undefined) throw new BrokenSlotRecordError('its links do not fit the key')
  return decodeSlotLinks(links)
}
