import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TrafficBudget, type BudgetState } from '../../../src/grid/care/traffic-budget.ts'

const DAY_MS = 24 * 3_600_000
const PER_DAY = 1000

describe('a budget of traffic', () => {
  it('never allows more than a day and what has passed, nor urgent work more than a day beyond that', async () => {
    const step = fc.record({
      afterMs: fc.nat({ max: DAY_MS }),
      bytes: fc.nat({ max: 700 }),
      urgency: fc.constantFrom('critical' as const, 'repair' as const, 'spare' as const),
      isKilled: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        let nowMs = 0
        let state: BudgetState | undefined
        const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, after: () => () => undefined }
        const open = (): TrafficBudget =>
          new TrafficBudget({
            perDayBytes: PER_DAY,
            state,
            clock,
            save: async (saved) => {
              state = saved
              await Promise.resolve()
            },
          })
        let budget = open()
        let [taken, ordinary] = [0, 0]
        for (const { afterMs, bytes, urgency, isKilled } of steps) {
          nowMs += afterMs
          // What was written down counts, whatever the program meant to give back.
          if (isKilled) budget = open()
          const mostBytes = PER_DAY + (PER_DAY * nowMs) / DAY_MS
          if (await budget.take(bytes, urgency)) {
            taken += bytes
            if (urgency !== 'critical') ordinary += bytes
          }
          expect(ordinary).toBeLessThanOrEqual(mostBytes + 1)
          expect(taken).toBeLessThanOrEqual(mostBytes + PER_DAY + 1)
        }
      }),
    )
  })

  it('leaves half to what cannot wait, and says when there is enough', async () => {
    let nowMs = 0
    const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, after: () => () => undefined }
    const save = async (): Promise<void> => Promise.resolve()
    const budget = new TrafficBudget({ perDayBytes: PER_DAY, state: undefined, clock, save })
    expect(await budget.take(500, 'spare')).toBe(true)
    expect(await budget.take(1, 'spare')).toBe(false)
    expect(await budget.take(500, 'repair')).toBe(true)
    expect(await budget.take(1, 'repair')).toBe(false)
    expect(await budget.take(1000, 'critical')).toBe(true)
    expect(await budget.take(1, 'critical')).toBe(false)
    expect(budget.readyMs(100)).toBeCloseTo(1.1 * DAY_MS, -3)
    nowMs = 1.2 * DAY_MS
    expect(await budget.take(100, 'repair')).toBe(true)
  })
})
