import type { GetReply, Request } from '../../protocol/messages.ts'
import type { CallOptions } from '../../protocol/network.ts'

/**
 * How fast shares pass the line of this computer in one direction, learnt from those that have passed. Behind the router of a
 * home all nodes share one line, which may be a thousand times slower than the next home's.
 */
export class Line {
  readonly #firstBytesPerMs: number
  #underWayBytes = 0
  /** Of the shares that passed of late, the newest counting most, and the time in which there was nothing else to wait for. */
  #passedBytes = 0
  #busyMs = 0
  #lastMs = -Infinity

  /** @param firstBytesPerMs - what it is taken to carry before anything has passed */
  constructor(firstBytesPerMs: number) {
    this.#firstBytesPerMs = firstBytesPerMs
  }

  began(bytes: number): void {
    this.#underWayBytes += bytes
  }

  /** What began is under way no more, whether it arrived or not. */
  ended(bytes: number): void {
    this.#underWayBytes -= bytes
  }

  /** A share arrived that was on its way since `startedMs`. */
  passed(bytes: number, { startedMs, nowMs }: { startedMs: number; nowMs: number }): void {
    this.#passedBytes = this.#passedBytes * OLDER + bytes
    this.#busyMs = this.#busyMs * OLDER + nowMs - Math.max(startedMs, this.#lastMs)
    this.#lastMs = nowMs
  }

  /** How long all that is under way takes, in milliseconds. */
  drainMs(): number {
    const isKnown = this.#passedBytes > 0 && this.#busyMs > 0
    return (
      this.#underWayBytes / (isKnown ? this.#passedBytes / this.#busyMs : this.#firstBytesPerMs)
    )
  }
}

/** What a request has to carry, and which way. Of a share that is asked for nobody knows its size. */
export function loadOf(
  request: Request,
  { expectShort }: Pick<CallOptions, 'expectShort'>,
): { readonly direction: 'up' | 'down'; readonly bytes: number } {
  if (request.op === 'get') {
    return { direction: 'down', bytes: expectShort === true ? 0 : TYPICAL_SHARE_BYTES }
  }
  const isShare = request.op === 'put' || request.op === 'transfer'
  return { direction: 'up', bytes: isShare ? request.shard.length : 0 }
}

export function bytesOf({ share }: GetReply): number {
  return share?.bytes.length ?? 0
}

/** Of a full block as 3-of-10. */
const TYPICAL_SHARE_BYTES = 350_000
/** Weight of what is known already, for each share that passes: some twenty of them count. */
const OLDER = 0.95
