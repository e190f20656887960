import { openBox, sealBox } from '../../crypto/aead.ts'
import {
  slotReadKeys,
  slotVerifyKeys,
  type SlotReadKey,
  type SlotVerifyKey,
  type SlotWriteKeys,
} from '../../capabilities/slot-keys.ts'
import { concatBytes, equalBytes } from '../../foundation/bytes.ts'
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

/** Opened once for each key that is used. @throws BrokenSlotRecordError */
export function openRecord(readKey: SlotReadKey, record: SlotRecord): OpenedRecord {
  const last = OPENED.get(record)
  if (last !== undefined && equalBytes(last.readKey, readKey)) return last.opened
  const opened = openAnew(readKey, record)
  OPENED.set(record, { readKey, opened })
  return opened
}

/** Notes what a record says that was just sealed with this key, so that it need not be opened to be known. */
export function rememberOpened(readKey: SlotReadKey, opened: OpenedRecord): void {
  OPENED.set(opened.record, { readKey, opened })
}

/** What records say, for as long as they are held: by whoever knows of a slot. */
const OPENED = new WeakMap<SlotRecord, { readKey: SlotReadKey; opened: OpenedRecord }>()

function openAnew(readKey: SlotReadKey, record: SlotRecord): OpenedRecord {
  const { linksBoxKey, payloadBoxKey } = slotReadKeys(readKey)
  const links = openLinksWith(linksBoxKey, record)
  const box = { key: payloadBoxKey, nonce: record.nonce, associatedData: record.head }
  const payload = openBox(box, record.payloadBox)
  if (payload === undefined) throw new BrokenSlotRecordError('its payload does not fit the key')
  return { record, contents: decodeSlotPayload(payload, links) }
}

/** Opens only what the right to verify opens. @throws BrokenSlotRecordError */
export function openRecordLinks(verifyKey: SlotVerifyKey, record: SlotRecord): SlotLinks {
  return openLinksWith(slotVerifyKeys(verifyKey).linksBoxKey, record)
}

function openLinksWith(linksBoxKey: Uint8Array, record: SlotRecord): SlotLinks {
  const box = { key: linksBoxKey, nonce: record.nonce, associatedData: record.head }
  const links = openBox(box, record.linksBox)
  if (links === undefined) throw new BrokenSlotRecordError('its links do not fit the key')
  return decodeSlotLinks(links)
}
