import { once } from 'node:events'
import { Type } from 'typebox'
import { systemClock } from '../../../foundation/system.ts'
import type { ApiContext } from '../context.ts'
import { FAILURES } from '../problem.ts'
import type { Server } from '../server.ts'

/** So that both sides notice a connection that is gone. */
const HEARTBEAT_MS = 15_000

/** What happens, as it happens: server-sent events. */
export function addEventRoutes(server: Server, { events, signal }: ApiContext): void {
  server.get(
    '/v1/events',
    {
      schema: {
        summary: 'What happens from now on, or since the event that Last-Event-ID names',
        description:
          'Each event has an id, a type (sync-status, sync-change, sync-progress, progress, rollback, gap) and data in JSON. A gap tells that some were missed.',
        produces: ['text/event-stream'],
        headers: Type.Object({
          'last-event-id': Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })),
        }),
        response: { 200: Type.String(), ...FAILURES },
      },
    },
    async (request, reply) => {
      const after = request.headers['last-event-id']
      const { raw } = reply
      const gone = new AbortController()
      raw.once('close', () => gone.abort())
      reply.hijack()
      raw.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
      raw.write(': watching\n\n')
      const ended = AbortSignal.any([gone.signal, signal])
      const stopBeating = beat(() => raw.write(': \n\n'))
      try {
        const afterId = after === undefined ? undefined : Number(after)
        for await (const { id, event } of events.watch(ended, afterId)) {
          const text = `id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(event.data)}\n\n`
          if (!raw.write(text)) await once(raw, 'drain', { signal: ended })
        }
      } catch (thrown) {
        if (!ended.aborted) throw thrown
      } finally {
        stopBeating()
        raw.end()
      }
    },
  )
}

function beat(action: () => void): () => void {
  let cancel = (): void => undefined
  const schedule = (): void => {
    cancel = systemClock.after(HEARTBEAT_MS, () => {
      action()
      schedule()
    })
  }
  schedule()
  return () => cancel()
}
