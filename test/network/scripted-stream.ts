import { encodeReply } from '../../src/protocol/codec.ts'
import { frameBytes, FrameReader } from '../../src/protocol/framing.ts'

/** A stream that keeps what is sent and says what it is told to. */
export class ScriptedStream extends EventTarget {
  status = 'open'
  readonly ids: number[] = []
  readonly #reader = new FrameReader()

  send(bytes: Uint8Array): boolean {
    for (const { requestId } of this.#reader.push(bytes)) this.ids.push(requestId)
    return true
  }

  abort(): void {
    this.status = 'aborted'
  }

  reply(requestId: number): void {
    const data = frameBytes(requestId, encodeReply({ op: 'drop', dropped: 1 }))
    this.dispatchEvent(Object.assign(new Event('message'), { data }))
  }
}
