import { assert } from './error.ts'

/** A promise and the two functions that settle it. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (reason: unknown) => void
}

export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}

/** A counting limit, first come first served. A unit may be one piece of work, or one byte of memory. */
export class Semaphore {
  readonly #capacity: number
  #available: number
  readonly #waiting: { units: number; grant: () => void }[] = []

  constructor(capacity: number) {
    assert(capacity > 0, 'a semaphore needs a capacity')
    this.#capacity = capacity
    this.#available = capacity
  }

  /** Units that are free now. */
  get available(): number {
    return this.#available
  }

  /**
   * Waits for `units` (one asking for more than the whole capacity gets all of it, alone) and returns the
   * function that gives them back; calling it twice does nothing more.
   */
  async acquire(units = 1, signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted()
    const taken = Math.min(units, this.#capacity)
    if (this.#waiting.length > 0 || this.#available < taken) await this.#wait(taken, signal)
    else this.#available -= taken
    let held = true
    return () => {
      if (!held) return
      held = false
      this.#available += taken
      this.#grantNext()
    }
  }

  async #wait(units: number, signal?: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        reject(signal?.reason as Error)
        this.#grantNext()
      }
      const waiter = {
        units,
        grant: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.push(waiter)
    })
  }

  #grantNext(): void {
    for (;;) {
      const next = this.#waiting[0]
      if (next === undefined || next.units > this.#available) return
      this.#waiting.shift()
      this.#available -= next.units
      next.grant()
    }
  }
}

/** Runs `work` on every item, at most `limit` at once; results keep the items' order. The first failure wins. */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  results.length = items.length
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++
      results[index] = await work(items[index] as T, index)
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  return results
}

/**
 * Runs `work` on every item, at most `limit` at once, and ends when all that was begun has ended. After a failure nothing
 * more is begun; the first one is thrown.
 */
export async function finishConcurrently<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  let failed: { readonly thrown: unknown } | undefined
  const results = await mapConcurrently(items, limit, async (item) => {
    if (failed !== undefined) return undefined
    try {
      return { is: await work(item) }
    } catch (thrown) {
      failed ??= { thrown }
      return undefined
    }
  })
  if (failed !== undefined) throw failed.thrown
  return results.flatMap((result) => (result === undefined ? [] : [result.is]))
}

/**
 * Runs `work` on items as they come, at most `limit` at once, and yields the results in the items' order. When the
 * consumer stops early, what is under way is left to finish and its outcome is dropped.
 */
export async function* mapInOrder<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const running: Promise<R>[] = []
  for await (const item of items) {
    const result = work(item)
    // Its failure is thrown when its turn comes; until then it must not count as unhandled.
    result.catch(() => undefined)
    running.push(result)
    if (running.length >= limit) yield await (running.shift() as Promise<R>)
  }
  for (const result of running) yield await result
}
