import { describe, expect, it } from 'vitest'
import { testGrid, type Cost, type TestGrid } from '../../support/grid.ts'
import { adding, copiesOf, saying, TestDevice, testSlot, wordsOf } from '../../support/devices.ts'

const ROUND_TRIP_MS = 2
const n = 10
/** k + ⌈(n − k) / 2⌉ of 3-of-10. */
const DURABLE = 7
const keys = testSlot()

const costOf = async <T>(grid: TestGrid, work: () => Promise<T>): Promise<Cost<T>> =>
  await grid.measure(() => grid.run(work))

describe('a slot', () => {
  it('says nothing before it is written, and then what was written last', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using ours = new TestDevice(grid)
    await using theirs = new TestDevice(grid, { client: 1 })
    expect(await ours.read(keys)).toMatchObject({ heads: [], freshness: 'settled', unreadable: 0 })
    for (const word of ['one', 'two', 'three']) {
      const written = await ours.write(keys, () => ({ contents: saying(word) }))
      expect(written).toMatchObject({ durability: 'durable', hasSiblings: false })
      expect(wordsOf(await theirs.read(keys))).toEqual([word])
    }
    expect((await theirs.read(keys)).clock).toEqual(new Map([[expect.any(String), 3]]))
  })

  it('is not written where the update finds nothing to do', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    expect(await device.write(keys, () => undefined)).toBeUndefined()
    expect((await device.read(keys)).heads).toEqual([])
  })

  it('tells an update what it may number, and counts as many numbers as it takes', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    const counters: number[] = []
    for (const dots of [3, 1, 2]) {
      await device.write(keys, ({ counter }) => {
        counters.push(counter)
        return { contents: saying('x'), dots }
      })
    }
    expect(counters).toEqual([0, 3, 4])
    expect([...(await device.read(keys)).clock.values()]).toEqual([6])
  })

  it('is not written before what it leads to is ready', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    const order: string[] = []
    const ready = new Promise<void>((resolve) => {
      grid.world.clock.after(500, () => {
        order.push('ready')
        resolve()
      })
    })
    await device.write(keys, () => ({ contents: saying('x'), ready }))
    expect(order).toEqual(['ready'])
    const failing = Promise.reject(new Error('no room'))
    await expect(
      device.write(keys, () => ({ contents: saying('y'), ready: failing })),
    ).rejects.toThrow('no room')
    expect(wordsOf(await device.read(keys))).toEqual(['x'])
  })
})

describe('a client that is closed', () => {
  it('brings its last write to the slower nodes first, and waits for no silent one', async () => {
    await using grid = await testGrid()
    for (const at of [1, 2]) grid.world.network.setLink(grid.nodes[at]!.key, { latencyMs: 100 })
    grid.nodes[3]!.freeze()
    const device = new TestDevice(grid)
    const update = () => ({ contents: saying('x') })
    const written = await device.write(keys, update, { isNew: true })
    const { tookMs } = await grid.measure(() => device[Symbol.asyncDispose]())
    expect(tookMs).toBeLessThan(1_000)
    grid.nodes[3]!.thaw()
    expect(await copiesOf(grid, written!)).toBeGreaterThanOrEqual(9)
  })
})

describe('what it costs', () => {
  it('a new slot: n records, one round trip', async () => {
    await using grid = await testGrid({ nodes: 14 })
    await using device = new TestDevice(grid)
    const { traffic, tookMs, result } = await costOf(grid, async () => {
      const update = () => ({ contents: saying('x') })
      const written = await device.slots.write(keys, update, { isNew: true })
      await device.slots.settle()
      return written!
    })
    expect(traffic.byOp()).toEqual({ 'slot-put': n })
    expect(tookMs).toBe(ROUND_TRIP_MS)
    expect(result.acknowledged).toBeGreaterThanOrEqual(DURABLE)
    expect(await copiesOf(grid, result)).toBe(n)
  })

  it('the first write since the start: a read before it; every later one: n records, one round trip', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    const write = async (): Promise<void> => {
      await device.slots.write(keys, adding('x'))
      await device.slots.settle()
    }
    const first = await costOf(grid, write)
    expect(first.traffic.byOp()).toEqual({ 'slot-get': n, 'slot-put': n })
    expect(first.tookMs).toBe(2 * ROUND_TRIP_MS)
    const later = await costOf(grid, write)
    expect(later.traffic.byOp()).toEqual({ 'slot-put': n })
    expect(later.tookMs).toBe(ROUND_TRIP_MS)
  })

  it('a read: n questions, one round trip, however many slots', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    const all = Array.from({ length: 24 }, (_, at) => testSlot(`slot ${at}`))
    await grid.run(() => Promise.all(all.map((slot) => device.slots.write(slot, adding('x')))))
    await device.settle()
    const one = await costOf(grid, () => device.slots.read(keys))
    expect(one.traffic.byOp()).toEqual({ 'slot-get': n })
    expect(one.tookMs).toBe(ROUND_TRIP_MS)
    const many = await costOf(grid, () => Promise.all(all.map((slot) => device.slots.read(slot))))
    expect(many.traffic.byOp()).toEqual({ 'slot-get': n })
    expect(many.result.map(wordsOf)).toEqual(all.map(() => ['x']))
  })

  it('a write while one node is behind: one record more', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    await device.write(keys, adding('x'))
    await device.settle()
    await grid.run(() => grid.nodes[4]!.empty())
    const { traffic } = await costOf(grid, async () => {
      await device.slots.write(keys, adding('y'))
      await device.slots.settle()
    })
    expect(traffic.byOp()).toEqual({ 'slot-put': n + 1 })
  })

  it('a read that finds nodes behind: one record for each of them', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    const written = await device.write(keys, adding('x'))
    await device.settle()
    for (const at of [2, 7]) await grid.run(() => grid.nodes[at]!.empty())
    const { traffic } = await costOf(grid, async () => {
      await device.slots.read(keys)
      await device.slots.settle()
    })
    expect(traffic.byOp()).toEqual({ 'slot-get': n, 'slot-put': 2 })
    expect(await copiesOf(grid, written!)).toBe(n)
  })
})
