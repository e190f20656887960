import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { GroupCommit } from '../../src/storage-node/group-commit.ts'
import { openSystemDisk } from '../../src/storage-node/system-disk.ts'
import { testBlock } from '../support/blocks.ts'
import { countingDisk } from '../support/disk-wrappers.ts'
import { ALICE, TestNode } from '../support/storage-nodes.ts'
import { temporaryFolder } from '../support/temporary.ts'

test('many puts at once share few durable writes', async () => {
  const home = await temporaryFolder()
  const { disk, counts } = countingDisk(await openSystemDisk(home))
  await using node = await TestNode.open({ disk })
  const blocks = Array.from({ length: 300 }, (_, seed) => testBlock(seed))
  await Promise.all(blocks.map((block) => node.put(ALICE, block, 0)))
  expect(counts.rows).toBeLessThan(10)
  const large = Array.from({ length: 60 }, (_, i) =>
    testBlock(900 + i, { ciphertextBytes: 99_999 }),
  )
  counts.rows = 0
  await Promise.all(large.map((block) => node.put(ALICE, block, 0)))
  expect(counts.files).toBeLessThan(10)
  expect(counts.rows).toBeLessThan(10)
})

test('a full LEASE is one durable write, and HAVE none', async () => {
  const { disk, counts } = countingDisk(await openSystemDisk(await temporaryFolder()))
  await using node = await TestNode.open({ disk })
  const blocks = Array.from({ length: 300 }, (_, seed) => testBlock(seed))
  await Promise.all(blocks.map((block) => node.put(ALICE, block, 0)))
  counts.rows = 0
  const ids = blocks.map(({ id }) => id)
  await node.ask<'have'>(ALICE, { op: 'have', ids })
  expect(counts.rows).toBe(0)
  await node.lease(ALICE, ids, 5000)
  expect(counts.rows).toBe(1)
})

test('groups keep the order, the bounds, and one result for each item', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 60 }),
      async (items) => {
        const seen: number[] = []
        const group = new GroupCommit<number, number>({
          maxItems: 7,
          maxWeight: 60,
          weigh: (item) => item,
          commit: async (some) => {
            const weight = some.reduce((sum, item) => sum + item, 0)
            expect(some.length).toBeLessThanOrEqual(7)
            expect(some.length === 1 || weight <= 60).toBe(true)
            await Promise.resolve()
            seen.push(...some)
            return some.map((item) => item * 2)
          },
        })
        expect(await Promise.all(items.map((item) => group.add(item)))).toEqual(
          items.map((item) => item * 2),
        )
        expect(seen).toEqual(items)
      },
    ),
  )
})

test('a failed group fails all of its items and none of the next', async () => {
  let fails = true
  const group = new GroupCommit<number, number>({
    maxItems: 10,
    maxWeight: 10,
    weigh: () => 1,
    commit: async (items) => {
      if (fails) throw new Error('no')
      return items
    },
  })
  const outcomes = await Promise.allSettled([group.add(1), group.add(2)])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  fails = false
  expect(await group.add(3)).toBe(3)
})
