import { assert } from '../../foundation/error.ts'

/** Writes deterministic CBOR (RFC 8949 §4.2.1) and plain big-endian numbers, one item after another. */
export class Writer {
  #bytes = new Uint8Array(FIRST_BYTES)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** A copy of all that was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  u8(value: number): void {
    const at = this.#grow(1)
    this.#bytes[at] = value
  }

  u16(value: number): void {
    const at = this.#grow(2)
    this.#view.setUint16(at, value)
  }

  u32(value: number): void {
    const at = this.#grow(4)
    this.#view.setUint32(at, value)
  }

  u64(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, 'a number is whole and below 2^53')
    const at = this.#grow(8)
    this.#view.setBigUint64(at, BigInt(value))
  }

  raw(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length)
    const into = this.#bytes
    if (bytes.length > SHORT_RAW) into.set(bytes, at)
    else for (let i = 0; i < bytes.length; i++) into[at + i] = bytes[i] as number
  }

  map(pairs: number): void {
    this.#head(MAJOR_MAP, pairs)
  }

  int(value: number): void {
    if (value >= 0) this.#head(MAJOR_UINT, value)
    else this.#head(MAJOR_NEGATIVE, -1 - value)
  }

  bytes(value: Uint8Array): void {
    this.#head(MAJOR_BYTES, value.length)
    this.raw(value)
  }

  text(value: string): void {
    const start = this.#length
    if (value.length <= SHORT_TEXT && this.#ascii(value)) return
    this.#length = start
    const length = Buffer.byteLength(value)
    this.#head(MAJOR_TEXT, length)
    const at = this.#grow(length)
    ENCODER.encodeInto(value, this.#bytes.subarray(at, at + length))
  }

  /** To hand a name to an encoder takes longer than to write it. @returns false if it is more than ASCII */
  #ascii(value: string): boolean {
    this.#head(MAJOR_TEXT, value.length)
    let at = this.#grow(value.length)
    const bytes = this.#bytes
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      if (code >= 0x80) return false
      bytes[at++] = code
    }
    return true
  }

  true(): void {
    this.u8(CBOR_TRUE)
  }

  null(): void {
    this.u8(CBOR_NULL)
  }

  #head(major: number, value: number): void {
    const type = major << 5
    if (value < 24) {
      this.u8(type | value)
    } else if (value < 2 ** 8) {
      this.u8(type | 24)
      this.u8(value)
    } else if (value < 2 ** 16) {
      this.u8(type | 25)
      this.u16(value)
    } else if (value < 2 ** 32) {
      this.u8(type | 26)
      this.u32(value)
    } else {
      this.u8(type | 27)
      this.u64(value)
    }
  }

  /** Makes room for `count` bytes and returns where they begin. The memory may be another one afterwards. */
  #grow(count: number): number {
    const start = this.#length
    this.#length += count
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2))
      larger.set(this.#bytes)
      this.#bytes = larger
      this.#view = new DataView(larger.buffer)
    }
    return start
  }
}

/** What takes an entry's fields: a writer, or one who only wants to know how many bytes they take. */
export type Sink = Pick<Writer, 'map' | 'int' | 'bytes' | 'text' | 'true' | 'null'>

/** Counts the bytes that a {@link Writer} would write. */
export class Sizer implements Sink {
  length = 0

  map(pairs: number): void {
    this.int(pairs)
  }

  int(value: number): void {
    this.length += headBytes(value < 0 ? -1 - value : value)
  }

  bytes({ length }: { length: number }): void {
    this.length += headBytes(length) + length
  }

  text(value: string): void {
    this.bytes({ length: Buffer.byteLength(value) })
  }

  true(): void {
    this.length += 1
  }

  null(): void {
    this.length += 1
  }
}

function headBytes(value: number): number {
  if (value < 24) return 1
  if (value < 2 ** 8) return 2
  if (value < 2 ** 16) return 3
  return value < 2 ** 32 ? 5 : 9
}

/** Major types of RFC 8949 §3.1, and its two simple values that entries use. */
export const MAJOR_UINT = 0
export const MAJOR_NEGATIVE = 1
export const MAJOR_BYTES = 2
export const MAJOR_TEXT = 3
export const MAJOR_MAP = 5
export const CBOR_TRUE = 0xf5
export const CBOR_NULL = 0xf6
/** Most entries fit. */
const FIRST_BYTES = 512
/** Up to here a loop takes less than a call. */
const SHORT_TEXT = 64
const SHORT_RAW = 32
const ENCODER = new TextEncoder()
