import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HandedLease, TransferReply } from '../../../src/protocol/messages.ts'
import { testBlock, type TestBlock } from '../../support/blocks.ts'
import { testRecord, testSlot } from '../../support/slot-records.ts'
import { HandClock, shareBytesOf } from '../../support/storage-nodes.ts'
import { accountBytes, accounts, keyOf, Nodes } from './nodes.ts'

const { ada, bert } = accounts
const DAY_S = 24 * 3600
const block = (seed: number, ciphertextBytes = 2000): TestBlock =>
  testBlock(seed, { required: 1, total: 3, ciphertextBytes })
const large = (seed: number): TestBlock => block(seed, 66_000)
const lease = (account: string, leaseS = 9 * DAY_S): HandedLease => ({
  account: accountBytes(account),
  leaseS,
})
/** A node that goes. */
const goer = keyOf(9)

async function transfer(
  nodes: Nodes,
  { manifest, shards }: TestBlock,
  leases: readonly HandedLease[],
  { index = 0 } = {},
): Promise<TransferReply<'transfer'>> {
  const shard = shards[index]!
  return await nodes.ask<'transfer'>(0, goer, { op: 'transfer', manifest, index, leases, shard })
}

describe('a share that is handed over', () => {
  it.each([block, large])(
    'is kept for those whose leases came along, and nobody else',
    async (make) => {
      const clock = new HandClock()
      await using nodes = await Nodes.open({ count: 1, clock })
      const bytes = shareBytesOf(make(1))
      const leases = [lease(ada), lease(keyOf(7), 1), lease(bert, 2 * DAY_S)]
      expect(await transfer(nodes, make(1), leases)).toEqual({
        op: 'transfer',
        outcome: 'stored',
        refused: [1],
      })
      expect(await transfer(nodes, make(1), leases)).toMatchObject({
        outcome: 'have',
        refused: [1],
      })
      expect(await nodes.usage(0, ada)).toEqual([0, bytes])
      expect(await nodes.usage(0, bert)).toEqual([0, bytes])
      expect(await nodes.usage(0, goer)).toEqual([0, 0])
      // Until the last lease and its grace are over.
      clock.advanceS(9 * DAY_S + 6 * DAY_S)
      expect((await nodes.nodes[0]!.collect()).shares).toBe(0)
      expect(await nodes.usage(0, bert)).toEqual([0, 0])
      clock.advanceS(DAY_S)
      expect((await nodes.nodes[0]!.collect()).shares).toBe(1)
      expect(await nodes.nodes[0]!.recount()).toBe(true)
    },
  )

  it('counts as the account’s own once it leases it, and is let go when it drops it', async () => {
    await using nodes = await Nodes.open({ count: 1 })
    const ids = [block(1).id, large(2).id]
    const bytes = shareBytesOf(block(1)) + shareBytesOf(large(2))
    for (const each of [block(1), large(2)]) await transfer(nodes, each, [lease(ada), lease(bert)])
    await nodes.ask<'lease'>(0, ada, { op: 'lease', ids, leaseS: 20 * DAY_S })
    expect(await nodes.usage(0, ada)).toEqual([bytes, 0])
    // What it leases for longer already is not handed over to it.
    expect(await transfer(nodes, block(1), [lease(ada)])).toMatchObject({
      outcome: 'have',
      refused: [],
    })
    expect(await nodes.usage(0, ada)).toEqual([bytes, 0])
    expect((await nodes.ask<'drop'>(0, bert, { op: 'drop', ids })).dropped).toBe(2)
    expect(await nodes.usage(0, bert)).toEqual([0, 0])
    const { manifest, shards } = block(1)
    await transfer(nodes, block(3), [lease(bert)])
    const put = { op: 'put', index: 0, leaseS: 5, manifest: block(3).manifest } as const
    await nodes.ask<'put'>(0, bert, { ...put, shard: block(3).shards[0]! })
    expect(await nodes.usage(0, bert)).toEqual([manifest.length + shards[0]!.length, 0])
    expect(await nodes.nodes[0]!.recount()).toBe(true)
  })

  it('is refused where nobody has room for it in a quota, and never uses up what is somebody’s own', async () => {
    await using nodes = await Nodes.open({ count: 1, quotaBytes: 2.5 * shareBytesOf(large(1)) })
    for (const seed of [1, 2]) {
      expect(await transfer(nodes, large(seed), [lease(ada)])).toMatchObject({ outcome: 'stored' })
    }
    expect(await transfer(nodes, large(3), [lease(ada)])).toMatchObject({ outcome: 'quota' })
    expect(await transfer(nodes, large(3), [])).toMatchObject({ outcome: 'quota' })
    expect(await transfer(nodes, large(3), [lease(keyOf(7))])).toMatchObject({ outcome: 'quota' })
    // Some quota will do for the share, but not for everybody's lease.
    expect(await transfer(nodes, large(3), [lease(ada), lease(bert)])).toMatchObject({
      outcome: 'stored',
      refused: [0],
    })
    for (const seed of [4, 5]) {
      const { manifest, shards } = large(seed)
      const put = { op: 'put', manifest, index: 0, leaseS: 5, shard: shards[0]! } as const
      expect(await nodes.ask<'put'>(0, ada, put)).toMatchObject({ outcome: 'stored' })
    }
    expect(await transfer(nodes, large(6), [lease(ada)])).toMatchObject({ outcome: 'quota' })
  })

  it('must be the one that its manifest names', async () => {
    await using nodes = await Nodes.open({ count: 1 })
    const { manifest, shards } = block(1)
    const request = { op: 'transfer', manifest, leases: [lease(ada)] } as const
    for (const [index, shard] of [
      [0, shards[1]!],
      [3, shards[0]!],
      [0, shards[0]!.subarray(1)],
    ] as const) {
      expect(await nodes.ask<'transfer'>(0, goer, { ...request, index, shard })).toMatchObject({
        outcome: 'bad',
      })
    }
  })
})

