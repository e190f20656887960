import { decode, encode, rfc8949EncodeOptions } from 'cborg'
import { equalBytes } from '../foundation/bytes.ts'
import { HayloftError } from '../foundation/error.ts'
import { DECLINED, quickDecode, quickEncode } from './quick-cbor.ts'

/** A message that breaks the protocol: wrong CBOR, a missing or mistyped field, a number out of bounds. */
export class MalformedMessageError extends HayloftError {
  readonly code = 'message-malformed'
}

/** CBOR maps with small integer keys: field number → value. */
export type Fields = Map<number, unknown>

/** Deterministic CBOR (RFC 8949 §4.2.1): one value has one encoding. */
export function encodeFields(fields: Fields): Uint8Array {
  const quick = quickEncode(fields)
  return quick === DECLINED ? encode(fields, rfc8949EncodeOptions) : quick
}

/** @throws MalformedMessageError unless `bytes` are one map in deterministic CBOR with integer keys */
export function decodeFields(bytes: Uint8Array): Fields {
  const quick = quickDecode(bytes)
  if (quick === DECLINED) return decodeSlowly(bytes)
  if (!(quick instanceof Map)) throw new MalformedMessageError('The message is not a CBOR map.')
  return quick as Fields
}

/** Of whatever CBOR there is. @throws MalformedMessageError */
function decodeSlowly(bytes: Uint8Array): Fields {
  let value: unknown
  try {
    value = decode(bytes, {
      useMaps: true,
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowNaN: false,
      allowInfinity: false,
      allowBigInt: false,
      rejectDuplicateMapKeys: true,
    })
  } catch (error) {
    throw new MalformedMessageError('The message is not valid CBOR.', { cause: error })
  }
  if (!(value instanceof Map)) throw new MalformedMessageError('The message is not a CBOR map.')
  const fields = value as Fields
  // The decoder checks neither the order of keys nor that text is UTF-8; bytes that differ when written anew fail both.
  if (!equalBytes(encode(fields, rfc8949EncodeOptions), bytes)) {
    throw new MalformedMessageError('The message is not in deterministic CBOR.')
  }
  return fields
}

/** A whole number within bounds. @throws MalformedMessageError */
export function integerField(
  fields: Fields,
  key: number,
  { min = 0, max }: { min?: number; max: number },
): number {
  const value = fields.get(key)
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
    throw new MalformedMessageError(`Field ${key} is not a whole number between ${min} and ${max}.`)
  }
  return value
}

/** Bytes within bounds. @throws MalformedMessageError */
export function bytesField(
  fields: Fields,
  key: number,
  { min = 0, max }: { min?: number; max: number },
): Uint8Array {
  return checkBytes(fields.get(key), `Field ${key}`, { min, max })
}

/** @throws MalformedMessageError */
export function arrayField(fields: Fields, key: number, { max }: { max: number }): unknown[] {
  const value = fields.get(key)
  if (!Array.isArray(value) || value.length > max) {
    throw new MalformedMessageError(`Field ${key} is not an array of at most ${max} items.`)
  }
  return value as unknown[]
}

/** @throws MalformedMessageError */
export function checkBytes(
  value: unknown,
  name: string,
  { min = 0, max }: { min?: number; max: number },
): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length < min || value.length > max) {
    throw new MalformedMessageError(`${name} is not a byte string of ${min} to ${max} bytes.`)
  }
  return value
}
