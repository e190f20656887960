import { setMaxListeners } from 'node:events'

/** An abort signal that follows others; disposing it lets go of them. */
export interface LinkedSignal extends Disposable {
  readonly signal: AbortSignal
  abort(reason: unknown): void
}

/**
 * Fires as soon as one of `sources` does, or by its own `abort`. In place of `AbortSignal.any`, which cannot let go of
 * its sources: an upload's signal would gather one dependent for every block.
 */
export function linkSignals(...sources: readonly (AbortSignal | undefined)[]): LinkedSignal {
  const controller = manyListeners(new AbortController())
  const release: (() => void)[] = []
  const abort = (reason: unknown): void => {
    controller.abort(reason)
  }
  for (const source of sources) {
    if (source === undefined) continue
    const follow = (): void => {
      abort(source.reason)
    }
    if (source.aborted) follow()
    else {
      source.addEventListener('abort', follow, { once: true })
      release.push(() => {
        source.removeEventListener('abort', follow)
      })
    }
  }
  return {
    signal: controller.signal,
    abort,
    [Symbol.dispose]: () => {
      for (const letGo of release) letGo()
    },
  }
}

/** Tells Node that this signal is meant to have many listeners, one a request, and that they are no leak. */
export function manyListeners(controller: AbortController): AbortController {
  setMaxListeners(0, controller.signal)
  return controller
}
