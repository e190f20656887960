import { Readable as NodeStream } from 'node:stream'
import { Type } from 'typebox'
import { formatCapability } from '../../../capabilities/text.ts'
import { Semaphore } from '../../../foundation/concurrency.ts'
import { systemClock } from '../../../foundation/system.ts'
import { InvalidRangeError } from '../../../grid/errors.ts'
import { MAX_MTIME_MS, MIN_MTIME_MS } from '../../../folders/entry.ts'
import { contentOf } from '../body.ts'
import type { ApiContext } from '../context.ts'
import { ApiError } from '../errors.ts'
import { PlaceHeaders, placeOf, PlaceQuery } from '../place-schema.ts'
import { findPlace } from '../../places.ts'
import { exactly } from '../exactly.ts'
import { FAILURES } from '../problem.ts'
import { Operation, progressOf } from '../progress.ts'
import { hasTag, requestedRange } from '../ranges.ts'
import { readableAt } from '../readable.ts'
import { signalOf } from '../request-signal.ts'
import type { Server } from '../server.ts'
import { writeFile } from '../write-file.ts'

/** Each has some 10 MiB in memory, more where nodes are silent; whoever comes later waits. */
const UPLOADS_AT_ONCE = 4
const DOWNLOADS_AT_ONCE = 8

const OCTETS = 'application/octet-stream'
const Octets = {
  content: { [OCTETS]: { schema: Type.Unsafe<unknown>({ contentMediaType: OCTETS }) } },
}

const Stored = Type.Object({
  size: Type.Integer(),
  durability: Type.Enum(['durable', 'degraded', 'unchanged']),
})

const WriteHeaders = {
  ...PlaceHeaders,
  ...Operation,
  'if-match': Type.Optional(Type.String({ maxLength: 1024 })),
  'if-none-match': Type.Optional(Type.String({ maxLength: 1024 })),
  'hayloft-modified': Type.Optional(
    Type.String({
      maxLength: 40,
      description: 'When the file was changed, in ISO 8601; now by default.',
    }),
  ),
  'hayloft-executable': Type.Optional(Type.Enum(['true', 'false'])),
}

/** Contents of files, up and down, of any size and in bounded memory. */
export function addFileRoutes(server: Server, context: ApiContext): void {
  server.addContentTypeParser(OCTETS, (_, payload, done) => done(null, payload))
  const uploads = new Semaphore(UPLOADS_AT_ONCE)
  addReading(server, context)
  addWriting(server, context, uploads)
  addStoring(server, context, uploads)
}

function addReading(server: Server, context: ApiContext): void {
  const downloads = new Semaphore(DOWNLOADS_AT_ONCE)
  server.get(
    '/v1/files/content',
    {
      schema: {
        summary: 'Read a file, or a range of it',
        description:
          'A place in a folder; or, by the header alone, the file that a capability of its own leads to.',
        querystring: exactly(PlaceQuery),
        headers: Type.Object({
          ...PlaceHeaders,
          ...Operation,
          range: Type.Optional(Type.String({ maxLength: 200 })),
          'if-range': Type.Optional(Type.String({ maxLength: 200 })),
          'if-none-match': Type.Optional(Type.String({ maxLength: 1024 })),
        }),
        response: {
          200: { description: 'All of the file', ...Octets },
          206: { description: 'The range', ...Octets },
          304: Type.Null({ description: 'It is what If-None-Match names.' }),
          ...FAILURES,
        },
      },
    },
    async ({ query, headers, method }, reply) => {
      const signal = signalOf(reply, context.signal)
      const place = await findPlace(placeOf(query, headers), context)
      const file = await readableAt(place, context, signal)
      const { sizeBytes, etag, modifiedMs } = file
      reply.headers({
        etag,
        'accept-ranges': 'bytes',
        'cache-control': 'private, no-cache',
        // Whatever it holds, it is no page of ours.
        'content-disposition': 'attachment',
        'x-content-type-options': 'nosniff',
        ...(modifiedMs !== undefined && { 'last-modified': new Date(modifiedMs).toUTCString() }),
      })
      const seen = headers['if-none-match']
      if (seen !== undefined && hasTag(seen, etag)) return await reply.code(304).send(null)
      const wanted = { range: headers.range, ifRange: headers['if-range'] }
      const range = requestedRange(wanted, file)
      if (range.kind === 'unsatisfiable') {
        reply.header('content-range', `bytes */${sizeBytes}`)
        throw new InvalidRangeError(
          `The range begins past the end: the file has ${sizeBytes} bytes.`,
        )
      }
      const { offset, length } = range.kind === 'part' ? range : { offset: 0, length: sizeBytes }
      if (range.kind === 'part') {
        reply
          .code(206)
          .header('content-range', `bytes ${offset}-${offset + length - 1}/${sizeBytes}`)
      }
      reply.type(OCTETS).header('content-length', length)
      if (method === 'HEAD') {
        // The framework would make it the length of what it sends, which is nothing.
        reply.hijack()
        reply.raw.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string>)
        return reply.raw.end()
      }
      const release = await downloads.acquire(1, signal)
      reply.raw.once('close', release)
      const onProgress = progressOf(context, headers['hayloft-operation'])
      const { chunks } = await file.open({ range: { offset, length }, onProgress, signal })
      return await reply.send(NodeStream.from(chunks, { objectMode: false }))
    },
  )
}

