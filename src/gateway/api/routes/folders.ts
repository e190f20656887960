import { Type } from 'typebox'
import { formatCapability, parseCapability } from '../../../capabilities/text.ts'
import { NotADirectoryError } from '../../../folders/errors.ts'
import { formatPath } from '../../../folders/names.ts'
import type { LinkTarget } from '../../../folders/service/folder.ts'
import { asLinkTarget } from '../../../folders/service/links.ts'
import type { Capability } from '../../../capabilities/capability.ts'
import type { ApiContext } from '../context.ts'
import { Change, changeOf, ChangeRef, Entry, entryOf, EntryRef } from '../entries.ts'
import { ApiError } from '../errors.ts'
import {
  CapabilityText,
  Place,
  PlaceHeaders,
  placeOf,
  PlaceQuery,
  PlaceRef,
} from '../place-schema.ts'
import { findPlace, shownAt, unsuitable, viewAt, writableEntryAt } from '../../places.ts'
import { exactly } from '../exactly.ts'
import { FAILURES } from '../problem.ts'
import { signalOf } from '../request-signal.ts'
import type { Server } from '../server.ts'
import { transfer } from '../transfer.ts'
import { addHistoryRoutes } from './history.ts'

const MAX_PAGE = 10_000
const PAGE = 1000

/** Folders: what is in them, and changes of their trees. */
export function addFolderRoutes(server: Server, context: ApiContext): void {
  server.addSchema(Place)
  server.addSchema(Entry)
  server.addSchema(Change)
  addLooking(server, context)
  addMaking(server, context)
  addMoving(server, context)
  addHistoryRoutes(server, context)
}

function addLooking(server: Server, context: ApiContext): void {
  server.get(
    '/v1/folders/entries',
    {
      schema: {
        summary: 'What a directory shows, sorted by the bytes of names',
        querystring: exactly({
          ...PlaceQuery,
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PAGE, default: PAGE })),
          after: Type.Optional(
            Type.String({
              maxLength: 255,
              description: 'Go on after this name, the last of the page before.',
            }),
          ),
        }),
        headers: Type.Object(PlaceHeaders),
        response: {
          200: Type.Object({ entries: Type.Array(EntryRef), hasMore: Type.Boolean() }),
          ...FAILURES,
        },
      },
    },
    async ({ query, headers }, reply) => {
      const { limit = PAGE, after, ...where } = query
      const place = await findPlace(placeOf(where, headers), context)
      const view = await viewAt(place, context, signalOf(reply, context.signal))
      const all = await view.list(place.path)
      const begin = after === undefined ? 0 : all.findIndex(({ name }) => name === after) + 1
      if (after !== undefined && begin === 0) {
        throw new ApiError(
          'request-invalid',
          'The directory has no name as in "after": begin anew.',
        )
      }
      const page = all.slice(begin, begin + limit)
      return { entries: page.map(entryOf), hasMore: begin + page.length < all.length }
    },
  )
  server.get(
    '/v1/folders/entry',
    {
      schema: {
        summary: 'What a path shows',
        querystring: exactly(PlaceQuery),
        headers: Type.Object(PlaceHeaders),
        response: { 200: EntryRef, ...FAILURES },
      },
    },
    async ({ query, headers }, reply) => {
      const place = await findPlace(placeOf(query, headers), context)
      const view = await viewAt(place, context, signalOf(reply, context.signal))
      return entryOf(await shownAt(view, place.path))
    },
  )
}

function addMaking(server: Server, context: ApiContext): void {
  server.post(
    '/v1/folders',
    {
      schema: {
        summary: 'Make a new, empty folder that nothing leads to but its capability',
        response: {
          201: Type.Object({
            capability: Type.String(),
            durability: Type.Enum(['durable', 'degraded']),
          }),
          ...FAILURES,
        },
      },
    },
    async (_, reply) => {
      const signal = signalOf(reply, context.signal)
      const { capability, durability } = await context.client.folders.create({ signal })
      return await reply.code(201).send({ capability: formatCapability(capability), durability })
    },
  )
  server.post(
    '/v1/folders/make-directory',
    {
      schema: {
        summary: 'Make a directory, and those on the way to it; nothing happens where there is one',
        body: exactly({ place: PlaceRef }),
        response: { 200: ChangeRef, ...FAILURES },
      },
    },
    async ({ body }, reply) => {
      const signal = signalOf(reply, context.signal)
      const place = await findPlace(body.place, context)
      const { folder, path } = await writableEntryAt(place, context, signal)
      const made = await folder.edit(
        async (view) => {
          const kind = (await view.stat(path))?.entry.kind
          if (kind === undefined) return [{ kind: 'make-directory', path }]
          if (kind === 'directory' || kind === 'linked-folder') return []
          throw new NotADirectoryError(formatPath(path))
        },
        { signal },
      )
      return changeOf(made)
    },
  )
  server.post(
    '/v1/folders/link',
    {
      schema: {
        summary: 'Link a folder, or a file that changes, where nothing is yet',
        body: exactly({ place: PlaceRef, target: CapabilityText }),
        response: { 200: ChangeRef, ...FAILURES },
      },
    },
    async ({ body }, reply) => {
      const signal = signalOf(reply, context.signal)
      const target = linkable(parseCapability(body.target.trim()))
      const place = await findPlace(body.place, context)
      const { folder, path } = await writableEntryAt(place, context, signal)
      const ifUnchanged = [{ path, version: undefined }]
      return changeOf(await folder.link(path, target, { ifUnchanged, signal }))
    },
  )
}

function linkable(capability: Capability): LinkTarget {
  const target = asLinkTarget(capability)
  if (target !== undefined) return target
  throw unsuitable(capability, 'a folder or a file that changes, to read or to write')
}

function addMoving(server: Server, context: ApiContext): void {
  for (const kind of ['move', 'copy'] as const) {
    server.post(
      `/v1/folders/${kind}`,
      {
        schema: {
          summary:
            kind === 'move'
              ? 'Move a file or directory; no content moves. Between folders it is a copy, and then a removal'
              : 'Copy a file or directory; no content moves',
          body: exactly({ from: PlaceRef, to: PlaceRef }),
          response: { 200: ChangeRef, ...FAILURES },
        },
      },
      async ({ body }, reply) => {
        const signal = signalOf(reply, context.signal)
        const from = await findPlace(body.from, context)
        const to = await findPlace(body.to, context)
        return changeOf(await transfer({ from, to, kind }, context, signal))
      },
    )
  }
  server.post(
    '/v1/folders/remove',
    {
      schema: {
        summary: 'Remove a file, link or directory; its history stays',
        body: exactly({
          place: PlaceRef,
          recursive: Type.Optional(
            Type.Boolean({
              description: 'A directory with all that is in it; by default it has to be empty.',
            }),
          ),
        }),
        response: { 200: ChangeRef, ...FAILURES },
      },
    },
    async ({ body }, reply) => {
      const signal = signalOf(reply, context.signal)
      const place = await findPlace(body.place, context)
      const { folder, path } = await writableEntryAt(place, context, signal)
      const removed = await folder.edit(
        async (view) => {
          const { entry } = await shownAt(view, path)
          const isFull = entry.kind === 'directory' && (await view.list(path)).length > 0
          if (isFull && body.recursive !== true) throw new ApiError('directory-not-empty')
          return [{ kind: 'remove', path }]
        },
        { signal },
      )
      return changeOf(removed)
    },
  )
}
