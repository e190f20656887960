import { Type } from 'typebox'
import { REACHABLE } from '../../../home/node-file.ts'
import type { ApiContext, DaemonNode } from '../context.ts'
import { ApiError } from '../errors.ts'
import { FAILURES } from '../problem.ts'
import { Operation, progressOf } from '../progress.ts'
import { signalOf } from '../request-signal.ts'
import type { Server } from '../server.ts'

/** Of the node: see docs/cli.md, `node status`, `scrub`, `collect` and `drain`. */
const NodeReport = Type.Object({}, { additionalProperties: true })

const Bytes = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const MayBeBytes = Type.Union([Bytes, Type.Null()])
const Addresses = Type.Array(Type.String({ maxLength: 1000 }), { maxItems: 32 })

/** See docs/cli.md, `node config`. */
const Config = {
  listen: Addresses,
  capacityBytes: Bytes,
  reserveBytes: Bytes,
  accountQuotaBytes: MayBeBytes,
  zone: Type.Union([Type.String(), Type.Null()]),
  uploadBytesPerS: MayBeBytes,
  downloadBytesPerS: MayBeBytes,
  reachable: Type.Enum([...REACHABLE]),
  portMapping: Type.Boolean(),
  announce: Addresses,
  draining: Type.Boolean(),
  maintain: Type.Boolean(),
}

const { draining: _, ...Changeable } = Config
const Change = Type.Partial(
  Type.Object({ ...Changeable, zone: Type.String({ minLength: 1, maxLength: 256 }) }),
  { additionalProperties: false },
)
const Applied = Type.Enum(['running', 'not-running', 'late'], {
  description: 'Whether the running node goes by it now.',
})

/** This home's own storage node. */
export function addNodeRoutes(server: Server, context: ApiContext): void {
  const nodeOf = (): DaemonNode => {
    if (context.node === undefined) throw new ApiError('node-absent')
    return context.node
  }
  server.get(
    '/v1/node',
    {
      schema: {
        summary: "What this home's storage node keeps, for whom, and how it was looked after",
        response: { 200: NodeReport, ...FAILURES },
      },
    },
    async () => await nodeOf().status(),
  )
  server.post(
    '/v1/node/scrub',
    {
      schema: {
        summary: 'Have the node read and check all that it keeps',
        response: { 200: NodeReport, ...FAILURES },
      },
    },
    async () => await nodeOf().scrub(),
  )
  server.post(
    '/v1/node/collect',
    {
      schema: {
        summary: 'Have the node free what nobody leases any more',
        response: { 200: NodeReport, ...FAILURES },
      },
    },
    async () => await nodeOf().collect(),
  )
  addConfigRoutes(server, nodeOf, context)
  addDrainRoutes(server, nodeOf, context)
}

function addConfigRoutes(server: Server, nodeOf: () => DaemonNode, context: ApiContext): void {
  server.get(
    '/v1/node/config',
    {
      schema: {
        summary: 'How the node is to run',
        response: { 200: Type.Object(Config), ...FAILURES },
      },
    },
    async () => await nodeOf().config(),
  )
  server.patch(
    '/v1/node/config',
    {
      schema: {
        summary: 'Change how the node is to run; what is left out stays',
        description:
          'It goes by most of it at once. Where it listens and how it is reached changes with its next start.',
        body: Change,
        response: { 200: Type.Object({ ...Config, applied: Applied }), ...FAILURES },
      },
    },
    async ({ body }, reply) => await nodeOf().configure(body, signalOf(reply, context.signal)),
  )
}

function addDrainRoutes(server: Server, nodeOf: () => DaemonNode, context: ApiContext): void {
  server.post(
    '/v1/node/drain',
    {
      schema: {
        summary: 'Move all that the node keeps to others, and say what became of it',
        description:
          'From then on the node takes nothing new, and goes on by itself, whether the answer is waited for or not.',
        headers: Type.Object(Operation),
        response: { 200: NodeReport, ...FAILURES },
      },
    },
    async ({ headers }, reply) => {
      const onProgress = progressOf(context, headers['hayloft-operation'])
      return await nodeOf().drain(onProgress, signalOf(reply, context.signal))
    },
  )
  server.delete(
    '/v1/node/drain',
    {
      schema: {
        summary: 'Move nothing any more, and take new things again',
        response: { 204: Type.Null(), ...FAILURES },
      },
    },
    async (_, reply) => {
      await nodeOf().stopDraining(signalOf(reply, context.signal))
      return await reply.code(204).send(null)
    },
  )
}
