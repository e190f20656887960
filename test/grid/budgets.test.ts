import { describe, expect, it } from 'vitest'
import { erasureCode } from '../../src/erasure/code.ts'
import type { BlockId } from '../../src/protocol/block-id.ts'
import { encodeReply, encodeRequest, type WireMessage } from '../../src/protocol/codec.ts'
import { frameBytes } from '../../src/protocol/framing.ts'
import { DEFAULT_LEASE_S } from '../../src/protocol/limits.ts'
import type { Reply, Request } from '../../src/protocol/messages.ts'
import { someBytes, testGrid, threeOfTen, type TestGrid } from '../support/grid.ts'

/**
 * What each operation may cost: every call counted, and time in round trips, one millisecond each way. A change that
 * makes the code chattier fails here and nowhere else.
 */
const ROUND_TRIP_MS = 2
const MIB = 2 ** 20
const SMALL = someBytes(4_096)
const n = threeOfTen.total
const k = threeOfTen.required

describe('a file of one block', () => {
  it('is put with one question and one share to each of n nodes, in two round trips', async () => {
    await using grid = await testGrid({ nodes: 14 })
    const { result, traffic, tookMs } = await grid.measure(() =>
      grid.put(SMALL, { code: threeOfTen }),
    )
    expect(traffic.byOp()).toEqual({ lease: n, put: n })
    expect(traffic.nodes('put')).toEqual(
      new Set(result.placements[0]?.shares.map(({ node }) => node)),
    )
    expect(traffic.nodes('lease')).toEqual(traffic.nodes('put'))
    expect(tookMs).toBe(2 * ROUND_TRIP_MS)
  })

  it('costs the bytes of its shares and what the frames around them need', async () => {
    await using grid = await testGrid()
    const { result, traffic } = await grid.measure(() => grid.store(SMALL))
    const { id } = result.capability
    const share = await firstShareOf(grid, id)
    expect(result.sentBytes).toBe(n * share.bytes.length)
    const request = { manifest: share.manifest, leaseS: DEFAULT_LEASE_S, shard: share.bytes }
    const expectedPut = sum(n, (index) => sizeOf({ op: 'put', index, ...request }))
    expect(traffic.requestBytes('put')).toBe(expectedPut)
    const lease = sizeOf({ op: 'lease', ids: [id], leaseS: DEFAULT_LEASE_S })
    expect(traffic.requestBytes('lease')).toBe(n * lease)
    expect(traffic.replyBytes('lease')).toBe(
      n * replySizeOf({ op: 'lease', holdings: [new Uint8Array(0)] }),
    )
    expect(traffic.replyBytes('put')).toBe(n * replySizeOf({ op: 'put', outcome: 'stored' }))
  })

  it('is got with k shares in one round trip', async () => {
    await using grid = await testGrid()
    const { capability } = await grid.store(SMALL)
    const { traffic, tookMs } = await grid.measure(() => grid.get(capability))
    expect(traffic.byOp()).toEqual({ get: k })
    expect(tookMs).toBe(ROUND_TRIP_MS)
  })

  it('costs no share when it is put again, in one round trip', async () => {
    await using grid = await testGrid()
    await grid.put(SMALL)
    const { result, traffic, tookMs } = await grid.measure(() => grid.put(SMALL))
    expect(traffic.byOp()).toEqual({ lease: n })
    expect(result).toMatchObject({ sentBytes: 0, health: 'healthy' })
    expect(tookMs).toBe(ROUND_TRIP_MS)
  })

  it('is completed with the missing shares alone', async () => {
    await using grid = await testGrid()
    const file = await grid.store(SMALL)
    for (const node of grid.holders(file).slice(0, 2)) await grid.run(() => node.empty())
    const { traffic } = await grid.measure(() => grid.put(SMALL))
    expect(traffic.byOp()).toEqual({ lease: n, put: 2 })
  })

  it('is checked by one question to each node, after a look at its root', async () => {
    await using grid = await testGrid({ nodes: 12 })
    const { capability } = await grid.store(SMALL, { code: threeOfTen })
    const check = async (verify: 'none' | 'audit' | 'full') =>
      (await grid.measure(() => grid.check(capability, { verify }))).traffic.byOp()
    // The root is read for its links, and one leaf for k and n.
    expect(await check('none')).toEqual({ have: 12, get: k + 1 })
    expect(await check('audit')).toEqual({ have: 12, get: k + 1, audit: n })
    expect(await check('full')).toEqual({ have: 12, get: k + n })
  })

  it('is repaired by reading k shares, auditing the others and sending what is missing', async () => {
    await using grid = await testGrid()
    const file = await grid.store(SMALL)
    for (const node of grid.holders(file).slice(0, 4)) await grid.run(() => node.empty())
    const { traffic, result } = await grid.measure(() => grid.repair(file.capability))
    expect(result).toMatchObject({ sharesPlaced: 4, healthy: true })
    const { get: gets, ...others } = traffic.byOp()
    expect(others).toEqual({ have: n, audit: n - 4 - k, put: 4 })
    // k for the root's links, from nodes that may be empty, and k to make the others of.
    expect(gets).toBeLessThanOrEqual(k + 4 + k)
  })

  it('costs nobody anything if it fits its capability', async () => {
    await using grid = await testGrid()
    const { result, traffic } = await grid.measure(() => grid.put(someBytes(64)))
    await grid.get(result.capability)
    expect(traffic.byOp()).toEqual({})
  })
})

