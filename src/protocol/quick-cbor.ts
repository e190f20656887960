import { viewOf } from '../foundation/bytes.ts'

/**
 * Deterministic CBOR (RFC 8949 §4.2.1) of what messages consist of: whole numbers, byte strings, text, true, false,
 * null, arrays, and maps with whole numbers as keys. Written for speed, as every request passes here four times; what it
 * declines, a complete encoder and decoder must judge.
 */
type Declined = typeof DECLINED
export const DECLINED = Symbol('not for the quick encoder')

/** @returns {@link DECLINED} for values of other types, and for what is large or deep */
export function quickEncode(value: unknown): Uint8Array | Declined {
  const end = write(value, 0, 0)
  return end === OVER ? DECLINED : SCRATCH.slice(0, end)
}

/** @returns {@link DECLINED} for anything but the one encoding of a value of these types, damaged or not */
export function quickDecode(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes)
  try {
    const value = reader.item(0)
    return reader.isAtEnd ? value : DECLINED
  } catch (error) {
    if (error === DECLINING) return DECLINED
    throw error
  }
}

/** Writes a value at an offset. @returns where it ends */
function write(value: unknown, at: number, depth: number): number {
  if (at === OVER || depth > MAX_DEPTH) return OVER
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) return OVER
    return value < 0 ? writeHead(NEGATIVE, -1 - value, at) : writeHead(UNSIGNED, value, at)
  }
  if (value instanceof Uint8Array) return writeBytes(BYTES, value, at)
  if (typeof value === 'string') return writeBytes(TEXT, ENCODER.encode(value), at)
  if (value === true || value === false || value === null) {
    return writeHead(SIMPLE, value === null ? 22 : value ? 21 : 20, at)
  }
  if (Array.isArray(value)) {
    let end = writeHead(ARRAY, value.length, at)
    for (const item of value as unknown[]) end = write(item, end, depth + 1)
    return end
  }
  return value instanceof Map ? writeMap(value as Map<unknown, unknown>, at, depth) : OVER
}

function writeMap(map: ReadonlyMap<unknown, unknown>, at: number, depth: number): number {
  let end = writeHead(MAP, map.size, at)
  for (const key of inOrder(map)) {
    if (typeof key !== 'number' || !Number.isSafeInteger(key) || key < 0) return OVER
    end = write(map.get(key), writeHead(UNSIGNED, key, end), depth + 1)
  }
  return end
}

/** Most maps are made in the order of their keys. */
function inOrder(map: ReadonlyMap<unknown, unknown>): Iterable<unknown> {
  let last = -1
  for (const key of map.keys()) {
    if (typeof key !== 'number') return map.keys()
    if (key <= last) return [...map.keys()].sort((a, b) => Number(a) - Number(b))
    last = key
  }
  return map.keys()
}

function writeBytes(major: number, bytes: Uint8Array, at: number): number {
  const start = writeHead(major, bytes.length, at)
  if (start === OVER || start + bytes.length > SCRATCH.length - HEAD_BYTES) return OVER
  SCRATCH.set(bytes, start)
  return start + bytes.length
}

function writeHead(major: number, value: number, at: number): number {
  if (at === OVER || at > SCRATCH.length - HEAD_BYTES) return OVER
  const type = major << 5
  if (value < 24) {
    SCRATCH[at] = type | value
    return at + 1
  }
  const size = value < 2 ** 8 ? 0 : value < 2 ** 16 ? 1 : value < 2 ** 32 ? 2 : 3
  SCRATCH[at] = type | (24 + size)
  if (size === 0) SCRATCH[at + 1] = value
  else if (size === 1) VIEW.setUint16(at + 1, value)
  else if (size === 2) VIEW.setUint32(at + 1, value)
  else VIEW.setBigUint64(at + 1, BigInt(value))
  return at + 1 + 2 ** size
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = viewOf(bytes)
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  item(depth: number): unknown {
    if (depth > MAX_DEPTH) throw DECLINING
    const first = this.#u8()
    const major = first >> 5
    const value = this.#argument(first & 31)
    switch (major) {
      case UNSIGNED:
        return value
      case NEGATIVE:
        if (value === Number.MAX_SAFE_INTEGER) throw DECLINING
        return -1 - value
      case BYTES:
        return this.#take(value).slice()
      case TEXT:
        return this.#text(value)
      case ARRAY:
        return this.#array(value, depth)
      case MAP:
        return this.#map(value, depth)
      case SIMPLE:
        if ((first & 31) === 20) return false
        if ((first & 31) === 21) return true
        if ((first & 31) === 22) return null
    }
    throw DECLINING
  }

  #array(count: number, depth: number): unknown[] {
    // Every item takes a byte at least, so nothing is set aside for what cannot come.
    if (count > this.#bytes.length - this.#at) throw DECLINING
    const items: unknown[] = []
    for (let at = 0; at < count; at++) items.push(this.item(depth + 1))
    return items
  }

  #map(count: number, depth: number): Map<number, unknown> {
    const map = new Map<number, unknown>()
    let last = -1
    for (let at = 0; at < count; at++) {
      const first = this.#u8()
      if (first >> 5 !== UNSIGNED) throw DECLINING
      const key = this.#argument(first)
      if (key <= last) throw DECLINING
      last = key
      map.set(key, this.item(depth + 1))
    }
    return map
  }

  #text(length: number): string {
    const bytes = this.#take(length)
    try {
      return DECODER.decode(bytes)
    } catch {
      throw DECLINING
    }
  }

  /** What follows the type: a number in its shortest form. */
  #argument(short: number): number {
    if (short < 24) return short
    const [size, least] = short === 24 ? [1, 24] : short === 25 ? [2, 2 ** 8] : [4, 2 ** 16]
    const start = this.#at
    let value: number
    if (short <= 26) {
      this.#take(size)
      value =
        size === 1
          ? this.#view.getUint8(start)
          : size === 2
            ? this.#view.getUint16(start)
            : this.#view.getUint32(start)
      if (value < least) throw DECLINING
      return value
    }
    if (short !== 27) throw DECLINING
    this.#take(8)
    value = this.#view.getUint32(start) * 2 ** 32 + this.#view.getUint32(start + 4)
    if (value < 2 ** 32 || value > Number.MAX_SAFE_INTEGER) throw DECLINING
    return value
  }

  #u8(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw DECLINING
    this.#at += 1
    return byte
  }

  #take(count: number): Uint8Array {
    const start = this.#at
    if (count > this.#bytes.length - start) throw DECLINING
    this.#at = start + count
    return this.#bytes.subarray(start, this.#at)
  }
}

/** One for all: to make an error takes longer than to read a header. */
const DECLINING = new Error('this is for the complete decoder')

/** Major types of RFC 8949 §3.1. */
const UNSIGNED = 0
const NEGATIVE = 1
const BYTES = 2
const TEXT = 3
const ARRAY = 4
const MAP = 5
const SIMPLE = 7

const MAX_DEPTH = 8
/** Longer than any head. */
const HEAD_BYTES = 9
/** Where headers are written, one after the other; the largest that a message may have fits. */
const SCRATCH = new Uint8Array(72 * 1024)
const VIEW = viewOf(SCRATCH)
/** In place of an offset: it does not fit, or is not for us. */
const OVER = -1
const ENCODER = new TextEncoder()
const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
