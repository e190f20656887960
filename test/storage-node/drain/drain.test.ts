import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../../src/foundation/bytes.ts'
import { isSame, testBlock, type TestBlock } from '../../support/blocks.ts'
import { testRecord, testSlot } from '../../support/slot-records.ts'
import { HandClock, shareBytesOf } from '../../support/storage-nodes.ts'
import { accounts, keyOf, Nodes } from './nodes.ts'

const { ada, bert } = accounts
const DAY_S = 24 * 3600
const block = (seed: number, total = 3): TestBlock =>
  testBlock(seed, { required: 1, total, ciphertextBytes: seed % 2 === 0 ? 2000 : 66_000 })

async function put(
  nodes: Nodes,
  { manifest, shards }: TestBlock,
  at: number,
  { index = at, who = ada, leaseS = 30 * DAY_S } = {},
): Promise<void> {
  const shard = shards[index]!
  const reply = await nodes.ask<'put'>(at, who, { op: 'put', manifest, index, leaseS, shard })
  expect(reply.outcome).toMatch(/stored|have/)
}

async function putRecord(nodes: Nodes, record: Uint8Array, at: number): Promise<void> {
  await nodes.ask<'slot-put'>(at, ada, { op: 'slot-put', record, leaseS: 30 * DAY_S })
}

