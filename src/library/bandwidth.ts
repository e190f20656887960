import type { Clock } from '../foundation/clock.ts'
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
  const read = async (): Promise<void> => {
    schedule = await readBandwidthFile(path)
    apply()
  }
  const told = (thrown: unknown): void => onFlaw?.(messageOf(thrown))
  // Limits hold from the first byte on.
  await read().catch(told)
  let isFirst = true
  const stop = watchFile(path, {
    clock,
    onChange: async () => {
      const isKnown = isFirst
      isFirst = false
      try {
        await read()
        if (!isKnown) await onChange?.()
      } catch (thrown) {
        told(thrown)
      }
    },
  })
  return {
    [Symbol.dispose]() {
      stop()
      cancel()
    },
  }
}
