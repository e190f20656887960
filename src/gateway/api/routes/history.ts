import { Type } from 'typebox'
import type { ApiContext } from '../context.ts'
import { changeOf, ChangeRef, entryOf, EntryRef } from '../entries.ts'
import { ApiError } from '../errors.ts'
import { PlaceHeaders, placeOf, PlaceQuery, PlaceRef } from '../place-schema.ts'
import { findPlace, readerAt, writerAt } from '../../places.ts'
import { exactly } from '../exactly.ts'
import { FAILURES } from '../problem.ts'
import { signalOf } from '../request-signal.ts'
import type { Server } from '../server.ts'

const MAX_VERSIONS = 1000
const VERSIONS = 100

const Version = Type.Object({
  time: Type.String({ description: 'ISO 8601, by the calendar of the device that wrote it' }),
  device: Type.String(),
  entry: Type.Union([EntryRef, Type.Null()], {
    description:
      'What the path showed from then on; null where it was not there, and for a whole folder.',
  }),
})

/** What folders were, and how to get it back. */
export function addHistoryRoutes(server: Server, context: ApiContext): void {
  server.get(
    '/v1/folders/history',
    {
      schema: {
        summary: 'What a path, or a whole folder, was: the newest first',
        querystring: exactly({
          ...PlaceQuery,
          limit: Type.Optional(
            Type.Integer({ minimum: 1, maximum: MAX_VERSIONS, default: VERSIONS }),
          ),
        }),
        headers: Type.Object(PlaceHeaders),
        response: { 200: Type.Object({ versions: Type.Array(Version) }), ...FAILURES },
      },
    },
    async ({ query, headers }, reply) => {
      const { limit = VERSIONS, ...where } = query
      const signal = signalOf(reply, context.signal)
      const place = await findPlace(placeOf(where, headers), context)
      const reader = await readerAt(place, context)
      const versions = []
      const { path } = place
      const past =
        path.length === 0 ? reader.history({ signal }) : reader.historyOf(path, { signal })
      for await (const each of past) {
        const shown = 'shown' in each ? each.shown : undefined
        versions.push({
          time: new Date(each.timeMs).toISOString(),
          device: each.device,
          entry: shown === undefined ? null : entryOf(shown),
        })
        if (versions.length === limit) break
      }
      return { versions }
    },
  )
  server.post(
    '/v1/folders/restore',
    {
      schema: {
        summary: 'Make a path, or a whole folder, what it was',
        body: exactly({
          place: PlaceRef,
          time: Type.Optional(
            Type.String({
              maxLength: 40,
              description: 'ISO 8601. Without it, what was removed from the path comes back.',
            }),
          ),
        }),
        response: { 200: ChangeRef, ...FAILURES },
      },
    },
    async ({ body }, reply) => {
      const signal = signalOf(reply, context.signal)
      const place = await findPlace(body.place, context)
      const writer = await writerAt(place, context)
      if (body.time === undefined) return changeOf(await writer.undelete(place.path, { signal }))
      const timeMs = Date.parse(body.time)
      if (Number.isNaN(timeMs))
        throw new ApiError('request-invalid', 'The time is not in ISO 8601.')
      return changeOf(await writer.restore(place.path, timeMs, { signal }))
    },
  )
}
