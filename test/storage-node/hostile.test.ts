import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { SimulatedDrive } from '../../simulations/disk.ts'
import { SeededRandomness } from '../../simulations/randomness.ts'
import type { BlockId } from '../../src/protocol/block-id.ts'
import type { Request } from '../../src/protocol/messages.ts'
import type { SlotKey } from '../../src/protocol/slot-key.ts'
import { isSame, testBlock } from '../support/blocks.ts'
import { headsOf, putRecord } from '../support/slot-nodes.ts'
import { testRecord, testSlot } from '../support/slot-records.ts'
import { ALICE, BOB, HandClock, shareBytesOf, TestNode } from '../support/storage-nodes.ts'

const good = testBlock(1, { required: 2, total: 4 })
const other = testBlock(2, { required: 2, total: 4, ciphertextBytes: 60_000 })

const owner = testSlot(1)
const record = testRecord(owner, { a: 2 })
const newer = testRecord(owner, { a: 2, b: 1 })
const slot = fc.oneof(
  fc.constantFrom(owner.slot, testSlot(2).slot),
  fc.uint8Array({ maxLength: 40 }),
) as fc.Arbitrary<SlotKey>

/** Numbers as a careless or hostile network might pass them. */
const number = fc.oneof(
  fc.constantFrom(0, 1, 3, 4, 254, 255, 256, -1, -0, 0.5, Number.NaN, Infinity, -Infinity),
  fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1e308),
  fc.integer(),
  fc.double(),
)
const id = fc.oneof(
  fc.constantFrom(good.id, other.id),
  fc.uint8Array({ minLength: 32, maxLength: 32 }),
  fc.uint8Array({ maxLength: 64 }),
) as fc.Arbitrary<BlockId>
const ids = fc.oneof(
  fc.array(id, { maxLength: 12 }),
  fc.integer({ min: 1899, max: 1902 }).map((length) => Array<BlockId>(length).fill(good.id)),
)
const bytes = fc.oneof(
  fc.constantFrom(good.manifest, other.manifest, good.shards[0]!, other.shards[3]!),
  fc.uint8Array({ maxLength: 400 }),
  fc.constant(new Uint8Array(3 * 1024 * 1024)),
  fc.tuple(fc.nat(135), fc.nat(255)).map(([at, value]) => good.manifest.with(at, value)),
)
const request: fc.Arbitrary<Request> = fc.oneof(
  fc.constant({ op: 'hello' as const }),
  fc.constant({ op: 'stat' as const }),
  fc.record({
    op: fc.constant('put' as const),
    manifest: bytes,
    index: number,
    leaseS: number,
    shard: bytes,
  }),
  fc.record(
    {
      op: fc.constant('get' as const),
      id,
      index: number,
      leaves: fc.record({ first: number, count: number }),
    },
    { requiredKeys: ['op', 'id'] },
  ),
  fc.record({ op: fc.constant('have' as const), ids }),
  fc.record({ op: fc.constant('lease' as const), ids, leaseS: number }),
  fc.record({
    op: fc.constant('audit' as const),
    leaves: fc.array(fc.record({ id, index: number, leaf: number }), { maxLength: 40 }),
  }),
  fc.record({ op: fc.constant('drop' as const), ids }),
  fc.record(
    {
      op: fc.constant('slot-put' as const),
      record: fc.oneof(fc.constantFrom(record, newer), fc.uint8Array({ maxLength: 2000 })),
      leaseS: number,
      ifHeads: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 10 }),
    },
    { requiredKeys: ['op', 'record', 'leaseS'] },
  ),
  fc.record(
    {
      op: fc.constant('slot-get' as const),
      slots: fc.array(slot, { maxLength: 70 }),
      leaseS: number,
    },
    { requiredKeys: ['op', 'slots'] },
  ),
  // The test's clock stands still, so a watch that is not answered at once would wait for good.
  fc.record({
    op: fc.constant('slot-watch' as const),
    watches: fc
      .array(fc.record({ slot, known: fc.uint8Array({ maxLength: 40 }) }), { maxLength: 70 })
      .map((watches) => watches.concat({ slot: owner.slot, known: new Uint8Array(32) })),
    waitS: number,
  }),
)

test('no request makes a node throw or harms what it keeps', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(request, { maxLength: 25 }),
      fc.boolean(),
      async (requests, close) => {
        const drive = new SimulatedDrive({
          clock: new HandClock(),
          randomness: new SeededRandomness(1),
        })
        {
          await using node = await TestNode.open({ disk: drive.open() })
          await node.put(ALICE, good, 0)
          await node.put(ALICE, other, 1)
          await putRecord(node, record)
          const replies = requests.map((each) => node.node.handle(BOB, each))
          // Some replies are still due when the node is told to stop.
          if (!close) await Promise.all(replies)
          else await node[Symbol.asyncDispose]()
          for (const [i, reply] of (await Promise.all(replies)).entries()) {
            expect([requests[i]!.op, 'refused']).toContain(reply.op)
            if (reply.op === 'refused') expect(reply.reason).not.toBe('internal')
          }
        }
        await using node = await TestNode.open({ disk: drive.open() })
        await node.node.collect()
        expect(isSame(await node.get(good.id, 0), good.shards[0])).toBe(true)
        expect(isSame(await node.get(other.id, 1), other.shards[1])).toBe(true)
        const [head] = await headsOf(node, owner.slot)
        expect([record, newer].some((each) => isSame(head, each))).toBe(true)
        expect(await node.usedBytesOf(ALICE)).toBe(
          shareBytesOf(good) + shareBytesOf(other) + head!.length,
        )
        expect(await node.node.recount()).toBe(true)
        expect(await node.node.sweep()).toEqual({ strays: 0, missing: 0 })
      },
    ),
    { numRuns: 150 },
  )
})

test('a caller that is gone gets a refusal, and costs nothing', async () => {
  const drive = new SimulatedDrive({ clock: new HandClock(), randomness: new SeededRandomness(1) })
  await using node = await TestNode.open({ disk: drive.open() })
  const reply = await node.node.handle(ALICE, { op: 'get', id: good.id }, AbortSignal.abort())
  expect(reply).toMatchObject({ op: 'refused', reason: 'busy' })
})

test('more requests than a node can remember are told to come back', async () => {
  const drive = new SimulatedDrive({ clock: new HandClock(), randomness: new SeededRandomness(1) })
  await using node = await TestNode.open({ disk: drive.open() })
  const replies = await Promise.all(
    Array.from({ length: 5000 }, () => node.node.handle(ALICE, { op: 'have', ids: [good.id] })),
  )
  const refused = replies.filter((reply) => reply.op === 'refused')
  expect(refused.length).toBe(5000 - 4096)
  for (const reply of refused) expect(reply).toMatchObject({ reason: 'busy' })
})
