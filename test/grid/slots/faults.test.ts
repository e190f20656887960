import { describe, expect, it } from 'vitest'
import { sealRecord } from '../../../src/grid/slots/seal.ts'
import { SlotNotStoredError, SlotUnavailableError } from '../../../src/grid/slots/errors.ts'
import { StoredSlotMemory } from '../../../src/grid/slots/stored-memory.ts'
import { tagHex } from '../../../src/protocol/version-vector.ts'
import { someBytes, testGrid } from '../../support/grid.ts'
import {
  adding,
  copiesOf,
  MemoryStore,
  orderOf,
  saying,
  TestDevice,
  testSlot,
  wordsOf,
} from '../../support/devices.ts'

const keys = testSlot()

const tag = (seed: number) => tagHex(someBytes(8, seed))

describe('nodes that are away', () => {
  it('up to three of ten do not keep a write from being durable, nor a read from being settled', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using ours = new TestDevice(grid)
    await using theirs = new TestDevice(grid, { client: 1 })
    grid.nodes[1]!.crash()
    grid.nodes[4]!.freeze()
    grid.nodes[8]!.crash()
    const written = await ours.write(keys, adding('x'))
    expect(written?.durability).toBe('durable')
    const state = await theirs.read(keys)
    expect(state.freshness).toBe('settled')
    expect(wordsOf(state)).toEqual(['x'])
  })

  it('are replaced by others of the order', async () => {
    await using grid = await testGrid({ nodes: 14 })
    await using device = new TestDevice(grid)
    const [first = 0, second = 0] = orderOf(grid, keys)
    grid.nodes[first]!.crash()
    grid.nodes[second]!.freeze()
    const written = await device.write(keys, adding('x'))
    await grid.run(() => grid.world.clock.advance(3_000))
    expect(await copiesOf(grid, written!)).toBe(10)
  })

  it('make a read perhaps stale when too many are', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    await device.write(keys, adding('x'))
    await device.settle()
    for (const at of [0, 1, 2, 3]) grid.nodes[at]!.crash()
    grid.nodes[4]!.freeze()
    const state = await device.read(keys)
    expect(state).toMatchObject({ freshness: 'maybe-stale' })
    expect(state.rollback).toBeUndefined()
    expect(wordsOf(state)).toEqual(['x'])
    for (const node of grid.nodes) if (node.isRunning) node.crash()
    await expect(device.read(keys)).rejects.toThrow(SlotUnavailableError)
  })

  it('are heard again once they are back, however long ago they fell silent', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using ours = new TestDevice(grid)
    await using theirs = new TestDevice(grid, { client: 1 })
    await ours.write(keys, adding('x'))
    for (const node of grid.nodes.slice(1)) {
      // The one node that is not suspected is the first to answer, too.
      grid.world.network.setLink(node.key, { latencyMs: 5 })
      node.freeze()
    }
    expect(await ours.read(keys)).toMatchObject({ freshness: 'maybe-stale' })
    for (const node of grid.nodes.slice(1)) await grid.run(() => node.restart())
    await theirs.write(keys, adding('y'))
    await grid.run(() => grid.world.clock.advance(600_000))
    const state = await ours.read(keys)
    expect(state.freshness).toBe('settled')
    expect(wordsOf(state)).toEqual(['x', 'y'])
  })

  it('make a write fail when fewer than four are left, and it is not shown as done', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    await device.write(keys, adding('x'))
    await device.settle()
    for (const at of [0, 1, 2, 3, 4, 5]) grid.nodes[at]!.crash()
    grid.nodes[6]!.freeze()
    const failing = device.write(keys, adding('y'))
    await expect(failing).rejects.toThrow(SlotNotStoredError)
    await expect(failing).rejects.toMatchObject({ needed: 4, acknowledged: 3 })
  })
})

