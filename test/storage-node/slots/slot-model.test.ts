import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { SimulatedDrive } from '../../../simulations/disk.ts'
import { SeededRandomness } from '../../../simulations/randomness.ts'
import { toHex } from '../../../src/foundation/bytes.ts'
import type { NodeKey } from '../../../src/protocol/node-key.ts'
import { decodeSlotRecord } from '../../../src/protocol/slot-record.ts'
import { compareVectors, type VersionVector } from '../../../src/protocol/version-vector.ts'
import { GRACE_S } from '../../../src/storage-node/leases.ts'
import { headsOf, leaseSlots, putRecord } from '../../support/slot-nodes.ts'
import { testRecord, testSlot } from '../../support/slot-records.ts'
import { ALICE, BOB, HandClock, TestNode } from '../../support/storage-nodes.ts'

const slots = [testSlot(1), testSlot(2)]
const QUOTA_BYTES = 5 * 960

interface Known {
  readonly bytes: Uint8Array
  readonly slot: number
  readonly clock: VersionVector
}

/** All records that a run may use: signing is slow. */
const records: Known[] = slots.flatMap((slot, at) =>
  [{ a: 1 }, { a: 2 }, { b: 1 }, { a: 1, b: 1 }, { a: 2, b: 1 }, { c: 1 }, { a: 3, b: 2, c: 1 }]
    .flatMap((counters) => [0, 1].map((noise) => testRecord(slot, counters, { noise })))
    .map((bytes) => ({ bytes, slot: at, clock: decodeSlotRecord(bytes).clock })),
)

type Step =
  | { kind: 'put'; who: NodeKey; record: number; leaseS: number }
  | { kind: 'lease'; who: NodeKey; leaseS: number }
  | { kind: 'drop'; who: NodeKey; slot: number }
  | { kind: 'advance'; seconds: number }
  | { kind: 'collect' | 'reopen' | 'scrub' }

const who = fc.constantFrom(ALICE, BOB)
const leaseS = fc.integer({ min: 0, max: 2 * GRACE_S })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      who,
      record: fc.nat(records.length - 1),
      leaseS,
    }),
    weight: 6,
  },
  { arbitrary: fc.record({ kind: fc.constant('lease' as const), who, leaseS }), weight: 1 },
  {
    arbitrary: fc.record({ kind: fc.constant('drop' as const), who, slot: fc.nat(1) }),
    weight: 1,
  },
  {
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      seconds: fc.integer({ min: 1, max: GRACE_S }),
    }),
    weight: 1,
  },
  {
    arbitrary: fc.record({
      kind: fc.constantFrom('collect' as const, 'reopen' as const, 'scrub' as const),
    }),
    weight: 2,
  },
)

/** What a store of slots has to be equivalent to. */
class Model {
  readonly heads: Known[][] = [[], []]
  readonly leases = [new Map<NodeKey, number>(), new Map<NodeKey, number>()]
  nowS = Date.UTC(2026, 0, 1) / 1000

  put({ who, record, leaseS }: Extract<Step, { kind: 'put' }>): string {
    const offered = records[record]!
    const heads = this.heads[offered.slot]!
    const isHeld = heads.includes(offered)
    if (!isHeld && heads.some(({ clock }) => compareVectors(clock, offered.clock) === 'after')) {
      return 'stale'
    }
    const others = heads.filter(({ clock }) => compareVectors(clock, offered.clock) !== 'before')
    const next = isHeld ? heads : [...others, offered]
    const leasedBytes = this.leases[offered.slot]!.has(who) ? bytesOf(heads) : 0
    const moreBytes = bytesOf(next) - leasedBytes
    if (moreBytes > 0 && this.usedBytes(who) + moreBytes > QUOTA_BYTES) return 'quota'
    this.heads[offered.slot] = next
    this.#lease(offered.slot, who, leaseS)
    return isHeld ? 'have' : 'stored'
  }

