import { verifyKeyOf } from '../../crypto/block-keys.ts'
import { equalBytes, utf8, viewOf } from '../../foundation/bytes.ts'
import { assert, HayloftError } from '../../foundation/error.ts'
import {
  arrayField,
  bytesField,
  checkBytes,
  decodeFields,
  encodeFields,
  integerField,
  MalformedMessageError,
  type Fields,
} from '../../protocol/cbor.ts'
import { paddedBytes } from '../../protocol/padding.ts'
import { MAX_SLOT_PAYLOAD_BYTES, SLOT_LINKS, SLOT_LINKS_BYTES } from '../../protocol/slot-record.ts'
import { decodeLinks, encodeLinks, LINK_BYTES, type Link } from '../blocks/frame.ts'
import { BrokenFileError } from '../errors.ts'
import type { BlockReference } from '../files/index-node.ts'

/** What one record of a slot says to those who may read it. */
export interface SlotContents {
  readonly kind: SlotKind
  /** The topmost block of the present state. */
  readonly root?: BlockReference | undefined
  /** History blocks of the states that this one replaced; at most {@link MAX_PARENTS}. */
  readonly parents: readonly BlockReference[]
  readonly sizeBytes?: number | undefined
  /** When the user last changed it, in milliseconds since 1970 by the calendar of their device. */
  readonly modifiedMs?: number | undefined
  /** What the user calls the device that wrote this; at most {@link MAX_DEVICE_BYTES} of UTF-8. */
  readonly device?: string | undefined
  /** What a link leads to, in the bytes of its text form. */
  readonly capability?: Uint8Array | undefined
  /** The content of a file itself, in place of a root that leads to it; at most {@link MAX_INLINE_BYTES}. */
  readonly inline?: Uint8Array | undefined
  /**
   * What a file with inline content was right before, the newest first, one state replaced by the next. The parents are
   * those of the last of them; without any, those of this state. Absent rather than empty.
   */
  readonly carried?: readonly CarriedState[] | undefined
}

/** An earlier state of a file that the record of a later one holds whole, rather than a history block. */
export interface CarriedState {
  readonly inline: Uint8Array
  readonly modifiedMs: number
  readonly device?: string | undefined
}

export type SlotKind = 'file' | 'folder' | 'link' | 'roster' | 'deleted'

/** Their places are the numbers of the format. */
const KINDS: readonly SlotKind[] = ['file', 'folder', 'link', 'roster', 'deleted']

export const MAX_PARENTS = SLOT_LINKS - 1
const MAX_DEVICE_BYTES = 64
const MAX_CAPABILITY_BYTES = 128
/** As much as a folder's entry holds in place of a file. */
export const MAX_INLINE_BYTES = 1024
const MAX_CARRIED = 64
const KEY_BYTES = 32
/** Before the CBOR: its length. */
const LENGTH_BYTES = 2

/** A record that its slot's key has signed and that no conforming writer makes, or that does not open. */
export class BrokenSlotRecordError extends HayloftError {
  readonly code = 'slot-record-broken'

  constructor(why: string, options?: ErrorOptions) {
    super(`A state of this slot is not one that Hayloft wrote: ${why}.`, options)
  }
}

/** The plaintext of the links box: root, then parents, each 65 bytes; a place without a link is all zeros. */
export function encodeSlotLinks({ root, parents }: SlotContents): Uint8Array {
  assert(parents.length <= MAX_PARENTS, 'a record has at most three parents')
  const bytes = new Uint8Array(SLOT_LINKS_BYTES)
  if (root !== undefined) encodeLinks([linkTo('block', root)], bytes)
  const links = parents.map((parent) => linkTo('history', parent))
  encodeLinks(links, bytes.subarray(LINK_BYTES))
  return bytes
}

export interface SlotLinks {
  readonly root: Link | undefined
  readonly parents: readonly Link[]
}

