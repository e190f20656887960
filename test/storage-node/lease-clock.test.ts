import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SimulatedClock } from '../../simulations/clock.ts'
import { SimulatedDrive } from '../../simulations/disk.ts'
import { SeededRandomness } from '../../simulations/randomness.ts'
import type { Clock } from '../../src/foundation/clock.ts'
import type { KeyValueStore } from '../../src/storage-node/disk.ts'
import { LeaseClock } from '../../src/storage-node/lease-clock.ts'
import { GRACE_S } from '../../src/storage-node/leases.ts'
import { testBlock } from '../support/blocks.ts'
import { headsOf, putRecord } from '../support/slot-nodes.ts'
import { testRecord, testSlot } from '../support/slot-records.ts'
import { ALICE, TestNode } from '../support/storage-nodes.ts'

const HOUR_MS = 3600_000
const DAY_MS = 24 * HOUR_MS
const LEASE_S = 45 * 24 * 3600
const RIGHT_MS = Date.UTC(2026, 0, 1)
const WRONG_MS = { 1970: 0, 2038: Date.UTC(2038, 0, 19) }

/** A machine whose calendar anyone may set, and which is off at times: then its measured clock starts anew. */
class Machine implements Clock {
  calendarMs = RIGHT_MS
  measuredMs = 0

  nowMs(): number {
    return this.calendarMs
  }

  monotonicMs(): number {
    return this.measuredMs
  }

  after(): () => void {
    return () => undefined
  }

  /** On for so long, or asleep, or off. */
  pass(durationMs: number, how: 'on' | 'asleep' = 'on'): void {
    this.calendarMs += durationMs
    if (how === 'on') this.measuredMs += durationMs
  }
}

function newRows(): KeyValueStore {
  const clock = new Machine()
  return new SimulatedDrive({ clock, randomness: new SeededRandomness(1) }).open().rows
}

type Step =
  | { kind: 'on' | 'asleep' | 'off'; durationMs: number }
  | { kind: 'set'; calendarMs: number }
  | { kind: 'crash' }

const durationMs = fc.oneof(fc.nat(2 * HOUR_MS), fc.nat(3 * DAY_MS), fc.nat(60 * DAY_MS))
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('on' as const, 'asleep' as const, 'off' as const),
    durationMs,
  }),
  fc.record({
    kind: fc.constant('set' as const),
    calendarMs: fc.constantFrom(WRONG_MS[1970], RIGHT_MS, WRONG_MS[2038]),
  }),
  fc.constant({ kind: 'crash' as const }),
)

describe('the time that leases are counted in', () => {
  test('never goes back, keeps up while the node is on, and believes a day at once at most', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const machine = new Machine()
        const rows = newRows()
        let clock = await LeaseClock.open(rows, machine)
        await clock.save()
        for (const each of steps) {
          const beforeMs = clock.nowMs()
          let onMs = 0
          if (each.kind === 'set') machine.calendarMs = each.calendarMs
          else if (each.kind !== 'crash') {
            if (each.kind === 'on') onMs = each.durationMs
            machine.pass(each.durationMs, each.kind === 'on' ? 'on' : 'asleep')
          }
          if (each.kind === 'off') machine.measuredMs = 17
          if (each.kind === 'off' || each.kind === 'crash')
            clock = await LeaseClock.open(rows, machine)
          await clock.save()
          const passedMs = clock.nowMs() - beforeMs
          expect(passedMs).toBeGreaterThanOrEqual(onMs)
          expect(passedMs).toBeLessThanOrEqual(onMs + DAY_MS)
        }
      }),
    )
  })

  test('is the calendar of a machine that is on for some of each day', async () => {
    const machine = new Machine()
    const rows = newRows()
    for (let day = 0; day < 60; day++) {
      machine.measuredMs = day
      const clock = await LeaseClock.open(rows, machine)
      await clock.save()
      expect(clock.nowMs()).toBe(machine.calendarMs)
      machine.pass(2 * HOUR_MS)
      expect(clock.nowMs()).toBe(machine.calendarMs)
      machine.pass(4 * HOUR_MS, 'asleep')
      expect(clock.observe()).toBe(0)
      expect(clock.nowMs()).toBe(machine.calendarMs)
      await clock.save()
      machine.pass(18 * HOUR_MS)
    }
  })

  test('gains a day at most from a calendar that jumps to and fro every hour', async () => {
    const machine = new Machine()
    const clock = await LeaseClock.open(newRows(), machine)
    for (let hour = 0; hour < 500; hour++) {
      machine.pass(HOUR_MS)
      const trueMs = RIGHT_MS + (hour + 1) * HOUR_MS
      machine.calendarMs = hour % 2 === 0 ? WRONG_MS[2038] + hour : trueMs
      clock.observe()
      expect(clock.nowMs() - trueMs).toBeLessThanOrEqual(DAY_MS)
      expect(clock.nowMs()).toBeGreaterThanOrEqual(trueMs)
    }
  })

  test('believes a calendar that was put right, after a week in step', async () => {
    const machine = new Machine()
    const clock = await LeaseClock.open(newRows(), machine)
    machine.calendarMs = WRONG_MS[2038]
    expect(clock.observe()).toBeGreaterThan(4000 * DAY_MS)
    machine.calendarMs = RIGHT_MS
    const nightly = (): number => {
      const beforeMs = clock.nowMs()
      machine.pass(12 * HOUR_MS, 'asleep')
      clock.observe()
      return clock.nowMs() - beforeMs
    }
    expect(nightly()).toBe(0)
    for (let hour = 0; hour < 8 * 24; hour++) {
      machine.pass(HOUR_MS)
      clock.observe()
    }
    expect(nightly()).toBe(12 * HOUR_MS)
  })
})

