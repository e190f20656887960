import type { Stream } from '@libp2p/interface'
import { lpStream } from '../libp2p.ts'
import { MAX_SIGNAL_BYTES } from './limits.ts'
import { decodePunch, encodePunch, type PunchMessage } from './punch-codec.ts'

/** One side of the exchange before a punch. */
export class PunchTalk {
  readonly #messages: ReturnType<typeof lpStream>
  readonly #signal: AbortSignal

  constructor(stream: Stream, signal: AbortSignal) {
    this.#messages = lpStream(stream, { maxDataLength: MAX_SIGNAL_BYTES })
    this.#signal = signal
  }

  async say(message: PunchMessage): Promise<void> {
    await this.#messages.write(encodePunch(message), { signal: this.#signal })
  }

  /** @throws MalformedMessageError, Error if the other side says something else */
  async hear<K extends PunchMessage['kind']>(kind: K): Promise<Extract<PunchMessage, { kind: K }>> {
    const message = decodePunch((await this.#messages.read({ signal: this.#signal })).subarray())
    if (message.kind !== kind) throw new Error(`expected "${kind}"`)
    return message as Extract<PunchMessage, { kind: K }>
  }
}
