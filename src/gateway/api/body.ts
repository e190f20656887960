import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../foundation/clock.ts'
import { ApiError } from './errors.ts'

/** A sender that has stopped for so long is gone. */
const IDLE_TIMEOUT_MS = 60_000

/** The content that comes with a request, as it comes. @throws ApiError if nothing comes for too long */
export async function* contentOf(
  request: IncomingMessage,
  clock: Clock,
): AsyncGenerator<Uint8Array> {
  let cancel = (): void => undefined
  const watch = (): void => {
    cancel()
    cancel = clock.after(IDLE_TIMEOUT_MS, () => request.destroy(new ApiError('request-too-slow')))
  }
  watch()
  try {
    for await (const chunk of request as AsyncIterable<Uint8Array>) {
      cancel()
      yield chunk
      watch()
    }
  } finally {
    cancel()
  }
}

/** A body that is no content of a file. */
const BODY_TIMEOUT_MS = 30_000

/** Cuts off who has not sent all of a request in time; how long the answer takes is another matter. */
export function boundBody(
  request: Pick<IncomingMessage, 'complete' | 'destroy' | 'once'>,
  clock: Clock,
): void {
  const cancel = clock.after(BODY_TIMEOUT_MS, () => {
    // Nobody reads the end of a request without a body, so it tells of none.
    if (!request.complete) request.destroy(new ApiError('request-too-slow'))
  })
  request.once('close', cancel)
}
