import type { Connection } from '@libp2p/interface'
import type { Clock } from '../../foundation/clock.ts'
import { withDeadline } from '../deadline.ts'
import { Conversation } from './conversation.ts'
import { MESSAGE_TIMEOUT_MS } from './limits.ts'

/** @throws {@link isClosedToUs} if the peer takes us for a stranger; whatever libp2p throws */
export async function openTalk(
  connection: Connection,
  { protocol, maxMessageBytes, clock }: { protocol: string; maxMessageBytes: number; clock: Clock },
): Promise<Conversation> {
  const stream = await withDeadline(clock, MESSAGE_TIMEOUT_MS, async (signal) => {
    return await connection.newStream([protocol], { signal, runOnLimitedConnection: true })
  })
  return new Conversation(stream, { maxMessageBytes, clock })
}

/** Whether a stream could not be opened because the peer does not speak the protocol with us. */
export function isClosedToUs(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'UnsupportedProtocolError'
}

/** Talks for a limited time, and ends the talk whatever comes. @throws what `talking` throws */
export async function talkWithin<T>(
  talk: Conversation,
  { limitMs, clock }: { limitMs: number; clock: Clock },
  talking: () => Promise<T>,
): Promise<T> {
  try {
    const result = await withDeadline(clock, limitMs, async () => await talking())
    await talk.close()
    return result
  } catch (error) {
    talk.abort(error)
    throw error
  }
}