describe('a node that drains', () => {
  it('moves everything, to nodes that have no share of it, with its leases; and is empty then', async () => {
    const clock = new HandClock()
    await using nodes = await Nodes.open({ count: 6, clock })
    const blocks = Array.from({ length: 12 }, (_, seed) => block(seed))
    for (const each of blocks) for (const at of [0, 1, 2]) await put(nodes, each, at)
    await put(nodes, block(3), 0, { who: bert, leaseS: 3 * DAY_S })
    const records = [1, 2, 3].map((seed) => testRecord(testSlot(seed), { a: seed }))
    for (const record of records) for (const at of [0, 1, 2]) await putRecord(nodes, record, at)
    clock.advanceS(10)
    const bytes = blocks.reduce(
      (sum, each) => sum + shareBytesOf(each),
      concatBytes(records).length,
    )
    const report = await nodes.drain(0)
    expect(report).toMatchObject({
      moved: { shares: 12, records: 3, bytes },
      totalBytes: bytes,
      left: { shares: 0, records: 0, bytes: 0 },
      lost: 0,
      crowded: 0,
      leasesLost: 0,
    })
    for (const { id, shards } of blocks) {
      const held = await nodes.holdings(id)
      expect(held.map((each) => each.length <= 1).every(Boolean)).toBe(true)
      expect(held.flat().toSorted((a, b) => a - b)).toEqual([0, 1, 2])
      expect(held[0]).toEqual([])
      const at = held.findIndex((each) => each.includes(0))
      const { share } = await nodes.ask<'get'>(at, ada, { op: 'get', id })
      expect(isSame(share?.bytes, shards[0])).toBe(true)
    }
    for (const seed of [1, 2, 3]) {
      const slots = [testSlot(seed).slot]
      const heads = await nodes.ask<'slot-get'>(3, ada, { op: 'slot-get', slots })
      expect(isSame(heads.heads[0]?.[0], records[seed - 1])).toBe(true)
    }
    expect(await nodes.usage(3, ada)).toEqual([0, bytes])
    expect(await nodes.usage(3, bert)).toEqual([0, shareBytesOf(block(3))])
    expect(await nodes.nodes[0]!.status()).toMatchObject({ usedBytes: 0, shares: 0, accounts: [] })
    for (const node of nodes.nodes) expect(await node.recount()).toBe(true)
    // Leases end when they would have ended here.
    clock.advanceS(3 * DAY_S)
    expect((await nodes.nodes[3]!.status()).leases).toMatchObject({ inGrace: { items: 0 } })
    clock.advanceS(27 * DAY_S)
    expect((await nodes.nodes[3]!.status()).leases).toMatchObject({ inGrace: { items: 15 } })
  })

  it('serves what it has and takes nothing new meanwhile', async () => {
    await using nodes = await Nodes.open({ count: 1 })
    await put(nodes, block(1), 0)
    expect(await nodes.drain(0)).toMatchObject({ left: { shares: 1 }, reasons: { alone: 1 } })
    const { id, manifest, shards } = block(1)
    expect((await nodes.ask<'get'>(0, bert, { op: 'get', id })).share).toBeDefined()
    const other = { op: 'put', manifest, index: 1, leaseS: 1, shard: shards[1]! } as const
    expect(await nodes.ask<'put'>(0, ada, other)).toMatchObject({ outcome: 'full' })
    const record = testRecord(testSlot(1), { a: 1 })
    expect(
      await nodes.ask<'slot-put'>(0, ada, { op: 'slot-put', record, leaseS: 1 }),
    ).toMatchObject({ outcome: 'full' })
  })

  it('chooses households that have fewer shares, and crowds a node only where there is no other', async () => {
    // Nodes 0 to 2 in one house, 3 and 4 in houses of their own.
    await using nodes = await Nodes.open({
      count: 5,
      zoneOf: (at) => (at < 3 ? 'one' : String(at)),
    })
    await put(nodes, block(1), 0)
    await put(nodes, block(1), 1)
    await nodes.drain(0)
    expect(await nodes.holdings(block(1).id)).toEqual([[], [1], [], [0], []])
    const wide = block(2, 5)
    for (const at of [1, 2, 3, 4]) await put(nodes, wide, at)
    nodes.away.add(keyOf(0))
    expect(await nodes.drain(1)).toMatchObject({ moved: { shares: 2 }, crowded: 1 })
    const held = await nodes.holdings(wide.id)
    expect(held[1]).toEqual([])
    expect(held.flat().toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4])
  })

  it('says what it could not move and why, keeps that, and goes on later from there', async () => {
    const size = shareBytesOf(block(1))
    await using nodes = await Nodes.open({ count: 3, quotaBytes: 3.5 * size })
    for (const seed of [1, 3, 5]) await put(nodes, block(seed), 0, { index: 0 })
    for (const seed of [11, 13]) await put(nodes, block(seed), 0, { index: 0, who: bert })
    nodes.away.add(keyOf(1))
    nodes.away.add(keyOf(2))
    expect(await nodes.drain(0)).toMatchObject({ left: { shares: 5 }, reasons: { unreachable: 5 } })
    nodes.away.delete(keyOf(1))
    nodes.quotaBytes = 1.5 * size
    const second = await nodes.drain(0)
    expect(second).toMatchObject({
      moved: { shares: 2 },
      left: { shares: 3, bytes: 3 * size },
      takers: [{ node: keyOf(1), items: 2, bytes: 2 * size }],
    })
    expect((await nodes.nodes[0]!.status()).shares).toBe(3)
    nodes.quotaBytes = 9 * size
    expect(await nodes.drain(0)).toMatchObject({ moved: { shares: 3 }, left: { shares: 0 } })
  })

  it('is not held up by what former members store, and tells of it', async () => {
    await using nodes = await Nodes.open({ count: 3 })
    await put(nodes, block(1), 0, { index: 0 })
    for (const who of [ada, bert]) await put(nodes, block(3), 0, { index: 0, who })
    for (const seed of [4, 5]) await put(nodes, block(seed), 0, { index: 0, who: bert })
    const record = testRecord(testSlot(1), { a: 1 })
    await nodes.ask<'slot-put'>(0, bert, { op: 'slot-put', record, leaseS: 30 * DAY_S })
    nodes.members.delete(bert)
    const bytes = shareBytesOf(block(4)) + shareBytesOf(block(5)) + record.length
    expect(await nodes.drain(0)).toMatchObject({
      moved: { shares: 2, records: 0 },
      left: { shares: 0, records: 0, bytes: 0 },
      formerMembers: { shares: 2, records: 1, bytes },
      reasons: {},
      leasesLost: 0,
    })
    expect(await nodes.usage(1, bert)).toEqual([0, 0])
    // They are kept, as their leases last, and go along once their account is taken back in.
    expect((await nodes.nodes[0]!.status()).shares).toBe(2)
    nodes.members.add(bert)
    expect(await nodes.drain(0)).toMatchObject({
      moved: { shares: 2, records: 1 },
      formerMembers: { shares: 0, records: 0, bytes: 0 },
    })
  })

  it('names who is beyond their quotas where that is why something is left', async () => {
    const size = shareBytesOf(block(1))
    await using nodes = await Nodes.open({ count: 3, quotaBytes: 3.5 * size })
    for (const seed of [1, 3]) await put(nodes, block(seed), 0, { index: 0 })
    await put(nodes, block(5), 0, { index: 0, who: bert })
    nodes.quotaBytes = 0.5 * size
    const report = await nodes.drain(0)
    expect(report).toMatchObject({ left: { shares: 3 }, reasons: { quota: 3 } })
    expect(report.beyondQuota).toEqual([ada, bert])
    nodes.away.add(keyOf(1))
    nodes.away.add(keyOf(2))
    expect(await nodes.drain(0)).toMatchObject({ reasons: { unreachable: 3 }, beyondQuota: [] })
  })

  it('that is interrupted has lost nothing, and goes on where it was', async () => {
    await using nodes = await Nodes.open({ count: 4 })
    const blocks = Array.from({ length: 30 }, (_, seed) => block(seed))
    for (const each of blocks) await put(nodes, each, 0, { index: 0 })
    const controller = new AbortController()
    nodes.nodes[0]!.configure({ capacityBytes: 1, reserveBytes: 0, draining: true })
    const drained = nodes.nodes[0]!.drain({
      caller: nodes.callerOf(0),
      order: () => nodes.othersOf(0),
      signal: controller.signal,
      onProgress: ({ moved }) => {
        if (moved.shares >= 7) controller.abort(new Error('enough'))
      },
    })
    await expect(drained).rejects.toThrow('enough')
    const missing = async (): Promise<TestBlock[]> => {
      const held = await Promise.all(
        blocks.map(async ({ id }) => (await nodes.holdings(id)).flat()),
      )
      return blocks.filter((_, at) => !held[at]!.includes(0))
    }
    expect(await missing()).toEqual([])
    expect(await nodes.drain(0)).toMatchObject({ left: { shares: 0 } })
    expect(await missing()).toEqual([])
    expect((await nodes.nodes[0]!.status()).shares).toBe(0)
  })

  it('hands over no share that has rotted, and forgets none that somebody renews meanwhile', async () => {
    const clock = new HandClock()
    await using nodes = await Nodes.open({ count: 2, clock })
    await put(nodes, block(1), 0, { index: 0, leaseS: 5 * DAY_S })
    const caller = nodes.callerOf(0)
    const { id } = block(1)
    let renewals = 0
    const report = await nodes.nodes[0]!.drain({
      caller: {
        call: async (to, request) => {
          const reply = await caller.call(to, request)
          // Between the copy there and the removal here.
          if (request.op === 'transfer' && renewals++ === 0) {
            await nodes.ask<'lease'>(0, ada, { op: 'lease', ids: [id], leaseS: 20 * DAY_S })
          }
          return reply
        },
      },
      order: () => nodes.othersOf(0),
      signal: new AbortController().signal,
      onProgress: () => undefined,
    })
    expect(report).toMatchObject({ moved: { shares: 1 }, left: { shares: 0 } })
    clock.advanceS(6 * DAY_S)
    expect((await nodes.nodes[1]!.status()).leases).toMatchObject({ lasting: { items: 1 } })
    await put(nodes, block(3), 0, { index: 0 })
    nodes.drives[0]!.rot(10)
    expect(await nodes.drain(0)).toMatchObject({ lost: 1, moved: { shares: 0 } })
    expect(await nodes.holdings(block(3).id)).toEqual([[], []])
  })
})
