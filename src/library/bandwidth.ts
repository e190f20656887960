import type { Clock } from '../foundation/clock.ts'
import { deferred } from '../foundation/concurrency.ts'
import { messageOf } from '../foundation/error.ts'
import { readBandwidthFile } from '../home/bandwidth-file.ts'
import { limitsAt, NO_LIMITS, type RateLimits } from '../home/bandwidth-schedule.ts'
import { watchFile } from '../home/file-watch.ts'

/** How often to look at the clock on the wall: it may be set, and change to summer time. */
const LOOK_INTERVAL_MS = 15_000

export interface KeepToBandwidthOptions {
  readonly clock: Clock
  /** Called with what holds now: at first, when the file changes, and when a time begins or ends. */
  readonly limit: (limits: RateLimits) => void
  /** Called with why the file cannot be used; what it last said still holds. */
  readonly onFlaw?: ((why: string) => void) | undefined
  /** Called once another file is gone by. */
  readonly onChange?: (() => Promise<void>) | undefined
}

/** Keeps a host to what the bandwidth file of its home says. */
export async function keepToBandwidth(
  path: string,
  { clock, limit, onFlaw, onChange }: KeepToBandwidthOptions,
): Promise<Disposable> {
  let schedule = NO_LIMITS
  let cancel = (): void => undefined
  const apply = (): void => {
    cancel()
    limit(limitsAt(schedule, new Date(clock.nowMs())))
    // Without times there is nothing to wait for.
    if (schedule.times.length > 0) cancel = clock.after(LOOK_INTERVAL_MS, apply)
  }
  const first = deferred()
  let isFirst = true
  const stop = watchFile(path, {
    clock,
    // It tells of the file as it is now, too.
    onChange: async () => {
      const isKnown = isFirst
      isFirst = false
      try {
        schedule = await readBandwidthFile(path)
        apply()
        if (!isKnown) await onChange?.()
      } catch (thrown) {
        onFlaw?.(messageOf(thrown))
      }
      first.resolve()
    },
  })
  // Limits hold from the first byte on.
  await first.promise
  return {
    [Symbol.dispose]() {
      stop()
      cancel()
    },
  }
}
