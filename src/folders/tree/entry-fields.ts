import { EMPTY_BYTES, equalBytes } from '../../foundation/bytes.ts'
import { decodeFields, MalformedMessageError } from '../../protocol/cbor.ts'
import type { VersionVector } from '../../protocol/version-vector.ts'
import { checkDevice } from '../devices.ts'
import { NO_DOTS, type Dots, type DotSpan } from '../dots.ts'
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
import { checkName, MAX_NAME_BYTES, MAX_PATH_NAMES, type Name } from '../names.ts'
import { FIELD, KINDS } from './entry-codec.ts'

/** An entry's fields as they came, each valid by itself. Declared in one go, since there are very many of these. */
export class RawEntry {
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
  /** A bit for each field that is there: 1 shifted by its number. */
  present = 0
  /** Bytes of the fields that a bare encoding leaves out. */
  dotsBytes = 0
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

/** Reads a map of fields in order. @throws BrokenFolderError */
export function readFields(reader: Reader, known: Known): RawEntry {
  const raw = new RawEntry()
  const count = reader.map(MAX_FIELDS)
  let previous = -1
  for (let at = 0; at < count; at++) {
    const start = reader.offset
    const number = reader.uint(MAX_FIELDS)
    if (number <= previous) throw new BrokenFolderError('the fields of an entry are not in order')
    previous = number
    readField(reader, number, raw, known)
    raw.present |= 1 << number
    if (number === FIELD.dots || number === FIELD.span) raw.dotsBytes += reader.offset - start
  }
  return raw
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

/** Bytes of the header of a map do not grow before this. */
const MAX_FIELDS = 23

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

function extensionOf(bytes: Uint8Array): Uint8Array {
  try {
    if (decodeFields(bytes).size > 0) return bytes
  } catch (error) {
    if (!(error instanceof MalformedMessageError)) throw error
    throw new BrokenFolderError('an extension is no map in deterministic CBOR', { cause: error })
  }
  throw new BrokenFolderError('an absent extension is written out')
}
