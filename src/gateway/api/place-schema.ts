import { Type, type Static } from 'typebox'

const MAX_PATH_CHARACTERS = 8192
export const CapabilityText = Type.String({
  minLength: 8,
  maxLength: 4096,
  description: 'A capability as text, such as "hayfolderread1…".',
})

/** Where on the grid, in a body. */
export const Place = Type.Object(
  {
    capability: Type.Optional(CapabilityText),
    alias: Type.Optional(
      Type.String({
        maxLength: 255,
        description: 'Where no capability is given; "home" by default.',
      }),
    ),
    path: Type.Optional(
      Type.String({
        maxLength: MAX_PATH_CHARACTERS,
        description: 'Names and slashes, from there down.',
      }),
    ),
  },
  { $id: 'Place', title: 'Place', additionalProperties: false },
)
export type Place = Static<typeof Place>
export const PlaceRef = Type.Unsafe<Place>(Type.Ref('Place'))

/** The same in an address, which holds no capability. */
export const PlaceQuery = {
  alias: Type.Optional(Type.String({ maxLength: 255 })),
  path: Type.Optional(Type.String({ maxLength: MAX_PATH_CHARACTERS })),
}
export const PlaceHeaders = { 'hayloft-capability': Type.Optional(CapabilityText) }

/** A place of a request without a body. */
export function placeOf(
  query: { readonly alias?: string; readonly path?: string },
  headers: { readonly 'hayloft-capability'?: string },
): Place {
  const capability = headers['hayloft-capability']
  return { ...query, ...(capability !== undefined && { capability }) }
}