describe('a node that lies about what others want', () => {
  it('fills no more than a part of a node in a day, and all together no more than half of it', async () => {
    const clock = new HandClock()
    const GIB = 1024 ** 3
    await using nodes = await Nodes.open({ count: 1, clock, capacityBytes: 2 * GIB })
    // Megabytes would take long: the books are what counts, so shares claim to be of any size by many leases.
    const shareBytes = 1024 ** 2
    const blocks = Array.from({ length: 3 }, (_, seed) =>
      testBlock(seed, { required: 1, total: 1, ciphertextBytes: shareBytes }),
    )
    const many = Object.values(accounts).map((account) => lease(account))
    for (const each of blocks) await transfer(nodes, each, many)
    // A small node lets a gibibyte a day pass; one that offers eight mebibytes keeps half of that for others' words.
    nodes.nodes[0]!.configure({ capacityBytes: 18 * shareBytes, reserveBytes: 0 })
    expect(await transfer(nodes, large(50), many)).toMatchObject({ outcome: 'full' })
    nodes.nodes[0]!.configure({ capacityBytes: 2 * GIB, reserveBytes: 0 })
    expect(await transfer(nodes, large(50), many)).toMatchObject({ outcome: 'stored' })
  })

  it('never makes a node throw, whatever it hands over', async () => {
    await using nodes = await Nodes.open({ count: 1 })
    const record = testRecord(testSlot(1), { a: 1 })
    const anyLease = fc.record({
      account: fc.oneof(
        fc.constantFrom(accountBytes(ada), accountBytes(bert)),
        fc.uint8Array({ maxLength: 40 }),
      ),
      leaseS: fc.oneof(fc.nat(1000), fc.constantFrom(-1, 0.5, Number.NaN, 2 ** 53)),
    })
    const { manifest, shards } = block(1)
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyLease, { maxLength: 6 }),
        fc.constantFrom(0, 1, 300, -1),
        fc.constantFrom(shards[0]!, shards[1]!, new Uint8Array(0), manifest),
        fc.constantFrom(record, record.subarray(1), new Uint8Array(4000)),
        async (leases, index, shard, someRecord) => {
          for (const request of [
            { op: 'transfer', manifest, index, leases, shard } as const,
            { op: 'slot-transfer', record: someRecord, leases } as const,
          ]) {
            const reply = await nodes.nodes[0]!.handle(goer, request)
            if (reply.op === 'refused') expect(reply.reason).toBe('malformed')
            else expect(reply.op).toBe(request.op)
          }
        },
      ),
    )
    expect(await nodes.nodes[0]!.recount()).toBe(true)
  })
})

describe('a slot that is handed over', () => {
  const older = testRecord(testSlot(1), { a: 1 })
  const newer = testRecord(testSlot(1), { a: 2 })

  it('is kept with its leases, also where something newer is held', async () => {
    await using nodes = await Nodes.open({ count: 1 })
    const give = async (record: Uint8Array, leases: HandedLease[]) =>
      await nodes.ask<'slot-transfer'>(0, goer, { op: 'slot-transfer', record, leases })
    expect(await give(newer, [lease(ada)])).toMatchObject({ outcome: 'stored', refused: [] })
    expect(await give(older, [lease(bert), lease(keyOf(7))])).toMatchObject({
      outcome: 'have',
      refused: [1],
    })
    expect(await nodes.usage(0, ada)).toEqual([0, newer.length])
    expect(await nodes.usage(0, bert)).toEqual([0, newer.length])
    const slots = [testSlot(1).slot]
    await nodes.ask<'slot-get'>(0, ada, { op: 'slot-get', slots, leaseS: 10 * DAY_S })
    expect(await nodes.usage(0, ada)).toEqual([newer.length, 0])
    await nodes.ask<'drop'>(0, bert, { op: 'drop', ids: slots })
    expect(await nodes.usage(0, bert)).toEqual([0, 0])
    expect(await give(newer.subarray(1), [lease(ada)])).toMatchObject({ outcome: 'bad' })
  })
})
