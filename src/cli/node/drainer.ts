import { sleep, type Clock } from '../../foundation/clock.ts'
import { deferred, type Deferred } from '../../foundation/concurrency.ts'
import { messageOf } from '../../foundation/error.ts'
import type { Caller } from '../../protocol/network.ts'
import type { DestinationsOptions } from '../../storage-node/drain/destinations.ts'
import {
  joinReports,
  type DrainProgress,
  type DrainReport,
} from '../../storage-node/drain/report.ts'
import type { StorageNode } from '../../storage-node/storage-node.ts'
import type { NodeLog } from '../node-log.ts'
import { count, formatBytes } from '../terminal.ts'

/** How often a node that could not give away everything tries again: others come back, have room, or a new day begins. */
const RETRY_MS = 10 * 60_000

export interface DrainerOptions {
  readonly storage: StorageNode
  readonly caller: Caller
  readonly order: DestinationsOptions['order']
  readonly clock: Clock
  readonly log: NodeLog
}

/** Gives away what a node keeps for as long as its settings say so, in one pass after another. */
export class Drainer implements AsyncDisposable {
  readonly #options: DrainerOptions
  readonly #watchers = new Set<(progress: DrainProgress) => void>()
  #pass: Deferred<DrainReport> = newPass()
  #running: { readonly abort: AbortController; readonly ended: Promise<void> } | undefined
  /** Since this process began to drain. */
  #sofar: DrainReport | undefined
  #hurry = new AbortController()

  constructor(options: DrainerOptions) {
    this.#options = options
  }

  /** Begins or ends, as the settings want it. */
  async follow({ draining = false }: { readonly draining?: boolean | undefined }): Promise<void> {
    if (draining && this.#running === undefined) {
      const abort = new AbortController()
      this.#running = { abort, ended: this.#run(abort.signal) }
    } else if (!draining) await this.#stop()
  }

  /**
   * What was moved by the end of the next pass, which begins at once if it waits for its time.
   * @throws what `signal` says; Error if draining ends before
   */
  async nextPass(
    onProgress: (progress: DrainProgress) => void,
    signal: AbortSignal,
  ): Promise<DrainReport> {
    this.#watchers.add(onProgress)
    const gone = deferred<never>()
    const onAbort = (): void => gone.reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      this.#hurry.abort()
      return await Promise.race([this.#pass.promise, gone.promise])
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.#watchers.delete(onProgress)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop()
  }

  async #stop(): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    running.abort.abort(new Error('Draining was ended.'))
    await running.ended
    this.#running = undefined
    this.#sofar = undefined
    this.#pass.reject(new Error('Draining was ended.'))
    this.#pass = newPass()
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { storage, caller, order, clock, log } = this.#options
    while (!signal.aborted) {
      try {
        const onProgress = (progress: DrainProgress): void => {
          for (const watch of this.#watchers) watch(progress)
        }
        const report = await storage.drain({ caller, order, signal, onProgress })
        log.write('drained', describePass(report))
        const pass = this.#pass
        this.#pass = newPass()
        this.#sofar = this.#sofar === undefined ? report : joinReports(this.#sofar, report)
        pass.resolve(this.#sofar)
      } catch (error) {
        if (signal.aborted) return
        log.write('drain-failed', messageOf(error))
      }
      this.#hurry = new AbortController()
      const wait = AbortSignal.any([signal, this.#hurry.signal])
      await sleep(clock, RETRY_MS, wait).catch(() => undefined)
    }
  }
}

/** One that nobody may be waiting for. */
function newPass(): Deferred<DrainReport> {
  const pass = deferred<DrainReport>()
  pass.promise.catch(() => undefined)
  return pass
}

function describePass({ moved, left }: DrainReport): string {
  const kept = left.shares + left.records
  return `${formatBytes(moved.bytes)} moved, ${count(kept, 'item')} left`
}