/** @throws BrokenSlotRecordError */
export function decodeSlotLinks(bytes: Uint8Array): SlotLinks {
  const places = Array.from({ length: SLOT_LINKS }, (_, at) =>
    bytes.subarray(at * LINK_BYTES, (at + 1) * LINK_BYTES),
  )
  const [root, ...parents] = places.map((place) =>
    place.every((byte) => byte === 0) ? undefined : linkIn(place),
  )
  const used = parents.filter((link) => link !== undefined)
  if (parents.slice(0, used.length).includes(undefined)) {
    throw new BrokenSlotRecordError('there is a gap among its parents')
  }
  if (root?.type !== undefined && root.type !== 'block') {
    throw new BrokenSlotRecordError('its root is no block')
  }
  if (used.some(({ type }) => type !== 'history')) {
    throw new BrokenSlotRecordError('a parent is no history')
  }
  return { root, parents: used }
}

/** Whether a record has room for all that. */
export function fitsRecord(contents: SlotContents): boolean {
  const carried = contents.carried?.length ?? 0
  return (
    carried <= MAX_CARRIED &&
    LENGTH_BYTES + encodeContentFields(contents).length <= MAX_SLOT_PAYLOAD_BYTES
  )
}

/** The plaintext of the payload box: `u16 length ‖ CBOR ‖ zeros`, padded to 512 to 4,096 bytes. */
export function encodeSlotPayload(contents: SlotContents): Uint8Array {
  const encoded = encodeContentFields(contents)
  const usedBytes = LENGTH_BYTES + encoded.length
  assert(usedBytes <= MAX_SLOT_PAYLOAD_BYTES, 'a payload fits its box')
  const bytes = new Uint8Array(paddedBytes(usedBytes))
  viewOf(bytes).setUint16(0, encoded.length)
  bytes.set(encoded, LENGTH_BYTES)
  return bytes
}

/** @throws BrokenSlotRecordError */
export function decodeSlotPayload(bytes: Uint8Array, links: SlotLinks): SlotContents {
  const end = LENGTH_BYTES + viewOf(bytes).getUint16(0)
  if (
    end > bytes.length ||
    paddedBytes(end) !== bytes.length ||
    bytes.subarray(end).some((byte) => byte !== 0)
  ) {
    throw new BrokenSlotRecordError('its payload is padded in another way')
  }
  return decodeContentFields(bytes.subarray(LENGTH_BYTES, end), links)
}

/** A payload's CBOR alone, as a history block keeps it. */
export function encodeContentFields(contents: SlotContents): Uint8Array {
  const { kind, root, parents, sizeBytes, modifiedMs, device, capability, inline, carried } =
    contents
  assert(
    device === undefined || utf8(device).length <= MAX_DEVICE_BYTES,
    'a device has a short name',
  )
  assert((capability?.length ?? 0) <= MAX_CAPABILITY_BYTES, 'a capability is short')
  const values = [
    KINDS.indexOf(kind),
    root?.key,
    sizeBytes,
    modifiedMs,
    device,
    parents.length === 0 ? undefined : parents.map(({ key }) => key),
    capability,
    inline,
    carried?.map(carriedItems),
  ]
  const fields = values.flatMap((value, key): [number, unknown][] =>
    value === undefined ? [] : [[key, value]],
  )
  return encodeFields(new Map(fields))
}

/** @throws BrokenSlotRecordError unless the keys fit the links */
export function decodeContentFields(encoded: Uint8Array, links: SlotLinks): SlotContents {
  try {
    return readFields(decodeFields(encoded), links)
  } catch (error) {
    if (!(error instanceof MalformedMessageError)) throw error
    throw new BrokenSlotRecordError('its payload is malformed', { cause: error })
  }
}

