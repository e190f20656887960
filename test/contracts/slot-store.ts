import { describe, expect, test } from 'vitest'
import { utf8 } from '../../src/foundation/bytes.ts'
import { recordDigest } from '../../src/protocol/slot-record.ts'
import { GRACE_S } from '../../src/storage-node/leases.ts'
import { recordRowKey, slotRowKey } from '../../src/storage-node/slots/slot-rows.ts'
import { testBlock } from '../support/blocks.ts'
import { headsOf, leaseSlots, outcomeOf, putRecord, sorted } from '../support/slot-nodes.ts'
import { testRecord, testSlot } from '../support/slot-records.ts'
import {
  ALICE,
  BOB,
  HandClock,
  shareBytesOf,
  TestNode,
  type TestNodeOptions,
} from '../support/storage-nodes.ts'
import type { TestDrive } from './share-store.ts'

const one = testSlot(1)
const two = testSlot(2)
const RECORD_BYTES = testRecord(one, { a: 1 }).length
const nowS = Date.UTC(2026, 0, 1) / 1000

/** What every store of slots keeps to, whatever disk it lies on. */
export function slotStoreContract(name: string, makeDrive: () => Promise<TestDrive>): void {
  const openNode = async (options: Omit<TestNodeOptions, 'disk'> = {}): Promise<TestNode> => {
    const drive = await makeDrive()
    return TestNode.open({ ...options, disk: await drive.open() })
  }

  describe(`slot store on ${name}: writing`, () => {
    test('gives back exactly what was put, also after it was opened again', async () => {
      const drive = await makeDrive()
      const [first, second] = [testRecord(one, { a: 1 }), testRecord(one, { a: 2 })]
      const siblings = [testRecord(two, { a: 1 }), testRecord(two, { b: 1 })]
      {
        await using node = await TestNode.open({ disk: await drive.open() })
        expect(await putRecord(node, first)).toMatchObject({ outcome: 'stored', heads: [] })
        expect(await putRecord(node, second)).toMatchObject({ outcome: 'stored', heads: [] })
        for (const record of siblings) expect(await outcomeOf(node, record)).toBe('stored')
      }
      await using node = await TestNode.open({ disk: await drive.open() })
      expect(await headsOf(node, one.slot)).toEqual([second])
      expect(await headsOf(node, two.slot)).toEqual(sorted(siblings))
      expect(await headsOf(node, testSlot(3).slot)).toEqual([])
      expect(await outcomeOf(node, second)).toBe('have')
      expect(await putRecord(node, first)).toMatchObject({ outcome: 'stale', heads: [second] })
      expect(await node.node.recount()).toBe(true)
    })

    test('answers for many slots in the order asked, empty ones too', async () => {
      await using node = await openNode()
      const slots = Array.from({ length: 24 }, (_, at) => testSlot(at))
      const records = slots.map((slot) => testRecord(slot, { a: 1 }))
      await Promise.all(
        records.filter((_, at) => at % 3 !== 0).map((each) => putRecord(node, each)),
      )
      const reply = await node.ask<'slot-get'>(BOB, {
        op: 'slot-get',
        slots: slots.map(({ slot }) => slot),
      })
      expect(reply.heads.map((heads) => sorted(heads))).toEqual(
        records.map((record, at) => (at % 3 === 0 ? [] : [record])),
      )
    })

    test('writes to one slot at once happen one after another, and nothing is lost', async () => {
      await using node = await openNode()
      const overwrites = Array.from({ length: 60 }, (_, at) => testRecord(one, { a: at + 1 }))
      const siblings = 'bcdefg'.split('').map((tag) => testRecord(one, { [tag]: 1 }))
      const all = [...overwrites, ...siblings].toSorted((a, b) =>
        Buffer.compare(a.subarray(-8), b.subarray(-8)),
      )
      const replies = await Promise.all(all.map((record) => putRecord(node, record)))
      for (const { outcome } of replies) expect(['stored', 'stale']).toContain(outcome)
      expect(await headsOf(node, one.slot)).toEqual(sorted([overwrites.at(-1)!, ...siblings]))
      expect(await node.node.recount()).toBe(true)
      expect(await node.usedBytesOf(ALICE)).toBe(7 * RECORD_BYTES)
    })

    test('keeps two records of one clock, eight siblings at most, and takes what merges', async () => {
      await using node = await openNode()
      const twins = [1, 2].map((noise) => testRecord(one, { a: 1 }, { noise }))
      for (const record of twins) expect(await outcomeOf(node, record)).toBe('stored')
      const others = 'bcdefg'.split('').map((tag) => testRecord(one, { [tag]: 1 }))
      for (const record of others) expect(await outcomeOf(node, record)).toBe('stored')
      const heads = sorted([...twins, ...others])
      const refused = await putRecord(node, testRecord(one, { h: 1 }))
      expect(refused.outcome).toBe('merge-first')
      expect(sorted(refused.heads)).toEqual(heads)
      const merged = testRecord(one, { a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 2 })
      const reply = await putRecord(node, merged)
      expect(reply).toMatchObject({ outcome: 'stored', heads: [] })
      expect(await node.usedBytesOf(ALICE)).toBe(merged.length)
    })

    test('compares and swaps', async () => {
      await using node = await openNode()
      const first = testRecord(one, { a: 1 })
      const ifEmpty = { ifHeads: [] }
      expect(await outcomeOf(node, first, ifEmpty)).toBe('stored')
      // The reply may have been lost.
      expect(await outcomeOf(node, first, ifEmpty)).toBe('have')
      const rival = testRecord(one, { b: 1 })
      const refused = await putRecord(node, rival, ifEmpty)
      expect(refused).toMatchObject({ outcome: 'heads-differ', heads: [first] })
      expect(await headsOf(node, one.slot)).toEqual([first])
      const digest = recordDigest(first)
      const next = Array.from({ length: 10 }, (_, at) => testRecord(one, { a: 1, [`d${at}`]: 1 }))
      const outcomes = await Promise.all(
        next.map((record) => outcomeOf(node, record, { ifHeads: [digest] })),
      )
      expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(1)
      expect(outcomes.filter((outcome) => outcome === 'heads-differ')).toHaveLength(9)
      expect(await outcomeOf(node, rival, { ifHeads: [digest, digest] })).toBe('heads-differ')
    })

    test('neither takes nor shows an expired record', async () => {
      const clock = new HandClock()
      await using node = await openNode({ clock })
      expect(await outcomeOf(node, testRecord(one, { a: 1 }, { expiresS: nowS }))).toBe('expired')
      const record = testRecord(one, { a: 2 }, { expiresS: nowS + 100 })
      expect(await outcomeOf(node, record, { leaseS: 5 * GRACE_S })).toBe('stored')
      clock.advanceS(99)
      expect(await headsOf(node, one.slot)).toEqual([record])
      clock.advanceS(1)
      expect(await headsOf(node, one.slot)).toEqual([])
      expect(await putRecord(node, record)).toMatchObject({ outcome: 'expired', heads: [] })
      // It does not let come back what it contains, until it is collected.
      expect(await outcomeOf(node, testRecord(one, { a: 1 }))).toBe('stale')
      clock.advanceS(GRACE_S - 1)
      await node.node.collect()
      expect(await node.usedBytesOf(ALICE)).toBe(RECORD_BYTES)
      clock.advanceS(1)
      expect(await node.node.collect()).toEqual({ shares: 0, records: 1, bytes: RECORD_BYTES })
      expect(await node.usedBytesOf(ALICE)).toBe(0)
      expect(await node.node.recount()).toBe(true)
    })
  })

  describe(`slot store on ${name}: leases`, () => {
    test('nothing goes before its lease and grace are over, and then it goes', async () => {
      const drive = await makeDrive()
      const clock = new HandClock()
      {
        await using node = await TestNode.open({ disk: await drive.open(), clock })
        await putRecord(node, testRecord(one, { a: 1 }), { leaseS: 100 })
        await putRecord(node, testRecord(one, { b: 1 }), { leaseS: 50 })
        await putRecord(node, testRecord(two, { b: 1 }), { leaseS: 100 })
        await putRecord(node, testRecord(two, { b: 1 }), { who: BOB, leaseS: 200 })
      }
      await using node = await TestNode.open({ disk: await drive.open(), clock })
      clock.advanceS(100 + GRACE_S - 1)
      expect(await node.node.collect()).toEqual({ shares: 0, records: 0, bytes: 0 })
      clock.advanceS(1)
      const freed = { shares: 0, records: 2, bytes: 2 * RECORD_BYTES }
      expect(await node.node.collect()).toEqual(freed)
      expect(await headsOf(node, one.slot)).toEqual([])
      expect(await headsOf(node, two.slot)).toHaveLength(1)
      expect([await node.usedBytesOf(ALICE), await node.usedBytesOf(BOB)]).toEqual([
        0,
        RECORD_BYTES,
      ])
      expect(await node.node.recount()).toBe(true)
    })

    test('reading with a lease renews it, and never cuts it short', async () => {
      const clock = new HandClock()
      await using node = await openNode({ clock })
      await putRecord(node, testRecord(one, { a: 1 }), { leaseS: 100 })
      expect(await leaseSlots(node, ALICE, [one.slot, two.slot], 1)).toEqual([])
      clock.advanceS(50)
      await leaseSlots(node, BOB, [one.slot], 5000)
      clock.advanceS(50 + GRACE_S)
      await node.node.collect()
      expect([await node.usedBytesOf(ALICE), await node.usedBytesOf(BOB)]).toEqual([
        0,
        RECORD_BYTES,
      ])
      await leaseSlots(node, ALICE, [one.slot], 9000)
      clock.advanceS(5000 + GRACE_S)
      await node.node.collect()
      expect(await headsOf(node, one.slot)).toHaveLength(1)
    })

    test('only an owner drops its lease, of slots and blocks alike', async () => {
      await using node = await openNode()
      const block = testBlock(1)
      await node.put(ALICE, block, 0)
      await putRecord(node, testRecord(one, { a: 1 }))
      const drop = { op: 'drop', ids: [block.id, one.slot, two.slot] } as const
      expect(await node.ask<'drop'>(BOB, drop)).toEqual({ op: 'drop', dropped: 0 })
      expect(await node.ask<'drop'>(ALICE, drop)).toEqual({ op: 'drop', dropped: 2 })
      expect(await node.usedBytesOf(ALICE)).toBe(0)
      await node.node.collect()
      expect(await headsOf(node, one.slot)).toEqual([])
    })
  })

  describe(`slot store on ${name}: limits`, () => {
    test('a quota bounds what an account leases, and never stops who merges', async () => {
      await using node = await openNode({ quotaBytes: 2 * RECORD_BYTES + 5 })
      expect(await outcomeOf(node, testRecord(one, { a: 1 }))).toBe('stored')
      expect(await outcomeOf(node, testRecord(one, { b: 1 }))).toBe('stored')
      const refused = await putRecord(node, testRecord(one, { c: 1 }))
      expect(refused).toMatchObject({ outcome: 'quota' })
      expect(refused.heads).toHaveLength(2)
      expect(await outcomeOf(node, testRecord(two, { c: 1 }))).toBe('quota')
      expect(await outcomeOf(node, testRecord(two, { c: 1 }), { who: BOB })).toBe('stored')
      expect(await leaseSlots(node, ALICE, [one.slot, two.slot])).toEqual([1])
      expect(await leaseSlots(node, BOB, [one.slot, two.slot])).toEqual([0])
      expect(await outcomeOf(node, testRecord(one, { a: 1, b: 1, c: 1 }))).toBe('stored')
      expect(await node.node.recount()).toBe(true)
    })

    test('an account that others have brought beyond its quota may still write what is no larger', async () => {
      await using node = await openNode({ quotaBytes: 2 * RECORD_BYTES + 5 })
      for (const slot of [one, two]) await putRecord(node, testRecord(slot, { a: 1 }))
      expect(await outcomeOf(node, testRecord(one, { b: 1 }), { who: BOB })).toBe('stored')
      expect(await node.usedBytesOf(ALICE)).toBe(3 * RECORD_BYTES)
      expect(await outcomeOf(node, testRecord(two, { a: 2 }))).toBe('stored')
      expect(await outcomeOf(node, testRecord(two, { a: 2 }))).toBe('have')
      expect(await outcomeOf(node, testRecord(two, { b: 1 }))).toBe('quota')
    })

    test('no record stays on the disk that is no head', async () => {
      const drive = await makeDrive()
      const clock = new HandClock()
      const disk = await drive.open()
      await using node = await TestNode.open({ disk, clock })
      const bounds = { from: utf8('r'), to: utf8('s'), limit: 100 }
      for (let at = 1; at < 6; at++) {
        await Promise.all(
          ['a', 'b', 'c'].map((tag) => putRecord(node, testRecord(one, { [tag]: at }))),
        )
      }
      await putRecord(node, testRecord(two, { a: 1 }))
      expect(await disk.rows.range(bounds)).toHaveLength(4)
      await putRecord(node, testRecord(one, { a: 6, b: 5, c: 5 }))
      expect(await disk.rows.range(bounds)).toHaveLength(2)
      clock.advanceS(1000 + GRACE_S)
      await node.node.collect()
      expect(await disk.rows.range(bounds)).toEqual([])
    })

    test('capacity bounds what all keep together, however they race', async () => {
      const capacityBytes = 3 * RECORD_BYTES + 5
      await using node = await openNode({ capacityBytes })
      const slots = Array.from({ length: 10 }, (_, at) => testSlot(at))
      const outcomes = await Promise.all(
        slots.map((slot) => outcomeOf(node, testRecord(slot, { a: 1 }))),
      )
      expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(3)
      expect(outcomes.filter((outcome) => outcome === 'full')).toHaveLength(7)
      const held = slots.find((_, at) => outcomes[at] === 'stored')
      expect(await outcomeOf(node, testRecord(held!, { a: 2 }))).toBe('stored')
      expect(await node.put(ALICE, testBlock(1), 0)).toBe('full')
      expect(await node.ask<'stat'>(ALICE, { op: 'stat' })).toMatchObject({
        freeBytes: 5,
        shares: 0,
      })
    })

    test('shares and slots count together', async () => {
      await using node = await openNode()
      const block = testBlock(1)
      await node.put(ALICE, block, 0)
      await putRecord(node, testRecord(one, { a: 1 }))
      expect(await node.usedBytesOf(ALICE)).toBe(shareBytesOf(block) + RECORD_BYTES)
      expect(await node.node.recount()).toBe(true)
    })
  })

  describe(`slot store on ${name}: rot`, () => {
    test('a slot whose row has rotted is as good as gone, and nothing else is', async () => {
      const drive = await makeDrive()
      const clock = new HandClock()
      const records = [testRecord(one, { a: 1 }), testRecord(two, { a: 1 })]
      {
        await using node = await TestNode.open({ disk: await drive.open(), clock })
        for (const record of records) await putRecord(node, record)
      }
      const key = slotRowKey(one.slot)
      for (let at = 0; at < 70; at += 3) {
        const disk = await drive.open()
        const row = (await disk.rows.get(key))!
        await disk.rows.write([{ key, value: row.with(at, row[at]! ^ 1) }])
        await using node = await TestNode.open({ disk, clock })
        await node.node.collect()
        expect(await headsOf(node, one.slot)).toEqual([])
        expect(await headsOf(node, two.slot)).toEqual([records[1]])
        expect(await leaseSlots(node, BOB, [one.slot])).toEqual([])
        if (at % 2 === 0) {
          expect(await node.node.scrub()).toEqual({ shares: 0, records: 1, lost: 1 })
          expect(node.events).toEqual([{ kind: 'record-lost', slot: one.slot }])
          expect(await disk.rows.get(key)).toBeUndefined()
        }
        expect(await outcomeOf(node, records[0]!)).toBe('stored')
        await node.node.recount()
        expect(await node.usedBytesOf(ALICE)).toBe(2 * RECORD_BYTES)
      }
    })

    test('a scrub in parts reaches every record once', async () => {
      await using node = await openNode()
      const slots = Array.from({ length: 40 }, (_, at) => testSlot(at))
      await Promise.all(slots.map((slot) => putRecord(node, testRecord(slot, { a: 1 }))))
      let records = 0
      for (let first = 0; first < 0x1_0000; first += 0x1000) {
        records += (await node.node.scrub({ first, end: first + 0x1000 })).records
      }
      expect(records).toBe(40)
    })

    for (const found of ['by a scrub', 'by a reader', 'by who brings it again'] as const) {
      test(`a record that rotted is found ${found}, reported, and may come back`, async () => {
        const drive = await makeDrive()
        const clock = new HandClock()
        const [record, sibling] = [testRecord(one, { a: 1 }), testRecord(one, { b: 1 })]
        {
          await using node = await TestNode.open({ disk: await drive.open(), clock })
          for (const each of [record, sibling]) await putRecord(node, each)
        }
        const disk = await drive.open()
        const key = recordRowKey(one.slot, recordDigest(record))
        const bytes = (await disk.rows.get(key))!
        await disk.rows.write([{ key, value: bytes.with(500, bytes[500]! ^ 4) }])
        await using node = await TestNode.open({ disk, clock })
        const lost = [{ kind: 'record-lost', slot: one.slot }]
        if (found === 'by a scrub') {
          expect(await node.node.scrub()).toEqual({ shares: 0, records: 2, lost: 1 })
        }
        if (found !== 'by who brings it again') {
          expect(await headsOf(node, one.slot)).toEqual([sibling])
          expect(node.events).toEqual(lost)
          expect(await node.usedBytesOf(ALICE)).toBe(RECORD_BYTES)
        }
        expect(await outcomeOf(node, record)).toBe('stored')
        expect(node.events).toEqual(lost)
        expect(await headsOf(node, one.slot)).toEqual(sorted([record, sibling]))
        expect(await node.node.scrub()).toEqual({ shares: 0, records: 2, lost: 0 })
        expect(await node.node.recount()).toBe(true)
      })
    }
  })
}
