import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  audited,
  availabilityOf,
  chanceOfLeaving,
  failureRateOf,
  graceMsOf,
  isDistrusted,
  isDoubted,
  isGone,
  isMeasured,
  newHistory,
  probed,
  type NodeHistory,
} from '../../../src/grid/care/node-history.ts'
import type { NodeKey } from '../../../src/protocol/node-key.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const START_MS = Date.UTC(2026, 0, 1)
const node = 'node' as NodeKey

/** A node asked every ten minutes, there or away by the hour of the day. */
function watched(
  days: number,
  isUpAt: (hour: number) => boolean,
  from = newHistory(node, START_MS),
): NodeHistory {
  let history = from
  for (let step = 1; step <= days * 144; step++) {
    const nowMs = Math.max(START_MS, from.probedMs) + (step * HOUR_MS) / 6
    history = probed(history, { isUp: isUpAt(Math.floor(nowMs / HOUR_MS) % 24), nowMs })
  }
  return history
}

describe('the availability of a node', () => {
  it('comes to what was measured', () => {
    expect(availabilityOf(watched(40, () => true))).toBeGreaterThan(0.99)
    expect(availabilityOf(watched(40, (hour) => hour >= 12))).toBeCloseTo(0.5, 1)
    expect(availabilityOf(undefined)).toBe(0.9)
  })

  it('is measured once a node was watched for a day, there or away', () => {
    expect(isMeasured(undefined)).toBe(false)
    expect(isMeasured(watched(0.9, () => true))).toBe(false)
    expect(isMeasured(watched(1.1, (hour) => hour >= 12))).toBe(true)
  })

  it('is always a chance, and better for each answer', () => {
    const steps = fc.array(fc.record({ isUp: fc.boolean(), afterMs: fc.nat({ max: 3 * DAY_MS }) }))
    fc.assert(
      fc.property(steps, (all) => {
        let [history, nowMs] = [newHistory(node, START_MS), START_MS]
        for (const { isUp, afterMs } of all) {
          nowMs += afterMs
          const answers = probed(history, { isUp: true, nowMs })
          const misses = probed(history, { isUp: false, nowMs })
          expect(availabilityOf(answers)).toBeGreaterThanOrEqual(availabilityOf(misses))
          expect(availabilityOf(answers)).toBeLessThanOrEqual(1)
          expect(availabilityOf(misses)).toBeGreaterThanOrEqual(0)
          expect(isGone(answers)).toBe(false)
          history = isUp ? answers : misses
        }
      }),
    )
  })

  it('counts a moment of each day as a moment and not as the day', () => {
    const daily = (isUp: boolean): NodeHistory => {
      let history = watched(30, () => true)
      for (let day = 1; day <= 30; day++) {
        history = probed(history, { isUp, nowMs: history.probedMs + DAY_MS })
      }
      return history
    }
    expect(availabilityOf(daily(false))).toBeGreaterThan(0.9)
  })
})

describe('a node that is away', () => {
  it('is gone after half a day if it was always there, and after a day if it often is not', () => {
    const steady = watched(30, () => true)
    expect(graceMsOf(steady)).toBe(12 * HOUR_MS)
    const sleepy = watched(30, (hour) => hour >= 12)
    expect(graceMsOf(sleepy)).toBe(24 * HOUR_MS)
    expect(isGone(sleepy)).toBe(false)
    expect(isGone(watched(0.4, () => false, steady))).toBe(false)
    expect(isGone(watched(0.6, () => false, steady))).toBe(true)
    expect(
      isGone(
        watched(
          0.9,
          () => false,
          watched(0.1, () => true, sleepy),
        ),
      ),
    ).toBe(false)
    expect(
      isGone(
        watched(
          1.2,
          () => false,
          watched(0.1, () => true, sleepy),
        ),
      ),
    ).toBe(true)
  })

  it('is not gone because whoever looks was away for a weekend', () => {
    let history = watched(30, () => true)
    for (const afterMs of [HOUR_MS / 6, HOUR_MS / 6, 63 * HOUR_MS]) {
      history = probed(history, { isUp: false, nowMs: history.probedMs + afterMs })
    }
    expect(isGone(history)).toBe(false)
    for (const afterMs of [HOUR_MS / 6, HOUR_MS / 6]) {
      history = probed(history, { isUp: false, nowMs: history.probedMs + afterMs })
    }
    expect(isGone(history)).toBe(true)
  })

  it('is likelier to leave the more often it has left', () => {
    const steady = watched(30, () => true)
    const left = watched(2, () => false, steady)
    expect(chanceOfLeaving(left, 2 * DAY_MS)).toBeGreaterThan(chanceOfLeaving(steady, 2 * DAY_MS))
    expect(chanceOfLeaving(undefined, 365 * DAY_MS)).toBeCloseTo(1 - 1 / Math.E, 6)
  })
})

describe('the reputation of a node', () => {
  const tried = (good: number, bad: number, nowMs = START_MS): NodeHistory =>
    audited(newHistory(node, START_MS), { good, bad, nowMs })

  it('is not lost by one bad sector, and is by lying', () => {
    expect(isDistrusted(tried(0, 1))).toBe(false)
    expect(isDistrusted(tried(300, 3))).toBe(false)
    expect(isDistrusted(tried(0, 3))).toBe(true)
    expect(isDistrusted(tried(20, 6))).toBe(true)
    expect(isDoubted(tried(300, 1))).toBe(true)
    expect(isDoubted(tried(300, 0))).toBe(false)
  })

  it('is bounded by what was seen, and worse for each failure', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1000 }), fc.nat({ max: 1000 }), (good, bad) => {
        const rate = failureRateOf({ good, bad })
        expect(rate).toBeGreaterThanOrEqual(0)
        expect(rate).toBeLessThanOrEqual(good + bad === 0 ? 0 : bad / (good + bad) + 1e-12)
        expect(failureRateOf({ good, bad: bad + 1 })).toBeGreaterThanOrEqual(rate - 1e-12)
        expect(failureRateOf({ good: good + 1, bad })).toBeLessThanOrEqual(rate + 1e-12)
      }),
    )
  })

  it('is forgiven in time', () => {
    const liar = tried(0, 11)
    const later = audited(liar, { good: 0, bad: 0, nowMs: START_MS + 70 * DAY_MS })
    expect(isDistrusted(liar)).toBe(true)
    expect(isDistrusted(later)).toBe(false)
    expect(isDoubted(later)).toBe(true)
  })
})