  /** @returns positions without a lease */
  lease({ who, leaseS }: Extract<Step, { kind: 'lease' }>): number[] {
    return [0, 1].filter((slot) => {
      const heads = this.heads[slot]!
      if (heads.length === 0) return false
      const isNew = !this.leases[slot]!.has(who)
      if (isNew && this.usedBytes(who) + bytesOf(heads) > QUOTA_BYTES) return true
      this.#lease(slot, who, leaseS)
      return false
    })
  }

  collect(): void {
    for (const [slot, leases] of this.leases.entries()) {
      for (const [who, expiry] of leases) if (expiry + GRACE_S <= this.nowS) leases.delete(who)
      if (leases.size === 0) this.heads[slot] = []
    }
  }

  usedBytes(who: NodeKey): number {
    return this.heads
      .filter((_, slot) => this.leases[slot]!.has(who))
      .reduce((sum, heads) => sum + bytesOf(heads), 0)
  }

  #lease(slot: number, who: NodeKey, leaseS: number): void {
    const leases = this.leases[slot]!
    leases.set(who, Math.max(leases.get(who) ?? 0, this.nowS + leaseS))
  }
}

function bytesOf(heads: readonly Known[]): number {
  return heads.reduce((sum, { bytes }) => sum + bytes.length, 0)
}

function namesOf(heads: readonly Uint8Array[]): string[] {
  return heads.map(toHex).sort()
}

test('any sequence of steps leaves slots like the model', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const clock = new HandClock()
      const drive = new SimulatedDrive({ clock, randomness: new SeededRandomness(1) })
      const open = (): Promise<TestNode> =>
        TestNode.open({ disk: drive.open(), clock, quotaBytes: QUOTA_BYTES })
      const model = new Model()
      let node = await open()
      for (const each of steps) {
        switch (each.kind) {
          case 'put': {
            const { who, leaseS } = each
            const offered = records[each.record]!
            const reply = await putRecord(node, offered.bytes, { who, leaseS })
            const outcome = model.put(each)
            expect(reply.outcome).toBe(outcome)
            const isHeld = outcome === 'stored' || outcome === 'have'
            const heads = model.heads[offered.slot]!
            // Who brought a record is not told of it.
            const expected = heads.filter((head) => !isHeld || head !== offered)
            expect(namesOf(reply.heads)).toEqual(namesOf(expected.map(({ bytes }) => bytes)))
            break
          }
          case 'lease': {
            const unleased = await leaseSlots(
              node,
              each.who,
              slots.map(({ slot }) => slot),
              each.leaseS,
            )
            expect(unleased).toEqual(model.lease(each))
            break
          }
          case 'drop': {
            const ids = [slots[each.slot]!.slot]
            const { dropped } = await node.ask<'drop'>(each.who, { op: 'drop', ids })
            expect(dropped).toBe(model.leases[each.slot]!.delete(each.who) ? 1 : 0)
            break
          }
          case 'advance':
            clock.advanceS(each.seconds)
            model.nowS += each.seconds
            break
          case 'collect':
            await node.node.collect()
            model.collect()
            break
          case 'reopen':
            await node[Symbol.asyncDispose]()
            node = await open()
            break
          case 'scrub': {
            const count = model.heads.flat().length
            expect(await node.node.scrub()).toEqual({ shares: 0, records: count, lost: 0 })
            break
          }
        }
        for (const who of [ALICE, BOB]) {
          expect(await node.usedBytesOf(who)).toBe(model.usedBytes(who))
        }
      }
      for (const [at, { slot }] of slots.entries()) {
        const heads = model.heads[at]!.map(({ bytes }) => bytes)
        expect(namesOf(await headsOf(node, slot))).toEqual(namesOf(heads))
      }
      expect(await node.node.recount()).toBe(true)
      await node[Symbol.asyncDispose]()
    }),
    { numRuns: 60 },
  )
})