const block = testBlock(1)
const slot = testSlot(1)
const record = testRecord(slot, { a: 1 })

/** A node of its own time, which its calendar may part from. */
class TestMachine {
  readonly clock = new SimulatedClock(RIGHT_MS)
  offsetMs = 0
  readonly #drive = new SimulatedDrive({ clock: this.clock, randomness: new SeededRandomness(1) })

  async on(): Promise<TestNode> {
    const clock: Clock = {
      nowMs: () => this.clock.nowMs() + this.offsetMs,
      monotonicMs: () => this.clock.monotonicMs(),
      after: (delayMs, action) => this.clock.after(delayMs, action),
    }
    const node = await TestNode.open({ disk: this.#drive.open(), clock })
    node.node.startMaintenance()
    await this.clock.advance(1000)
    return node
  }

  async off(node: TestNode): Promise<void> {
    await this.clock.run(() => node[Symbol.asyncDispose]())
  }

  async fill(node: TestNode, leaseS = LEASE_S): Promise<void> {
    await node.put(ALICE, block, 0, leaseS)
    await putRecord(node, record, { leaseS })
  }
}

async function isKept(node: TestNode): Promise<boolean> {
  const [shares, heads] = [await node.held(block.id), await headsOf(node, slot.slot)]
  expect(shares.length).toBe(heads.length)
  return shares.length > 0
}

describe('a node with a wrong calendar', () => {
  for (const [year, wrongMs] of Object.entries(WRONG_MS)) {
    test(`that becomes ${year} while it runs, and stays so, deletes nothing before its time`, async () => {
      const machine = new TestMachine()
      const node = await machine.on()
      await machine.fill(node)
      machine.offsetMs = wrongMs - RIGHT_MS
      await machine.clock.advance(50 * DAY_MS)
      expect(await isKept(node)).toBe(true)
      // Leases go on to be given and to run out.
      await machine.clock.advance(4 * DAY_MS)
      expect(await isKept(node)).toBe(false)
      await machine.fill(node, 10 * 24 * 3600)
      await machine.clock.advance(16 * DAY_MS)
      expect(await isKept(node)).toBe(true)
      await machine.clock.advance(2 * DAY_MS)
      expect(await isKept(node)).toBe(false)
      await machine.off(node)
    })

    test(`that is ${year} when it starts, and then right, deletes nothing before its time`, async () => {
      const machine = new TestMachine()
      let node = await machine.on()
      await machine.fill(node)
      await machine.off(node)
      machine.offsetMs = wrongMs - RIGHT_MS
      node = await machine.on()
      await machine.clock.advance(10 * DAY_MS)
      expect(await isKept(node)).toBe(true)
      // Renewed while it is wrong, and then it is put right.
      await machine.fill(node)
      machine.offsetMs = 0
      await machine.clock.advance(50 * DAY_MS)
      expect(await isKept(node)).toBe(true)
      await machine.clock.advance(3 * DAY_MS)
      expect(await isKept(node)).toBe(false)
      await machine.off(node)
    })
  }

  test('that is wrong from its very first day is as good as any', async () => {
    const machine = new TestMachine()
    machine.offsetMs = WRONG_MS[1970] - RIGHT_MS
    const node = await machine.on()
    await machine.fill(node)
    await machine.clock.advance(DAY_MS)
    machine.offsetMs = 0
    await machine.clock.advance(49 * DAY_MS)
    expect(await isKept(node)).toBe(true)
    await machine.clock.advance(3 * DAY_MS)
    expect(await isKept(node)).toBe(false)
    await machine.off(node)
  })

  test('that goes to and fro with every restart deletes nothing before its time', async () => {
    const machine = new TestMachine()
    let node = await machine.on()
    await machine.fill(node)
    for (let day = 0; day < 45; day++) {
      machine.offsetMs = day % 2 === 0 ? WRONG_MS[2038] - RIGHT_MS : 0
      await machine.off(node)
      node = await machine.on()
      await machine.clock.advance(DAY_MS)
    }
    expect(await isKept(node)).toBe(true)
    await machine.off(node)
  })
})

test('a node that was away for months keeps what it has for as long again, and then collects it', async () => {
  const machine = new TestMachine()
  let node = await machine.on()
  await machine.fill(node)
  await machine.clock.advance(DAY_MS)
  await machine.off(node)
  machine.offsetMs = 100 * DAY_MS
  node = await machine.on()
  expect(node.events).toMatchObject([{ kind: 'clock-jumped' }])
  await machine.clock.advance(LEASE_S * 1000 + GRACE_S * 1000 - 3 * DAY_MS)
  expect(await isKept(node)).toBe(true)
  await machine.clock.advance(2 * DAY_MS)
  expect(await isKept(node)).toBe(false)
  await machine.off(node)
})