describe('a file of many blocks', () => {
  const FIVE = someBytes(4 * MIB + 1)

  it('is put with one share to each node for each block and for the index, and few questions', async () => {
    await using grid = await testGrid()
    const { traffic, result } = await grid.measure(() => grid.put(FIVE))
    expect(result.blocks).toBe(6)
    const { lease, ...others } = traffic.byOp()
    expect(others).toEqual({ put: 6 * n })
    expect(lease).toBeLessThanOrEqual(3 * n)
  })

  it('is put again with questions alone', async () => {
    await using grid = await testGrid()
    await grid.put(FIVE)
    const { traffic } = await grid.measure(() => grid.put(FIVE))
    const { lease, ...others } = traffic.byOp()
    expect(others).toEqual({})
    expect(lease).toBeLessThanOrEqual(3 * n)
  })

  it('is got with k shares a block, in two round trips', async () => {
    await using grid = await testGrid()
    const { capability } = await grid.store(FIVE)
    const { traffic, tookMs } = await grid.measure(() => grid.get(capability))
    expect(traffic.byOp()).toEqual({ get: 6 * k })
    expect(tookMs).toBe(2 * ROUND_TRIP_MS)
  })

  it('gives a range for the blocks that it lies in', async () => {
    await using grid = await testGrid()
    const { capability } = await grid.store(FIVE)
    const range = { offset: 2 * MIB - 5, length: 10 }
    const { traffic, result, tookMs } = await grid.measure(() => grid.get(capability, { range }))
    expect(Buffer.compare(result, FIVE.subarray(range.offset, range.offset + 10))).toBe(0)
    expect(traffic.byOp()).toEqual({ get: (1 + 2) * k })
    expect(tookMs).toBe(2 * ROUND_TRIP_MS)
  })

  it('is checked with one question to each node for all of its blocks', async () => {
    await using grid = await testGrid()
    const { capability } = await grid.store(FIVE)
    const { traffic } = await grid.measure(() => grid.check(capability))
    // The index, its first child to see that there is nothing below, and one leaf for k and n.
    expect(traffic.byOp()).toEqual({ have: n, get: 2 * k + 1 })
  })
})

describe('other codes', () => {
  it.each([
    // Before the first share tells k, readers of a grid of ten households ask for three at once.
    { required: 1, total: 1, gets: 5 },
    { required: 1, total: 2, gets: 4 },
    { required: 2, total: 5, gets: 3 },
    { required: 4, total: 7, gets: 4 },
    { required: 7, total: 16, gets: 7 },
  ])('$required-of-$total cost what they need', async ({ required, total, gets }) => {
    await using grid = await testGrid({ nodes: 16 })
    const code = erasureCode(required, total)
    const put = await grid.measure(() => grid.store(SMALL, { code }))
    expect(put.traffic.byOp()).toEqual({ lease: total, put: total })
    const { traffic } = await grid.measure(() => grid.get(put.result.capability))
    expect(traffic.byOp()).toEqual({ get: gets })
  })

  it.each([
    { nodes: 2, gets: 1 },
    { nodes: 4, gets: 2 },
    { nodes: 6, gets: 2 },
    { nodes: 8, gets: 3 },
  ])('of a grid of $nodes are read with $gets shares', async ({ nodes, gets }) => {
    await using grid = await testGrid({ nodes })
    const { capability } = await grid.store(SMALL)
    const { traffic } = await grid.measure(() => grid.get(capability))
    expect(traffic.byOp()).toEqual({ get: gets })
  })
})

async function firstShareOf(grid: TestGrid, id: BlockId) {
  const { endpoint } = grid.world.client
  for (const { key } of grid.nodes) {
    const reply = await grid.run(() => endpoint.call<'get'>(key, { op: 'get', id, index: 0 }))
    if (reply.share !== undefined) return reply.share
  }
  throw new Error('no node holds the first share')
}

function sizeOf(request: Request): number {
  return frameSize(encodeRequest(request))
}

function replySizeOf(reply: Reply): number {
  return frameSize(encodeReply(reply))
}

function frameSize(message: WireMessage): number {
  return frameBytes(1, message).length
}

function sum(count: number, of: (index: number) => number): number {
  return Array.from({ length: count }, (_, index) => of(index)).reduce((a, b) => a + b, 0)
}
