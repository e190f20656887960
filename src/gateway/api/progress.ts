import { Type } from 'typebox'
import type { ApiContext } from './context.ts'

/** A header by which whoever asks names a request, to follow it among the events. */
export const Operation = {
  'hayloft-operation': Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9-]{1,64}$',
      description: 'Progress of this request is told among the events, under this name.',
    }),
  ),
}

/** More often nobody can look. */
const STEP_BYTES = 4 * 1024 * 1024

/** Tells progress among the events, if the request has a name. */
export function progressOf(
  { events }: Pick<ApiContext, 'events'>,
  operation: string | undefined,
): (progress: { readonly doneBytes: number; readonly totalBytes?: number | undefined }) => void {
  let toldBytes = 0
  return ({ doneBytes, totalBytes }) => {
    const isEnd = doneBytes === totalBytes
    if (operation === undefined || (doneBytes - toldBytes < STEP_BYTES && !isEnd)) return
    toldBytes = doneBytes
    events.publish({ type: 'progress', data: { operation, doneBytes, totalBytes } })
  }
}
