import { viewOf } from '../../foundation/bytes.ts'
import { BrokenFolderError } from '../errors.ts'
import {
  CBOR_NULL,
  CBOR_TRUE,
  MAJOR_BYTES,
  MAJOR_MAP,
  MAJOR_NEGATIVE,
  MAJOR_TEXT,
  MAJOR_UINT,
} from './writer.ts'

/**
 * Reads what {@link ./writer.ts | Writer} writes, and nothing else: integers in their shortest form, definite lengths,
 * valid UTF-8. Every method throws BrokenFolderError for anything else and past the end. Byte strings are views.
 */
export class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #buffer: Buffer
  #at: number

  constructor(bytes: Uint8Array, start = 0) {
    this.#bytes = bytes
    this.#view = viewOf(bytes)
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#at = start
  }

  get offset(): number {
    return this.#at
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2))
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4))
  }

  /** Up to 2^53 − 1. */
  u64(): number {
    const high = this.u32()
    const low = this.u32()
    if (high >= MAX_HIGH) throw new BrokenFolderError('a number is too large')
    return high * 2 ** 32 + low
  }

  raw(count: number): Uint8Array {
    const start = this.#take(count)
    return this.#bytes.subarray(start, start + count)
  }

  map(max: number): number {
    return this.#length(MAJOR_MAP, max)
  }

  uint(max: number): number {
    return this.#length(MAJOR_UINT, max)
  }

  int({ min, max }: { min: number; max: number }): number {
    const isNegative = this.#peek() >> 5 === MAJOR_NEGATIVE
    const value = isNegative
      ? -1 - this.#length(MAJOR_NEGATIVE, -1 - min)
      : this.#length(MAJOR_UINT, max)
    if (value < min || value > max) throw new BrokenFolderError('a number is out of bounds')
    return value
  }

  bytes({ min = 0, max }: { min?: number; max: number }): Uint8Array {
    const length = this.#length(MAJOR_BYTES, max)
    if (length < min) throw new BrokenFolderError('a byte string is too short')
    return this.raw(length)
  }

  text({ maxBytes }: { maxBytes: number }): string {
    const length = this.#length(MAJOR_TEXT, maxBytes)
    const start = this.#take(length)
    const end = start + length
    // Most texts, and several times as fast.
    const latin = this.#buffer.toString('latin1', start, end)
    if (ASCII.test(latin)) return latin
    try {
      return STRICT_UTF8.decode(this.#bytes.subarray(start, end))
    } catch (error) {
      throw new BrokenFolderError('a text is not UTF-8', { cause: error })
    }
  }

  true(): true {
    if (this.u8() !== CBOR_TRUE) throw new BrokenFolderError('a flag is neither set nor absent')
    return true
  }

  /** Whether the next item is null; if so, it is read. */
  isNull(): boolean {
    if (this.#peek() !== CBOR_NULL) return false
    this.#at += 1
    return true
  }

  #length(major: number, max: number): number {
    const first = this.u8()
    if (first >> 5 !== major) throw new BrokenFolderError('an entry has a field of another type')
    const value = this.#argument(first & 31)
    if (value > max) throw new BrokenFolderError('an entry has a field that is too large')
    return value
  }

  #argument(short: number): number {
    if (short < 24) return short
    const size = short - 24
    const least = LEAST_OF_SIZE[size]
    if (least === undefined) throw new BrokenFolderError('a length is indefinite')
    const value =
      size === 0 ? this.u8() : size === 1 ? this.u16() : size === 2 ? this.u32() : this.u64()
    if (value < least) throw new BrokenFolderError('a number is not in its shortest form')
    return value
  }

  #peek(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw new BrokenFolderError('a node is cut short')
    return byte
  }

  #take(count: number): number {
    const start = this.#at
    if (start + count > this.#bytes.length) throw new BrokenFolderError('a node is cut short')
    this.#at += count
    return start
  }
}

const MAX_HIGH = 2 ** 21
/** The least value that needs 1, 2, 4 or 8 bytes beside the type. */
const LEAST_OF_SIZE = [24, 2 ** 8, 2 ** 16, 2 ** 32]
const ASCII = /^[\0-\x7f]*$/
const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