function readFields(fields: Fields, links: SlotLinks): SlotContents {
  for (const key of fields.keys()) {
    if (key < 0 || key > 8) throw new BrokenSlotRecordError('its payload has an unknown field')
  }
  const kind = KINDS[integerField(fields, 0, { max: KINDS.length - 1 })]
  if (kind === undefined) throw new BrokenSlotRecordError('it is of an unknown kind')
  const sizeOf32 = { min: KEY_BYTES, max: KEY_BYTES }
  const root = fields.has(1) ? bytesField(fields, 1, sizeOf32) : undefined
  const keys = fields.has(5)
    ? arrayField(fields, 5, { max: MAX_PARENTS }).map((key) =>
        checkBytes(key, 'The key of a parent', sizeOf32),
      )
    : []
  if (fields.has(5) && keys.length === 0) {
    throw new BrokenSlotRecordError('it has an empty list of parents')
  }
  if ((root === undefined) !== (links.root === undefined) || keys.length !== links.parents.length) {
    throw new BrokenSlotRecordError('its keys do not fit its links')
  }
  return {
    kind,
    ...(root !== undefined && links.root !== undefined && { root: referenceOf(root, links.root) }),
    parents: keys.map((key, at) => referenceOf(key, links.parents[at] as Link)),
    ...(fields.has(2) && { sizeBytes: integerField(fields, 2, { max: Number.MAX_SAFE_INTEGER }) }),
    ...(fields.has(3) && { modifiedMs: integerField(fields, 3, { max: Number.MAX_SAFE_INTEGER }) }),
    ...(fields.has(4) && { device: deviceField(fields) }),
    ...(fields.has(6) && { capability: bytesField(fields, 6, { max: MAX_CAPABILITY_BYTES }) }),
    ...inlineFields(fields, kind),
  }
}

/** @throws BrokenSlotRecordError, MalformedMessageError */
function inlineFields(fields: Fields, kind: SlotKind): Pick<SlotContents, 'inline' | 'carried'> {
  if (!fields.has(7)) {
    if (fields.has(8)) throw new BrokenSlotRecordError('it carries states without being one')
    return {}
  }
  const inline = bytesField(fields, 7, { max: MAX_INLINE_BYTES })
  if (kind !== 'file' || fields.has(1) || fields.get(2) !== inline.length) {
    throw new BrokenSlotRecordError('it holds the content of another file than it tells of')
  }
  if (!fields.has(8)) return { inline }
  const items = arrayField(fields, 8, { max: MAX_CARRIED })
  if (items.length === 0) throw new BrokenSlotRecordError('it carries an empty list of states')
  return { inline, carried: items.map(carriedIn) }
}

/** As a state is carried: content, time, and the device if it has a name. */
function carriedItems({ inline, modifiedMs, device }: CarriedState): unknown[] {
  return device === undefined ? [inline, modifiedMs] : [inline, modifiedMs, device]
}

/** @throws BrokenSlotRecordError, MalformedMessageError */
function carriedIn(item: unknown): CarriedState {
  if (!Array.isArray(item) || item.length < 2 || item.length > 3) {
    throw new BrokenSlotRecordError('a state that it carries is none')
  }
  // The numbers under which a record itself has these.
  const fields: Fields = new Map([
    [7, item[0]],
    [3, item[1]],
    ...(item.length === 3 ? [[4, item[2]] as const] : []),
  ])
  return {
    inline: bytesField(fields, 7, { max: MAX_INLINE_BYTES }),
    modifiedMs: integerField(fields, 3, { max: Number.MAX_SAFE_INTEGER }),
    ...(fields.has(4) && { device: deviceField(fields) }),
  }
}

function linkIn(place: Uint8Array): Link {
  try {
    return decodeLinks(place)[0] as Link
  } catch (error) {
    if (!(error instanceof BrokenFileError)) throw error
    throw new BrokenSlotRecordError('it has a link of an unknown type', { cause: error })
  }
}

function deviceField(fields: Fields): string {
  const device = fields.get(4)
  if (typeof device !== 'string' || utf8(device).length > MAX_DEVICE_BYTES) {
    throw new BrokenSlotRecordError('its device has no short name')
  }
  return device
}

/** What a reader follows must be what a verifier follows, or one could be shown what the other keeps no share of. */
function referenceOf(key: Uint8Array, link: Link): BlockReference {
  if (link.type === 'slot' || !equalBytes(verifyKeyOf(key), link.verifyKey)) {
    throw new BrokenSlotRecordError('its keys do not fit its links')
  }
  return { key, id: link.id }
}

export function linkTo(type: 'block' | 'history', { key, id }: BlockReference): Link {
  return { type, id, verifyKey: verifyKeyOf(key) }
}
