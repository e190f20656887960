import { MalformedMessageError, decodeFields } from '../../protocol/cbor.ts'
import { slotKey } from '../../protocol/slot-key.ts'
import { type VersionVector } from '../../protocol/version-vector.ts'
import type { BlockLink, Link, SlotLink } from '../../grid/blocks/frame.ts'
import { EMPTY_BYTES, equalBytes, utf8 } from '../../foundation/bytes.ts'
import { EMPTY_SPAN, NO_DOTS, type Dots, type DotSpan } from '../dots.ts'
import { decodeDots, decodeSpan, MAX_DOTS_BYTES, MAX_SPAN_BYTES } from '../encoding/dots-codec.ts'
import type { Reader } from '../encoding/reader.ts'
import {
  MAX_DEVICE_BYTES,
  MAX_EXTENSION_BYTES,
  MAX_LITERAL_BYTES,
  MAX_MTIME_MS,
  MAX_TARGET_BYTES,
  MIN_MTIME_MS,
  SEALED_WRITE_KEY_BYTES,
  type Entry,
} from '../entry.ts'
import { BrokenFolderError, InvalidNameError } from '../errors.ts'
import { checkDevice } from '../devices.ts'
import { checkName, MAX_NAME_BYTES, MAX_PATH_NAMES, type Name } from '../names.ts'
import { FIELD, KINDS, type Form } from './entry-codec.ts'

/** What an entry takes from its node. */
export interface EntrySurroundings {
  readonly form: Form
  /** The next link that no earlier entry has taken. */
  readonly takeLink: () => Link
  /** The dots of every entry in a bare node, and the span below its directories. */
  readonly stamp: { readonly dots: Dots; readonly span: DotSpan } | undefined
  readonly known: Known
}

/** Neighbours often have the same writer and the same dots: what the last one had is not decoded again. */
export class Known {
  #device = ''
  #bytes: Uint8Array = EMPTY_BYTES
  #dots = NO_DOTS

