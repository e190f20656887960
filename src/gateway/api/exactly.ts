import { Type, type TObject, type TProperties } from 'typebox'

/** An object with these members and no others: a name that is misspelled is told, not ignored. */
export function exactly<T extends TProperties>(properties: T): TObject<T> {
  return Type.Object(properties, { additionalProperties: false })
}
