import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../src/foundation/system.ts'
import type { Clock } from '../../src/foundation/clock.ts'
import { writeBandwidthFile } from '../../src/home/bandwidth-file.ts'
import { parseWeekTime, type RateLimits } from '../../src/home/bandwidth-schedule.ts'
import { keepToBandwidth } from '../../src/library/bandwidth.ts'
import { temporaryFolder } from '../support/temporary.ts'

/** The system's clock, whose wall clock the test sets, and which waits for nothing long. */
class WallClock implements Clock {
  wall = new Date(2026, 0, 5, 7, 59)

  nowMs(): number {
    return this.wall.getTime()
  }

  monotonicMs(): number {
    return systemClock.monotonicMs()
  }

  after(delayMs: number, action: () => void): () => void {
    return systemClock.after(Math.min(delayMs, 10), action)
  }
}

const office = parseWeekTime('mon-fri 08:00-18:00')
const schedule = {
  usual: { uploadBytesPerS: 1e6 },
  times: office === undefined ? [] : [{ ...office, uploadBytesPerS: 50_000 }],
}

async function kept(): Promise<{
  path: string
  clock: WallClock
  now: () => RateLimits | undefined
  flaws: string[]
  start: (onChange?: () => Promise<void>) => Promise<Disposable>
}> {
  const path = join(await temporaryFolder(), 'bandwidth.json')
  const clock = new WallClock()
  const limits: RateLimits[] = []
  const flaws: string[] = []
  return {
    path,
    clock,
    now: () => limits.at(-1),
    flaws,
    start: async (onChange) =>
      await keepToBandwidth(path, {
        clock,
        limit: (each) => limits.push(each),
        onFlaw: (why) => flaws.push(why),
        onChange,
      }),
  }
}

describe('a host that keeps to the bandwidth of its home', () => {
  it('goes by it from the start, and when a time begins and ends', async () => {
    const { path, clock, now, start } = await kept()
    await writeBandwidthFile(path, schedule)
    using _ = await start()
    expect(now()).toEqual({ uploadBytesPerS: 1e6 })
    clock.wall = new Date(2026, 0, 5, 8, 0)
    await vi.waitFor(() => {
      expect(now()).toEqual({ uploadBytesPerS: 50_000 })
    })
    clock.wall = new Date(2026, 0, 5, 18, 0)
    await vi.waitFor(() => {
      expect(now()).toEqual({ uploadBytesPerS: 1e6 })
    })
  })

  it('follows its file, tells of one that cannot be used, and goes on by the last', async () => {
    const { path, now, start, flaws } = await kept()
    let changes = 0
    using _ = await start(async () => {
      changes++
      await Promise.resolve()
    })
    expect(now()).toEqual({})
    await writeBandwidthFile(path, schedule)
    await vi.waitFor(() => {
      expect(now()).toEqual({ uploadBytesPerS: 1e6 })
      expect(changes).toBe(1)
    })
    await writeFile(path, '{')
    await vi.waitFor(() => {
      // Who writes in place may be seen twice at it.
      expect(flaws.at(-1)).toContain('bandwidth.json cannot be used')
    })
    expect(now()).toEqual({ uploadBytesPerS: 1e6 })
    await rm(path)
    await vi.waitFor(() => {
      expect(now()).toEqual({})
    })
  })
})