  /** @throws BrokenFolderError */
  device(text: string): string {
    if (text !== this.#device || text === '') this.#device = deviceOf(text)
    return this.#device
  }

  /** @throws BrokenFolderError */
  dots(bytes: Uint8Array): Dots {
    if (!equalBytes(bytes, this.#bytes)) {
      this.#dots = decodeDots(bytes)
      this.#bytes = bytes
    }
    return this.#dots
  }
}

/** Reads one entry. @throws BrokenFolderError unless it is one, in its only encoding, with what its kind needs */
export function readEntry(reader: Reader, surroundings: EntrySurroundings): Entry {
  const raw = new RawEntry()
  const count = reader.map(MAX_FIELDS)
  raw.count = count
  let previous = -1
  for (let at = 0; at < count; at++) {
    const number = reader.uint(MAX_FIELDS)
    if (number <= previous) throw new BrokenFolderError('the fields of an entry are not in order')
    previous = number
    readField(reader, number, raw, surroundings.known)
  }
  return entryOf(new Fields(raw, surroundings))
}

/** Bytes of the header of a map do not grow before this. */
const MAX_FIELDS = 23

/** The fields as they came; declared in one go, since there are very many of these. */
class RawEntry {
  name: Name | undefined = undefined
  kind: Entry['kind'] | undefined = undefined
  device: string | undefined = undefined
  content: Uint8Array | undefined = undefined
  sealedWriteKey: Uint8Array | undefined = undefined
  size: number | undefined = undefined
  mtime: number | undefined = undefined
  executable: true | undefined = undefined
  dots: Dots | undefined = undefined
  lastSeen: VersionVector | undefined = undefined
  extension: Uint8Array | undefined = undefined
  span: DotSpan | undefined = undefined
  files: number | undefined = undefined
  copies: number | undefined = undefined
  height: number | undefined = undefined
  count = 0
}

function readField(reader: Reader, number: number, raw: RawEntry, known: Known): void {
  switch (number) {
    case FIELD.name:
      raw.name = nameOf(reader.text({ maxBytes: MAX_NAME_BYTES }))
      return
    case FIELD.kind:
      raw.kind = KINDS[reader.uint(KINDS.length - 1)] as Entry['kind']
      return
    case FIELD.device:
      raw.device = known.device(reader.text({ maxBytes: MAX_DEVICE_BYTES }))
      return
    case FIELD.content:
      raw.content = reader.bytes({ max: Math.max(MAX_LITERAL_BYTES, MAX_TARGET_BYTES) })
      return
    case FIELD.sealedWriteKey:
      raw.sealedWriteKey = reader.bytes({
        min: SEALED_WRITE_KEY_BYTES,
        max: SEALED_WRITE_KEY_BYTES,
      })
      return
    case FIELD.size:
      raw.size = reader.uint(Number.MAX_SAFE_INTEGER)
      return
    case FIELD.mtime:
      raw.mtime = reader.int({ min: MIN_MTIME_MS, max: MAX_MTIME_MS })
      return
    case FIELD.executable:
      raw.executable = reader.true()
      return
    case FIELD.dots:
      raw.dots = known.dots(reader.bytes({ max: MAX_DOTS_BYTES }))
      return
    case FIELD.lastSeen:
      raw.lastSeen = decodeDots(reader.bytes({ max: MAX_DOTS_BYTES }))
      return
    case FIELD.extension:
      raw.extension = extensionOf(reader.bytes({ max: MAX_EXTENSION_BYTES }))
      return
    case FIELD.span:
      raw.span = reader.isNull()
        ? { kind: 'scattered' }
        : decodeSpan(reader.bytes({ max: MAX_SPAN_BYTES }))
      return
    case FIELD.files:
      raw.files = reader.uint(Number.MAX_SAFE_INTEGER)
      return
    case FIELD.copies:
      raw.copies = reader.uint(Number.MAX_SAFE_INTEGER)
      return
    case FIELD.height:
      raw.height = reader.uint(MAX_PATH_NAMES - 1)
      return
    default:
      throw new BrokenFolderError('an entry has an unknown field')
  }
}

/** The fields of one entry; what is taken is checked to be there, and in the end that nothing is left. */
class Fields {
  readonly #raw: RawEntry
  readonly #surroundings: EntrySurroundings
  #taken = 0

  constructor(raw: RawEntry, surroundings: EntrySurroundings) {
    this.#raw = raw
    this.#surroundings = surroundings
  }

  /** Each field is asked for once at most. */
  take<K extends keyof RawEntry>(key: K): NonNullable<RawEntry[K]> {
    const value = this.takeIfPresent(key)
    if (value === undefined) throw new BrokenFolderError(`an entry has no ${key}`)
    return value
  }

  takeIfPresent<K extends keyof RawEntry>(key: K): NonNullable<RawEntry[K]> | undefined {
    const value = this.#raw[key]
    if (value !== undefined) this.#taken += 1
    return value ?? undefined
  }

  takeKey(): Uint8Array {
    const key = this.take('content')
    if (key.length !== 32) throw new BrokenFolderError('a key has not 32 bytes')
    return key
  }

  takeDots(): Dots {
    const { form, stamp } = this.#surroundings
    if (form === 'full') return this.take('dots')
    if (stamp === undefined) throw new BrokenFolderError('an entry has no dot')
    return stamp.dots
  }

  /** @param isEmpty whether there is no entry below that could have a dot */
  takeSpan(isEmpty: boolean): DotSpan {
    const { form, stamp } = this.#surroundings
    if (form === 'full') {
      const span = this.take('span')
      if ((span.kind === 'empty') !== isEmpty) throw new BrokenFolderError('dots do not add up')
      return span
    }
    if (isEmpty) return EMPTY_SPAN
    if (stamp === undefined) throw new BrokenFolderError('an entry has no dot')
    return stamp.span
  }

  takeBlockLink(): BlockLink {
    const link = this.#surroundings.takeLink()
    if (link.type !== 'block') throw new BrokenFolderError('an entry has a link of another kind')
    return link
  }

  takeSlotLink(): SlotLink {
    const link = this.#surroundings.takeLink()
    if (link.type !== 'slot') throw new BrokenFolderError('an entry has a link of another kind')
    return link
  }

  assertNoneLeft(): void {
    if (this.#taken !== this.#raw.count) {
      throw new BrokenFolderError('an entry has a field that it must not')
    }
  }
}

function entryOf(fields: Fields): Entry {
  const name = fields.take('name')
  const kind = fields.take('kind')
  const entry = kind === 'directory' ? directoryOf(fields, name) : versionOf(fields, kind, name)
  fields.assertNoneLeft()
  return entry
}

function versionOf(fields: Fields, kind: Exclude<Entry['kind'], 'directory'>, name: Name): Entry {
  const dots = fields.takeDots()
  if (dots.size === 0) throw new BrokenFolderError('an entry has no dot')
  const extension = fields.takeIfPresent('extension')
  const common = {
    name,
    dots,
    mtimeMs: fields.take('mtime'),
    device: fields.takeIfPresent('device') ?? '',
    ...(extension === undefined ? {} : { extension }),
  }
  switch (kind) {
    case 'file': {
      const { id, verifyKey } = fields.takeBlockLink()
      const reference = { key: fields.takeKey(), id }
      const sizeBytes = fields.take('size')
      const isExecutable = fields.takeIfPresent('executable') ?? false
      return { kind, ...common, reference, verifyKey, sizeBytes, isExecutable }
    }
    case 'literal': {
      const isExecutable = fields.takeIfPresent('executable') ?? false
      return { kind, ...common, bytes: fields.take('content'), isExecutable }
    }
    case 'symlink':
      return { kind, ...common, target: targetOf(fields.take('content')) }
    case 'linked-folder':
    case 'linked-file': {
      const { slot, verifyKey } = fields.takeSlotLink()
      const readKey = fields.takeKey()
      const sealedWriteKey = fields.takeIfPresent('sealedWriteKey')
      const lastSeen = fields.takeIfPresent('lastSeen')
      const optional = {
        ...(sealedWriteKey === undefined ? {} : { sealedWriteKey }),
        ...(lastSeen === undefined ? {} : { lastSeen }),
      }
      return { kind, ...common, slot: slotKey(slot), readKey, verifyKey, ...optional }
    }
  }
}

function directoryOf(fields: Fields, name: Name): Entry {
  const dots = fields.takeDots()
  const { id, verifyKey } = fields.takeBlockLink()
  const key = fields.takeKey()
  const files = fields.take('files')
  const height = fields.take('height')
  const totals = {
    files,
    copies: fields.take('copies'),
    sizeBytes: fields.take('size'),
    newestMs: fields.takeIfPresent('mtime'),
    height,
    dots: fields.takeSpan(files === 0 && height === 0),
  }
  if (dots.size === 0 && totals.dots.kind === 'empty') {
    throw new BrokenFolderError('a directory that nobody made has nothing in it')
  }
  return { kind: 'directory', name, dots, reference: { key, id }, verifyKey, totals }
}

function nameOf(text: string): Name {
  try {
    return checkName(text)
  } catch (error) {
    throw new BrokenFolderError('an entry has a name that is none', { cause: error })
  }
}

function deviceOf(text: string): string {
  if (text === '') throw new BrokenFolderError('an absent device is written out')
  try {
    return checkDevice(text)
  } catch (error) {
    if (!(error instanceof InvalidNameError)) throw error
    throw new BrokenFolderError('a device has a name that is none', { cause: error })
  }
}

function targetOf(bytes: Uint8Array): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  if (bytes.length === 0 || bytes.length > MAX_TARGET_BYTES || !equalBytes(utf8(text), bytes)) {
    throw new BrokenFolderError('a symbolic link leads to what is no path')
  }
  return text
}

function extensionOf(bytes: Uint8Array): Uint8Array {
  try {
    if (decodeFields(bytes).size > 0) return bytes
  } catch (error) {
    if (!(error instanceof MalformedMessageError)) throw error
    throw new BrokenFolderError('an extension is no map in deterministic CBOR', { cause: error })
  }
  throw new BrokenFolderError('an absent extension is written out')
}