describe('a degraded write', () => {
  it('is brought to enough nodes when they are back, even by the next process', async () => {
    await using grid = await testGrid()
    const store = new MemoryStore()
    await using device = new TestDevice(grid, { memory: new StoredSlotMemory(store) })
    for (const at of [0, 1, 2, 3, 4]) grid.nodes[at]!.crash()
    const written = await device.write(keys, adding('x'))
    expect(written).toMatchObject({ durability: 'degraded', acknowledged: 5 })
    await device[Symbol.asyncDispose]()
    expect(await copiesOf(grid, written!)).toBe(5)
    await using next = new TestDevice(grid, { memory: new StoredSlotMemory(store) })
    await grid.run(() => grid.world.clock.advance(60_000))
    for (const at of [0, 1, 2, 3, 4]) await grid.run(() => grid.nodes[at]!.start())
    await grid.run(() => grid.world.clock.advance(20 * 60_000))
    expect(await copiesOf(grid, written!)).toBeGreaterThanOrEqual(7)
    expect((await grid.run(() => next.memory.owed())).length).toBe(0)
    expect([...store.values.keys()].filter((name) => name.startsWith('owed'))).toEqual([])
  })

  it('is shown to the device that wrote it, without an alarm, though no node that answers has it', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    for (const at of [0, 1, 2, 3, 4]) grid.nodes[at]!.crash()
    await device.write(keys, adding('x'))
    for (const at of [0, 1, 2, 3, 4]) await grid.run(() => grid.nodes[at]!.start())
    for (const at of [5, 6, 7]) grid.nodes[at]!.crash()
    const state = await device.read(keys)
    expect(wordsOf(state)).toEqual(['x'])
    expect(state.rollback).toBeUndefined()
  })
})

describe('the copies of a slot', () => {
  it('are counted, and made up for by whoever knows no more than its key', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using writer = new TestDevice(grid)
    await using friend = new TestDevice(grid, { client: 1 })
    await writer.write(keys, adding('x'))
    await writer.settle()
    const { slots } = friend
    const check = async () => await grid.run(() => slots.check(keys.slot))
    expect(await check()).toMatchObject({ heads: 1, copies: 10, holders: { length: 10 } })
    for (const at of [1, 2, 3, 4]) await grid.run(() => grid.nodes[at]!.empty())
    grid.nodes[5]!.crash()
    expect(await check()).toMatchObject({ holders: { length: 5 }, answered: { length: 9 } })
    const mended = await grid.run(() => slots.repair(keys.slot))
    expect(mended).toMatchObject({ holders: { length: 9 } })
    expect(await check()).toMatchObject({ holders: { length: 9 } })
    const nothing = await grid.run(() => slots.check(testSlot('never written').slot))
    expect(nothing).toMatchObject({ heads: 0 })
  })
})

describe('lying nodes', () => {
  const lies = {
    'that hand out garbage': async (op: string, record: Uint8Array) =>
      op === 'slot-get'
        ? { op, heads: [[someBytes(record.length)]], unleased: [] }
        : { op, outcome: 'stored', heads: [someBytes(record.length)] },
    'that hand out the records of another slot': async (op: string) => {
      const other = testSlot('another')
      const state = { contents: saying('lie'), clock: new Map([[tag(1), 1]]), expiresS: 0 }
      const forged = sealRecord(other, state, { bytes: (length) => someBytes(length) })
      return op === 'slot-get'
        ? { op, heads: [[forged]], unleased: [] }
        : { op, outcome: 'stale', heads: [forged] }
    },
    'that call every write stale': async (op: string, record: Uint8Array) =>
      op === 'slot-get'
        ? { op, heads: [[]], unleased: [] }
        : { op, outcome: 'stale', heads: [record] },
    'that answer another question': async (op: string) =>
      op === 'slot-get'
        ? { op, heads: [], unleased: [] }
        : { op, outcome: 'heads-differ', heads: [] },
  }

  it.each(Object.entries(lies))('%s do no harm while they are three', async (_, lie) => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    for (const at of [0, 4, 5]) {
      device.liars.set(grid.nodes[at]!.key, async (request) => {
        const record = request.op === 'slot-put' ? request.record : someBytes(1_000)
        return (await lie(request.op, record)) as never
      })
    }
    await device.write(keys, adding('x'))
    const written = await device.write(keys, adding('y'))
    expect(written?.durability).toBe('durable')
    expect(wordsOf(await device.read(keys))).toEqual(['x', 'y'])
  })
})
