/**
 * Bytes and their brands. A brand is a compile-time mark: a `BlockId` is a `Uint8Array` that only the one
 * module which checks block ids may mint, so a function that takes one need not check it again.
 */
declare const brand: unique symbol
/** A value of type `T` that is known to be more than that. */
export type Branded<T, Name extends string> = T & { readonly [brand]: Name }

export const EMPTY_BYTES: Uint8Array = new Uint8Array(0)

/** Joins parts into one new array. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const joined = allocateBytes(length)
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}

/**
 * New memory with unspecified contents, for callers that overwrite all of it. Never a slice of a shared pool: it
 * starts at an 8-byte boundary, which the erasure code's XOR needs for its word-wise path.
 */
export function allocateBytes(length: number): Uint8Array<ArrayBuffer> {
  const buffer = Buffer.allocUnsafeSlow(length)
  return new Uint8Array(buffer.buffer, 0, length)
}

/** Whether two arrays hold the same bytes. Not constant in time: for public values only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0
}

/** Lexicographic order, as `Array.sort` wants it. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b)
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** @returns the bytes, or undefined if `text` is not an even number of hexadecimal digits. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) return undefined
  return new Uint8Array(Buffer.from(text, 'hex'))
}

const UTF8 = new TextEncoder()

export function utf8(text: string): Uint8Array {
  return UTF8.encode(text)
}

/** A view for reading and writing big-endian integers. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
