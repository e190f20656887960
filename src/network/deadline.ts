import { setMaxListeners } from 'node:events'
import type { Clock } from '../foundation/clock.ts'

/**
 * Runs `work` with a signal that fires after `limitMs`, and rejects then even if `work` does not heed it. The signal
 * never fires after `work` is done: libp2p's TCP transport hands it to the socket, which would die with it.
 */
export async function withDeadline<T>(
  clock: Clock,
  limitMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  // libp2p listens to it once for each address, query and stream.
  setMaxListeners(0, controller.signal)
  const cancel = clock.after(limitMs, () => {
    controller.abort(new Error(`no answer within ${limitMs / 1000} s`))
  })
  try {
    return await untilAborted(work(controller.signal), controller.signal)
  } finally {
    cancel()
  }
}

/** Waits for `promise`, but no longer than until `signal` fires, whose reason it then rejects with. */
export async function untilAborted<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return await promise
  signal.throwIfAborted()
  let onAbort: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort)
  }
}
