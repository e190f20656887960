import { describe, expect, it } from 'vitest'
import type { Clock } from '../../src/foundation/clock.ts'
import { Turns } from '../../src/foundation/turns.ts'

describe('turns', () => {
  it('are given after a stretch of work, and not before', async () => {
    let [nowMs, given] = [0, 0]
    const clock: Clock = {
      nowMs: () => nowMs,
      monotonicMs: () => nowMs,
      after: (_, action) => {
        given++
        queueMicrotask(action)
        return () => undefined
      },
    }
    const turns = new Turns(clock)
    const givenAt: number[] = []
    for (; nowMs <= 65; nowMs += 5) {
      const before = given
      await turns.give()
      if (given > before) givenAt.push(nowMs)
    }
    expect(givenAt).toEqual([20, 40, 60])
  })
})
