import { expect, test } from 'vitest'
import { SimulatedDrive } from '../../simulations/disk.ts'
import { SeededRandomness } from '../../simulations/randomness.ts'
import { testBlock } from '../support/blocks.ts'
import { putRecord } from '../support/slot-nodes.ts'
import { testRecord, testSlot } from '../support/slot-records.ts'
import { ALICE, BOB, HandClock, shareBytesOf, TestNode } from '../support/storage-nodes.ts'

const DAY_S = 24 * 3600
const block = (seed: number) => testBlock(seed, { required: 1, total: 2 })

test('a node tells who stores how much, what is about to be freed, and what it has done', async () => {
  const clock = new HandClock()
  const randomness = new SeededRandomness(1)
  const drive = new SimulatedDrive({ clock, randomness })
  const record = testRecord(testSlot(1), { a: 1 })
  const bytes = shareBytesOf(block(1))
  {
    await using node = await TestNode.open({ disk: drive.open(), clock, reserveBytes: 7 })
    expect(await node.node.status()).toMatchObject({ accounts: [], upkeep: { lost: 0 }, shares: 0 })
    await node.put(ALICE, block(1), 0, 40 * DAY_S)
    await node.put(ALICE, block(1), 1, 5 * DAY_S)
    await node.put(BOB, block(2), 0, 1)
    await putRecord(node, record, { leaseS: 20 * DAY_S })
    await node.lease(BOB, [block(1).id], DAY_S)
    await node.node.collect()
    const collectedMs = clock.nowMs()
    clock.advanceS(60)
    await node.node.scrub({ first: 0, end: 5 })
    const scrubbedMs = clock.nowMs()
    expect(await node.node.status()).toEqual({
      capacityBytes: 2 ** 40,
      reserveBytes: 7,
      usedBytes: 3 * bytes + record.length,
      shares: 3,
      freeBytes: expect.any(Number) as number,
      diskFreeBytes: expect.any(Number) as number,
      // Bob leases both shares of the first block and his own; Alice leases two and the slot.
      accounts: [
        { account: 'bob', usedBytes: 3 * bytes, handedBytes: 0 },
        { account: 'alice', usedBytes: 2 * bytes + record.length, handedBytes: 0 },
      ].sort((a, b) => b.usedBytes - a.usedBytes),
      leases: {
        lasting: { items: 2, bytes: bytes + record.length },
        expiring: { items: 1, bytes },
        inGrace: { items: 1, bytes },
        unleased: { items: 0, bytes: 0 },
      },
      upkeep: { collectedMs, scrubbedMs, lost: 0 },
    })
  }
  // What was done is remembered, and what is lost counted up.
  await using node = await TestNode.open({ disk: drive.open(), clock })
  drive.rot(100)
  await node.node.scrub()
  const { upkeep } = await node.node.status()
  expect(upkeep).toMatchObject({ roundMs: clock.nowMs(), scrubbedMs: clock.nowMs() })
  expect(upkeep.lost).toBeGreaterThanOrEqual(3)
})
