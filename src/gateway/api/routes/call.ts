import { Type } from 'typebox'
import { NotAMemberError } from '../../../home/errors.ts'
import { wasRemoved } from '../../../library/live-membership.ts'
import { decodeRequest, encodeReply } from '../../../protocol/codec.ts'
import { MalformedMessageError } from '../../../protocol/cbor.ts'
import type { Op, Reply, Request } from '../../../protocol/messages.ts'
import { RefusedError, type Refusal } from '../../../protocol/network.ts'
import { nodeKey } from '../../../protocol/node-key.ts'
import { CALL_TYPE, MAX_CALL_BYTES, packMessage, unpackMessage } from '../call-message.ts'
import type { ApiContext } from '../context.ts'
import { ApiError } from '../errors.ts'
import { FAILURES } from '../problem.ts'
import { signalOf } from '../request-signal.ts'
import type { Server } from '../server.ts'

const Message = {
  content: { [CALL_TYPE]: { schema: Type.Unsafe<unknown>({ contentMediaType: CALL_TYPE }) } },
}

/** Lets commands of this home use the daemon's connections to nodes. */
export function addCallRoute(server: Server, context: ApiContext): void {
  server.addContentTypeParser(CALL_TYPE, { parseAs: 'buffer' }, (_, body, done) => done(null, body))
  server.post(
    '/v1/grid/call',
    {
      bodyLimit: MAX_CALL_BYTES,
      schema: {
        summary: 'Ask a storage node something, in the messages of the storage protocol',
        description:
          'For the commands of this home, which encrypt and decrypt by themselves: the daemon passes on what nodes see anyway.',
        consumes: [CALL_TYPE],
        produces: [CALL_TYPE],
        headers: Type.Object({
          'hayloft-node': Type.String({
            pattern: '^[0-9a-f]{64}$',
            description: 'The key of a node.',
          }),
        }),
        body: Message,
        response: { 200: { description: 'The reply of the node', ...Message }, ...FAILURES },
      },
    },
    async ({ body, headers }, reply) => {
      const signal = signalOf(reply, context.signal)
      const request = requestIn(body as Uint8Array)
      const told = await callOf(nodeKey(headers['hayloft-node']), request)
      reply.type(CALL_TYPE)
      return await reply.send(Buffer.from(packMessage(encodeReply(told))))

      async function callOf(
        node: ReturnType<typeof nodeKey>,
        asked: Request,
      ): Promise<Reply | Refusal> {
        try {
          return await context.caller.call<Op>(node, asked, { signal })
        } catch (thrown) {
          const { membership, network, file } = context.client
          // Nodes that cut this device off are like nodes that are away, but for what it has heard meanwhile.
          if (wasRemoved(membership, network.self)) throw new NotAMemberError(file.name)
          if (!(thrown instanceof RefusedError)) throw thrown
          const { reason, message } = thrown
          return { op: 'refused', reason, message: message.slice(0, MAX_REFUSAL_CHARACTERS) }
        }
      }
    },
  )
}

/** As nodes may say. */
const MAX_REFUSAL_CHARACTERS = 200

function requestIn(bytes: Uint8Array): Request {
  const { header, body } = unpackMessage(bytes)
  try {
    return decodeRequest(header, body)
  } catch (thrown) {
    if (thrown instanceof MalformedMessageError) throw new ApiError('request-invalid')
    throw thrown
  }
}
