import type { AddressInfo } from 'node:net'
import swagger from '@fastify/swagger'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify, { type FastifyInstance, type RawServerDefault } from 'fastify'
import { systemClock } from '../../foundation/system.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger } from 'fastify'
import { debugOf } from './bug.ts'
import type { ApiContext } from './context.ts'
import { boundBody } from './body.ts'
import { Guard } from './guard.ts'
import { DaemonMetrics } from './metrics.ts'
import { noSuchRoute, Problem, tellProblem } from './problem.ts'
import { addDaemonRoutes } from './routes/daemon.ts'
import { addCallRoute } from './routes/call.ts'
import { addCapabilityRoutes } from './routes/capabilities.ts'
import { addCareRoutes } from './routes/care.ts'
import { addEventRoutes } from './routes/events.ts'
import { addFileRoutes } from './routes/files.ts'
import { addFolderRoutes } from './routes/folders.ts'
import { addGridRoutes } from './routes/grid.ts'
import { addNodeRoutes } from './routes/node.ts'
import { addSyncRoutes } from './routes/syncs.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body is a content of any size, which the route reads as it comes. */
    readonly isStream?: true
  }
}

/** A server whose routes take their types from their schemas. */
export type Server = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** The API of a daemon at work. */
export interface Api extends AsyncDisposable {
  readonly port: number
}

export interface ApiOptions {
  /** 64 hexadecimal digits. */
  readonly token: string
  /** 0 for any that is free. */
  readonly port: number
}

/** A capability and a path or two; contents are streamed and not bounded by this. */
const MAX_BODY_BYTES = 64 * 1024
const MAX_HEADER_BYTES = 16 * 1024
/** The head of a request, which every program sends at once. */
const HEAD_TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 5_000
const MAX_CONNECTIONS = 128

/** Serves the API on 127.0.0.1. @throws SystemFailureError, or the system's error, where it cannot listen */
export async function openApi(context: ApiContext, { token, port }: ApiOptions): Promise<Api> {
  const guard = new Guard(token)
  const server = await buildServer(context, guard)
  await server.listen({ host: '127.0.0.1', port })
  const address = server.server.address() as AddressInfo
  guard.listensAt(address.port)
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      server.server.closeAllConnections()
      await server.close()
    },
  }
}

/** The server with all its routes, before it listens. */
async function buildServer(context: ApiContext, guard: Guard): Promise<Server> {
  const server: Server = fastify({
    bodyLimit: MAX_BODY_BYTES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: true,
    exposeHeadRoutes: true,
    http: { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEAD_TIMEOUT_MS },
    // What is not described is refused, and nothing is taken for what it is not.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: 'array', allErrors: false } },
    // A path that cannot be decoded, say.
    frameworkErrors: (error, _, reply) => void tellProblem(error, reply, () => undefined),
    clientErrorHandler: (_, socket) => socket.destroy(),
  }).withTypeProvider<TypeBoxTypeProvider>()
  server.server.maxConnections = MAX_CONNECTIONS
  const metrics = new DaemonMetrics(context)
  server.addSchema(Problem)
  server.addHook('onRequest', (request, _, done) => {
    guard.check(request)
    const { isStream } = request.routeOptions.config
    if (isStream !== true) boundBody(request.raw, systemClock)
    done()
  })
  server.addHook('onResponse', (request, reply, done) => {
    metrics.count(request.routeOptions.url ?? 'none', reply.statusCode)
    done()
  })
  server.setErrorHandler((error, _, reply) =>
    tellProblem(error, reply, (bug) => context.log.write('api-bug', debugOf(bug))),
  )
  server.setNotFoundHandler(noSuchRoute)
  await server.register(swagger, {
    openapi: { openapi: '3.1.0', ...DESCRIPTION(context) },
    refResolver: {
      buildLocalReference: ({ $id }, _, __, number) =>
        typeof $id === 'string' ? $id : `schema-${number}`,
    },
  })
  await server.register((routes: Server, _, done) => {
    addDaemonRoutes(routes, { context, metrics })
    addEventRoutes(routes, context)
    addFileRoutes(routes, context)
    addFolderRoutes(routes, context)
    addCapabilityRoutes(routes, context)
    addCareRoutes(routes, context)
    addGridRoutes(routes, context)
    addNodeRoutes(routes, context)
    addCallRoute(routes, context)
    addSyncRoutes(routes, context)
    done()
  })
  await server.ready()
  return server
}

const DESCRIPTION = ({ version }: ApiContext): object => ({
  info: {
    title: 'Hayloft',
    version,
    description:
      'The API of the Hayloft daemon, on 127.0.0.1. Capabilities stand in bodies and in the header Hayloft-Capability, never in addresses.',
  },
  components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  security: [{ token: [] }],
})
