import { messageOf, HayloftError } from '../../foundation/error.ts'
import type { SyncContext } from './engine/context.ts'
import { syncOnce, type PassOptions, type SyncResult } from './engine/sync-engine.ts'
import type { Watcher } from './watch/directory-watcher.ts'

/** What people and programs are told of a sync. */
export interface SyncStatus {
  /**
   * `syncing`: at work. `in-sync`: both sides agree as far as they can. `waiting`: some of it must wait, and goes on by
   * itself. `held`: the user must say something first. `failed`: a pass ended early, and is tried again.
   */
  readonly state: 'syncing' | 'in-sync' | 'waiting' | 'held' | 'failed'
  /** A sentence, where there is something to tell. */
  readonly message?: string | undefined
  /** ms since 1970; undefined before the first whole pass. */
  readonly lastSyncMs?: number | undefined
  readonly result?: SyncResult | undefined
  /** Why changes on the disk are noticed late. */
  readonly degraded?: string | undefined
}

export interface RunnerOptions {
  readonly context: SyncContext
  /** Calls for every change in a directory; with none, whatever may have changed is looked at. */
  readonly watch: (onChange: (directory?: string) => void) => Promise<Watcher>
  /** Whether the user has said, since it was asked the last time, that they meant to remove so much. */
  readonly takeAllowance: () => Promise<boolean>
  /** What the user has had undone since it was asked the last time. */
  readonly takeReverts?: (() => Promise<PassOptions['revert']>) | undefined
  readonly onStatus: (status: SyncStatus) => void | Promise<void>
  readonly signal: AbortSignal
}

/** After the last change, so that a program that writes several files is not met half-way. */
const SETTLE_MS = 500
/** A directory that never comes to rest is synced all the same. */
const MAX_SETTLE_MS = 10_000
/** What no watcher tells is found by looking. */
const LOOK_INTERVAL_MS = 60 * 60 * 1000
const DEGRADED_LOOK_INTERVAL_MS = 5 * 60 * 1000
/** What must wait is tried again. */
const PENDING_INTERVAL_MS = 5_000
const FIRST_RETRY_MS = 2_000
const MAX_RETRY_MS = 60_000
const WATCH_RETRY_MS = 10_000

/** Keeps a directory and a folder in step until the signal fires. Failures are told and tried again, never thrown. */
export async function runSync(options: RunnerOptions): Promise<void> {
  const runner = new Runner(options)
  await runner.run()
}

class Runner {
  readonly #options: RunnerOptions
  #wake: (() => void) | undefined
  /** Something has changed since the last pass began. */
  #isDirty = true
  /** Of the changes of the disk since then; undefined where there was none. */
  #firstChangeMs: number | undefined
  #lastChangeMs = 0
  #lastSyncMs: number | undefined
  #result: SyncResult | undefined
  #failures = 0
  /** When all of the disk was looked at last. */
  #lookedMs = -Infinity

  constructor(options: RunnerOptions) {
    this.#options = options
  }

  async run(): Promise<void> {
    const { context, signal, watch } = this.#options
    await using watcher = await watch((directory) => {
      context.disk.noteChange(directory)
      this.#changed()
    })
    const following = this.#follow()
    while (!signal.aborted) {
      this.#isDirty = false
      this.#firstChangeMs = undefined
      await this.#tell('syncing', watcher)
      const delayMs = await this.#pass(watcher)
      await this.#rest(delayMs)
    }
    await following
  }

  /** @returns when to look again, if nothing else calls for it */
  async #pass(watcher: Watcher): Promise<number> {
    const { context, signal, takeAllowance, takeReverts } = this.#options
    const lookIntervalMs =
      watcher.degraded === undefined ? LOOK_INTERVAL_MS : DEGRADED_LOOK_INTERVAL_MS
    const nowMs = context.clock.monotonicMs()
    if (this.#failures > 0 || nowMs - this.#lookedMs >= lookIntervalMs) {
      context.disk.noteChange()
      this.#lookedMs = nowMs
    }
    try {
      const allowRemovals = await takeAllowance()
      const revert = await takeReverts?.()
      const result = await syncOnce(context, { signal, allowRemovals, revert })
      this.#result = result
      if (result.failures.size === 0) this.#failures = 0
      this.#lastSyncMs = context.clock.nowMs()
      if (result.hold !== undefined) await this.#tell('held', watcher, heldMessage(result.hold))
      else await this.#tell(result.pending > 0 ? 'waiting' : 'in-sync', watcher)
      if (result.failures.size > 0) return this.#retryMs()
      if (result.pending > 0 || result.hold !== undefined) return PENDING_INTERVAL_MS
      return lookIntervalMs
    } catch (error) {
      if (signal.aborted) return 0
      // A failure that nobody foresaw must not end what keeps people's files; it is told as it is.
      const message =
        error instanceof HayloftError ? error.message : `It failed: ${messageOf(error)}`
      await this.#tell('failed', watcher, message)
      return this.#retryMs()
    }
  }

  /** Later each time that it fails again. */
  #retryMs(): number {
    return Math.min(FIRST_RETRY_MS * 2 ** this.#failures++, MAX_RETRY_MS)
  }

  async #tell(state: SyncStatus['state'], { degraded }: Watcher, message?: string): Promise<void> {
    const [lastSyncMs, result] = [this.#lastSyncMs, this.#result]
    await this.#options.onStatus({ state, message, lastSyncMs, result, degraded })
  }

  /** Wakes when the folder on the grid becomes another. */
  async #follow(): Promise<void> {
    const { context, signal } = this.#options
    while (!signal.aborted) {
      try {
        for await (const _ of context.folder.watch(signal)) this.#wakeUp()
      } catch {
        // Passes tell what is wrong with the grid.
      }
      await this.#sleep(WATCH_RETRY_MS)
    }
  }

  /** The disk has changed. */
  #changed(): void {
    const nowMs = this.#options.context.clock.monotonicMs()
    this.#firstChangeMs ??= nowMs
    this.#lastChangeMs = nowMs
    this.#wakeUp()
  }

  #wakeUp(): void {
    this.#isDirty = true
    this.#wake?.()
  }

  /** Until the folder changes, or the disk does and comes to rest, or the time is over. */
  async #rest(delayMs: number): Promise<void> {
    const { context, signal } = this.#options
    if (!this.#isDirty) await this.#sleep(delayMs, true)
    for (;;) {
      if (signal.aborted || this.#firstChangeMs === undefined) return
      const nowMs = context.clock.monotonicMs()
      const quietMs = nowMs - this.#lastChangeMs
      const waitedMs = nowMs - this.#firstChangeMs
      if (quietMs >= SETTLE_MS || waitedMs >= MAX_SETTLE_MS) return
      await this.#sleep(SETTLE_MS - quietMs)
    }
  }

  async #sleep(delayMs: number, canWake = false): Promise<void> {
    const { context, signal } = this.#options
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        cancel()
        if (canWake) this.#wake = undefined
        signal.removeEventListener('abort', done)
        resolve()
      }
      const cancel = context.clock.after(delayMs, done)
      if (canWake) this.#wake = done
      signal.addEventListener('abort', done, { once: true })
    })
  }
}

function heldMessage({ removals, files }: NonNullable<SyncResult['hold']>): string {
  return (
    `${removals} of ${files} files are gone from the directory. They are not removed from the grid until you say so: ` +
    'bring them back, or run "hayloft sync resume --allow-removals".'
  )
}
