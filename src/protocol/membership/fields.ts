import { HayloftError, messageOf } from '../../foundation/error.ts'
import { decodeFields, integerField, MalformedMessageError, type Fields } from '../cbor.ts'
import { flawOfMemberName } from './names.ts'

/** Bytes that are no statement about a grid, or that were not signed by whoever may make it. */
export class MalformedStatementError extends HayloftError {
  readonly code = 'statement-malformed'
}

export const SIGNATURE_BYTES = 64

/**
 * Takes `CBOR map ‖ signature` apart, and checks everything but the signature: deterministic CBOR, and no field that
 * this version does not know. @throws MalformedStatementError
 */
export function decodeSigned(
  bytes: Uint8Array,
  { known, maxBytes }: { readonly known?: readonly number[]; readonly maxBytes: number },
): { fields: Fields; body: Uint8Array; signature: Uint8Array } {
  if (bytes.length > maxBytes) throw malformed('A statement is too long.')
  if (bytes.length <= SIGNATURE_BYTES) throw malformed('A statement is cut short.')
  const body = bytes.subarray(0, -SIGNATURE_BYTES)
  const fields = orMalformed(() => decodeFields(body))
  if (known !== undefined) refuseOtherFields(fields, known)
  return { fields, body, signature: bytes.subarray(-SIGNATURE_BYTES) }
}

/** A later version may add fields, but only under a new kind: what is signed must mean one thing to all members. */
export function refuseOtherFields(fields: Fields, known: readonly number[]): void {
  for (const field of fields.keys()) {
    if (!known.includes(field)) throw malformed('A statement has a field that is not known.')
  }
}

/** Runs a check of the protocol's, and makes its error ours. @throws MalformedStatementError */
export function orMalformed<T>(check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof MalformedMessageError)) throw error
    throw new MalformedStatementError(messageOf(error), { cause: error })
  }
}

export function malformed(message: string): MalformedStatementError {
  return new MalformedStatementError(message)
}

/** A count of bytes or seconds. */
export function wholeField(fields: Fields, key: number): number {
  return integerField(fields, key, { max: Number.MAX_SAFE_INTEGER })
}

export function optionalWholeField(fields: Fields, key: number): number | undefined {
  return fields.has(key) ? wholeField(fields, key) : undefined
}

function optionalTextField(fields: Fields, key: number, maxUnits: number): string | undefined {
  if (!fields.has(key)) return undefined
  const text = fields.get(key)
  if (typeof text !== 'string' || text.length > maxUnits) {
    throw malformed(`Field ${key} is not a text of at most ${maxUnits} characters.`)
  }
  return text
}

/** One of a few, by its place among them. */
export function choiceField<T>(fields: Fields, key: number, choices: readonly T[]): T {
  return choices[integerField(fields, key, { max: choices.length - 1 })] as T
}

/** A name of a person, device or household. */
export function nameField(fields: Fields, key: number): string {
  const name = optionalNameField(fields, key)
  if (name === undefined) throw malformed(`Field ${key} is missing.`)
  return name
}

export function optionalNameField(fields: Fields, key: number): string | undefined {
  const name = optionalTextField(fields, key, MAX_NAME_UNITS)
  if (name !== undefined && flawOfMemberName(name) !== undefined) {
    throw malformed(`Field ${key} is not a name.`)
  }
  return name
}

const MAX_NAME_UNITS = 256