test('delivered in any order, at once, to any node, records leave the same heads', async () => {
  const mine = records.filter(({ slot }) => slot === 0)
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(mine, { minLength: 1 }),
      fc.infiniteStream(fc.nat()),
      async (some, chance) => {
        const found: string[][] = []
        const orders = [some, some.toSorted(() => ((chance.next().value as number) % 2) - 0.5)]
        for (const [at, order] of orders.entries()) {
          const drive = new SimulatedDrive({
            clock: new HandClock(),
            randomness: new SeededRandomness(1),
          })
          await using node = await TestNode.open({ disk: drive.open() })
          if (at === 0) for (const { bytes } of order) await putRecord(node, bytes)
          else await Promise.all(order.map(({ bytes }) => putRecord(node, bytes)))
          found.push(namesOf(await headsOf(node, slots[0]!.slot)))
        }
        expect(found[1]).toEqual(found[0])
      },
    ),
    { numRuns: 40 },
  )
})

test('a power cut at any moment costs no record that was acknowledged', async () => {
  let count = 0
  for (let seed = 0; seed < 60; seed++) {
    const randomness = new SeededRandomness(seed)
    const clock = new HandClock()
    const drive = new SimulatedDrive({ clock, randomness })
    const acknowledged: Known[] = []
    for (let round = 0; round < 3; round++) {
      const node = await TestNode.open({ disk: drive.open(), clock })
      let turns = randomness.below(60)
      let isOver = false
      for (const record of randomness.sample(records)) {
        const put = async (): Promise<void> => {
          const { outcome } = await putRecord(node, record.bytes)
          if (!isOver && outcome !== 'merge-first') acknowledged.push(record)
        }
        void put()
      }
      for (; turns > 0; turns--) await Promise.resolve()
      isOver = true
      drive.cutPower()
    }
    await using node = await TestNode.open({ disk: drive.open(), clock })
    const heads = await Promise.all(slots.map(({ slot }) => headsOf(node, slot)))
    for (const { bytes, slot, clock: written } of acknowledged) {
      const isThere = heads[slot]!.some(
        (head) =>
          compareVectors(written, decodeSlotRecord(head).clock) === 'before' ||
          toHex(head) === toHex(bytes),
      )
      expect(isThere, `seed ${seed}`).toBe(true)
    }
    count += acknowledged.length
    expect(await node.node.recount()).toBe(true)
    expect((await node.node.scrub()).lost).toBe(0)
  }
  expect(count).toBeGreaterThan(100)
})

test('writes that fail leave either what was or what was written, and right sums', async () => {
  for (let seed = 0; seed < 12; seed++) {
    const randomness = new SeededRandomness(seed)
    const clock = new HandClock()
    const drive = new SimulatedDrive({ clock, randomness })
    const kept: Known[] = []
    {
      await using node = await TestNode.open({ disk: drive.open(), clock })
      drive.conditions = { ...drive.conditions, writeFailureChance: 0.4 }
      for (const record of randomness.sample(records)) {
        const { bytes } = record
        const reply = await node.node.handle(ALICE, { op: 'slot-put', record: bytes, leaseS: 9 })
        if (reply.op === 'slot-put') kept.push(record)
        else expect(reply).toMatchObject({ op: 'refused', reason: 'internal' })
      }
      drive.conditions = { ...drive.conditions, writeFailureChance: 0 }
      // One more write, so that what is in memory is what is on the drive.
      await leaseSlots(node, BOB, [slots[0]!.slot])
      expect(await node.node.recount()).toBe(true)
    }
    await using node = await TestNode.open({ disk: drive.open(), clock })
    for (const { bytes, slot, clock: written } of kept) {
      const heads = await headsOf(node, slots[slot]!.slot)
      const order = heads.map((head) => compareVectors(written, decodeSlotRecord(head).clock))
      const names = heads.map(toHex)
      expect(order.includes('before') || names.includes(toHex(bytes)), `seed ${seed}`).toBe(true)
    }
    expect((await node.node.scrub()).lost).toBe(0)
  }
})
