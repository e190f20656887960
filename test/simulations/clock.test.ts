import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sleep } from '../../src/foundation/clock.ts'
import { SimulatedClock, StuckError } from '../../simulations/clock.ts'

describe('the simulated clock', () => {
  it('fires timers in the order of their times, equal ones in the order they were set', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ delayMs: fc.nat(20), cancelled: fc.boolean() }), { maxLength: 40 }),
        async (timers) => {
          const clock = new SimulatedClock()
          const fired: { index: number; atMs: number }[] = []
          timers.forEach(({ delayMs, cancelled }, index) => {
            const cancel = clock.after(delayMs, () => {
              fired.push({ index, atMs: clock.monotonicMs() })
            })
            if (cancelled) cancel()
          })
          await clock.advance(20)
          const expected = timers
            .map(({ delayMs, cancelled }, index) => ({ index, atMs: delayMs, cancelled }))
            .filter(({ cancelled }) => !cancelled)
            .sort((a, b) => a.atMs - b.atMs || a.index - b.index)
            .map(({ index, atMs }) => ({ index, atMs }))
          expect(fired).toEqual(expected)
        },
      ),
    )
  })

  it('moves no further than it must, and then at once', async () => {
    const clock = new SimulatedClock(1_000)
    clock.after(10_000, () => {
      throw new Error('nobody waits for this')
    })
    await clock.run(() => sleep(clock, 3_000))
    expect(clock.monotonicMs()).toBe(3_000)
    expect(clock.nowMs()).toBe(4_000)
  })

  it('lets all promises settle before time passes', async () => {
    const clock = new SimulatedClock()
    await clock.run(async () => {
      const first = sleep(clock, 1)
      for (let step = 0; step < 1_000; step++) await Promise.resolve()
      expect(clock.monotonicMs()).toBe(0)
      await first
    })
    expect(clock.monotonicMs()).toBe(1)
  })

  it('passes on what the work throws', async () => {
    const clock = new SimulatedClock()
    const work = async (): Promise<void> => {
      await sleep(clock, 5)
      throw new RangeError('as expected')
    }
    await expect(clock.run(work)).rejects.toBeInstanceOf(RangeError)
  })

  it('tells work that never ends from work that takes too long', async () => {
    const clock = new SimulatedClock()
    const never = (): Promise<void> => new Promise<void>(() => {})
    await expect(clock.run(never)).rejects.toThrow('no timer is left')
    const ticking = async (): Promise<void> => {
      for (;;) await sleep(clock, 10)
    }
    await expect(clock.run(ticking, { limitMs: 95 })).rejects.toBeInstanceOf(StuckError)
    expect(clock.monotonicMs()).toBe(95)
  })

  it('is shared by runs that overlap', async () => {
    const clock = new SimulatedClock()
    const outer = clock.run(async () => {
      await clock.run(() => sleep(clock, 5))
      await sleep(clock, 5)
      return clock.monotonicMs()
    })
    expect(await outer).toBe(10)
  })
})