function addWriting(server: Server, context: ApiContext, uploads: Semaphore): void {
  server.put(
    '/v1/files/content',
    {
      config: { isStream: true },
      schema: {
        summary: 'Write a file',
        description:
          'Answers once enough nodes have it on disk. If the body breaks off, nothing is written. If-Match and If-None-Match have it written only in place of that version, or of none.',
        consumes: [OCTETS],
        querystring: exactly(PlaceQuery),
        headers: Type.Object(WriteHeaders),
        body: Octets,
        response: {
          200: Type.Object(Stored.properties, { description: 'It has replaced what was there.' }),
          201: Type.Object(Stored.properties, { description: 'It is new.' }),
          ...FAILURES,
        },
      },
    },
    async ({ query, headers, raw }, reply) => {
      const signal = signalOf(reply, context.signal)
      const modifiedMs = timeOf(headers['hayloft-modified'])
      const place = await findPlace(placeOf(query, headers), context)
      const release = await uploads.acquire(1, signal)
      reply.raw.once('close', release)
      const onProgress = progressOf(context, headers['hayloft-operation'])
      const written = await writeFile(
        place,
        {
          content: contentOf(raw, systemClock),
          modifiedMs,
          isExecutable: headers['hayloft-executable'] === 'true',
          ifMatch: headers['if-match'],
          ifNoneMatch: headers['if-none-match'],
          onProgress: (doneBytes) => onProgress({ doneBytes }),
          signal,
        },
        context,
      )
      const { etag, isNew, size, durability } = written
      if (etag !== undefined) reply.header('etag', etag)
      return await reply.code(isNew ? 201 : 200).send({ size, durability })
    },
  )
}

function addStoring(server: Server, context: ApiContext, uploads: Semaphore): void {
  server.post(
    '/v1/files',
    {
      config: { isStream: true },
      schema: {
        summary: 'Store a file that never changes, by its own capability and in no folder',
        consumes: [OCTETS],
        headers: Type.Object(Operation),
        body: Octets,
        response: {
          201: Type.Object({
            capability: Type.String(),
            size: Type.Integer(),
            health: Type.Enum(['healthy', 'degraded']),
            sentBytes: Type.Integer(),
          }),
          ...FAILURES,
        },
      },
    },
    async ({ headers, raw }, reply) => {
      const signal = signalOf(reply, context.signal)
      const release = await uploads.acquire(1, signal)
      reply.raw.once('close', release)
      const onProgress = progressOf(context, headers['hayloft-operation'])
      const source = contentOf(raw, systemClock)
      const stored = await context.client.grid.put(source, { onProgress, signal })
      const { capability, sizeBytes, health, sentBytes } = stored
      const text = formatCapability(capability)
      return await reply.code(201).send({ capability: text, size: sizeBytes, health, sentBytes })
    },
  )
}

function timeOf(text: string | undefined): number {
  if (text === undefined) return systemClock.nowMs()
  const timeMs = Date.parse(text)
  if (timeMs >= MIN_MTIME_MS && timeMs <= MAX_MTIME_MS) return timeMs
  throw new ApiError('request-invalid', 'Hayloft-Modified is no time in ISO 8601.')
}
