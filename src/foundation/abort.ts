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
      release.push(onAbort(source, follow))
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

/**
 * Calls `action` when `signal` fires, unless the returned function is called before. Many actions share one listener, which
 * goes with the last of them: to add and to remove one takes as long as all else that is done for a small request.
 */
export function onAbort(signal: AbortSignal, action: () => void): () => void {
  let listening = LISTENING.get(signal)
  if (listening === undefined) {
    listening = new Listening(signal)
    LISTENING.set(signal, listening)
  }
  return listening.add(action)
}

class Listening {
  readonly #signal: AbortSignal
  readonly #actions = new Set<() => void>()

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  add(action: () => void): () => void {
    if (this.#actions.size === 0) {
      this.#signal.addEventListener('abort', this.#onAbort, { once: true })
    }
    this.#actions.add(action)
    return () => {
      if (!this.#actions.delete(action) || this.#actions.size > 0) return
      this.#signal.removeEventListener('abort', this.#onAbort)
    }
  }

  readonly #onAbort = (): void => {
    for (const action of this.#actions) action()
  }
}

const LISTENING = new WeakMap<AbortSignal, Listening>()

/** Tells Node that this signal is meant to have many listeners, one a request, and that they are no leak. */
export function manyListeners(controller: AbortController): AbortController {
  allowManyListeners(controller.signal)
  return controller
}

/** The same of a signal that came from elsewhere. */
export function allowManyListeners(signal: AbortSignal): void {
  if (ALLOWED.has(signal)) return
  setMaxListeners(0, signal)
  ALLOWED.add(signal)
}

const ALLOWED = new WeakSet<AbortSignal>()
