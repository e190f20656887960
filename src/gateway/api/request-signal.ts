import type { FastifyReply } from 'fastify'
import { manyListeners } from '../../foundation/abort.ts'
import { ApiError } from './errors.ts'

/** Fires when whoever asked is gone before the answer was whole, or the daemon ends. */
export function signalOf({ raw }: FastifyReply, ending: AbortSignal): AbortSignal {
  const gone = manyListeners(new AbortController())
  const onEnd = (): void => gone.abort(new ApiError('daemon-ending'))
  const onClose = (): void => {
    ending.removeEventListener('abort', onEnd)
    if (!raw.writableFinished) gone.abort(new ApiError('asker-gone'))
  }
  if (ending.aborted) onEnd()
  else ending.addEventListener('abort', onEnd, { once: true })
  raw.once('close', onClose)
  return gone.signal
}
