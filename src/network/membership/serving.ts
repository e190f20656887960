import type { Stream } from '@libp2p/interface'
import type { Clock } from '../../foundation/clock.ts'
import { MalformedMessageError } from '../../protocol/cbor.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { Conversation } from './conversation.ts'
import type { Doorkeeper } from './doorkeeper.ts'
import { answerExchange, type Learner } from './exchange.ts'
import {
  EXCHANGE_TIMEOUT_MS,
  MAX_EXCHANGE_MESSAGE_BYTES,
  MAX_JOIN_MESSAGE_BYTES,
  MAX_JOIN_MESSAGES,
  STRANGER_LIFETIME_MS,
} from './limits.ts'
import { decodeJoinRequest, encodeJoinReply } from './messages.ts'
import { talkWithin } from './talk.ts'

/**
 * Answers a member over one stream, to its end. Never rejects.
 * @returns how the member broke the protocol, if it did
 */
export async function serveExchange(
  stream: Stream,
  {
    learner,
    pace,
    clock,
  }: { readonly learner: Learner; readonly pace: () => Promise<void>; readonly clock: Clock },
): Promise<MalformedMessageError | undefined> {
  const talk = new Conversation(stream, { maxMessageBytes: MAX_EXCHANGE_MESSAGE_BYTES, clock })
  return await flawOf(async () => {
    await talkWithin(talk, { limitMs: EXCHANGE_TIMEOUT_MS, clock }, async () => {
      await answerExchange(talk, learner, { pace })
    })
  })
}

/** The same for a stranger. */
export async function serveJoin(
  stream: Stream,
  {
    caller,
    doorkeeper,
    clock,
  }: { readonly caller: NodeKey; readonly doorkeeper: Doorkeeper; readonly clock: Clock },
): Promise<MalformedMessageError | undefined> {
  const talk = new Conversation(stream, { maxMessageBytes: MAX_JOIN_MESSAGE_BYTES, clock })
  return await flawOf(async () => {
    await talkWithin(talk, { limitMs: STRANGER_LIFETIME_MS, clock }, async () => {
      for (let messages = 0; messages < MAX_JOIN_MESSAGES; messages++) {
        const message = await talk.receive()
        if (message === undefined) return
        const reply = await doorkeeper.answer(caller, decodeJoinRequest(message))
        await talk.send(encodeJoinReply(reply))
      }
    })
  })
}

/** Whoever is gone, slow or silent has done nothing worse than that. */
async function flawOf(serving: () => Promise<void>): Promise<MalformedMessageError | undefined> {
  try {
    await serving()
    return undefined
  } catch (error) {
    return error instanceof MalformedMessageError ? error : undefined
  }
}
