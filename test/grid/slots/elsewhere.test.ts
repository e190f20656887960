import { describe, expect, it } from 'vitest'
import { StoredSlotMemory } from '../../../src/grid/slots/stored-memory.ts'
import { testGrid, type TestGrid } from '../../support/grid.ts'
import {
  adding,
  MemoryStore,
  orderOf,
  TestDevice,
  testSlot,
  wordsOf,
} from '../../support/devices.ts'

const keys = testSlot()

/** More nodes than copies, of which the slot's own first ones may be away. */
async function awayDuring<T>(grid: TestGrid, ownAway: number, work: () => Promise<T>): Promise<T> {
  const own = orderOf(grid, keys).slice(0, ownAway)
  for (const at of own) grid.nodes[at]!.crash()
  const result = await work()
  for (const at of own) await grid.run(() => grid.nodes[at]!.start())
  return result
}

async function stop(device: TestDevice): Promise<void> {
  await device[Symbol.asyncDispose]()
}

const MINUTES = 60_000

describe('a write that lands on substitutes', () => {
  it('is durable while enough of the own nodes have it, and owes nothing', async () => {
    await using grid = await testGrid({ nodes: 16, clients: 2 })
    await using device = new TestDevice(grid)
    const written = await awayDuring(grid, 3, () => device.write(keys, adding('x')))
    expect(written?.durability).toBe('durable')
    await device.settle()
    expect(await device.memory.owed()).toEqual([])
    await using stranger = new TestDevice(grid, { client: 1 })
    expect(wordsOf(await stranger.read(keys))).toEqual(['x'])
  })

  it('is owed to the own nodes, and paid by the next process once they are back', async () => {
    await using grid = await testGrid({ nodes: 20, clients: 2 })
    const store = new MemoryStore()
    const device = new TestDevice(grid, { memory: new StoredSlotMemory(store) })
    const written = await awayDuring(grid, 8, async () => {
      const result = await device.write(keys, adding('x'))
      await stop(device)
      return result
    })
    expect(written?.durability).toBe('degraded')
    expect(written?.acknowledged).toBeGreaterThanOrEqual(7)
    expect([...store.values.keys()].filter((name) => name.startsWith('owed'))).toHaveLength(1)
    // Who looks at the own nodes alone cannot see it yet.
    await using early = new TestDevice(grid, { client: 1 })
    await early.read(keys)
    await using next = new TestDevice(grid, { memory: new StoredSlotMemory(store) })
    await next.read(keys)
    await grid.run(() => grid.world.clock.advance(20 * MINUTES))
    expect(await next.memory.owed()).toEqual([])
    await using late = new TestDevice(grid, { client: 1 })
    const state = await late.read(keys)
    expect(state.freshness).toBe('settled')
    expect(wordsOf(state)).toEqual(['x'])
  })

  it('is paid whatever is written meanwhile', async () => {
    await using grid = await testGrid({ nodes: 20 })
    await using device = new TestDevice(grid)
    await awayDuring(grid, 8, () => device.write(keys, adding('x')))
    expect(await device.memory.owed()).toHaveLength(1)
    await device.write(keys, adding('y'))
    await grid.run(() => grid.world.clock.advance(20 * MINUTES))
    expect(await device.memory.owed()).toEqual([])
  })

  it('is brought to the own nodes by whoever knows the key of the slot alone', async () => {
    await using grid = await testGrid({ nodes: 20, clients: 2 })
    const device = new TestDevice(grid)
    await awayDuring(grid, 8, async () => {
      await device.write(keys, adding('x'))
      await stop(device)
    })
    await using carer = new TestDevice(grid, { client: 1 })
    const health = await grid.run(() => carer.slots.repair(keys.slot))
    expect(health.holders.length).toBeGreaterThanOrEqual(10)
    await using stranger = new TestDevice(grid, { client: 1 })
    expect(wordsOf(await stranger.read(keys))).toEqual(['x'])
  })

  it('does not let a device whose memory is an old copy give its number again', async () => {
    await using grid = await testGrid({ nodes: 20 })
    const store = new MemoryStore()
    const device = new TestDevice(grid, { memory: new StoredSlotMemory(store) })
    await device.write(keys, adding('before'))
    await device.settle()
    const backup = store.copy()
    await awayDuring(grid, 8, async () => {
      await device.write(keys, adding('after'))
      await stop(device)
    })
    await using restored = new TestDevice(grid, { memory: new StoredSlotMemory(backup) })
    await restored.write(keys, adding('restored'))
    const state = await restored.read(keys)
    expect(wordsOf(state)).toEqual(['after', 'before', 'restored'])
    expect(state.clock.size).toBe(2)
  })
})

describe('while a state is owed to the own nodes', () => {
  it('nobody who has seen it is alarmed that these do not show it', async () => {
    await using grid = await testGrid({ nodes: 20, clients: 2 })
    await using writer = new TestDevice(grid)
    await using reader = new TestDevice(grid, { client: 1 })
    const substitutes = orderOf(grid, keys).slice(10)
    await awayDuring(grid, 10, async () => {
      await writer.write(keys, adding('x'))
      expect(wordsOf(await reader.read(keys))).toEqual(['x'])
    })
    for (const device of [writer, reader]) {
      const state = await device.read(keys)
      expect(state.rollback).toBeUndefined()
      expect(wordsOf(state)).toEqual(['x'])
      await device.settle()
    }
    // Now that the own nodes have it, they are to blame for losing it, whether the others are there or not.
    await reader.read(keys)
    await grid.run(() => grid.world.clock.advance(20 * MINUTES))
    for (const at of substitutes) grid.nodes[at]!.crash()
    for (const at of orderOf(grid, keys).slice(0, 10)) await grid.run(() => grid.nodes[at]!.empty())
    expect((await reader.read(keys)).rollback).toBeDefined()
  })

  it('a rollback of what was durable before is told all the same', async () => {
    await using grid = await testGrid({ nodes: 20 })
    await using writer = new TestDevice(grid)
    const durable = await writer.write(keys, adding('durable'))
    await writer.settle()
    await awayDuring(grid, 8, () => writer.write(keys, adding('owed')))
    expect(await writer.memory.owed()).toHaveLength(1)
    for (const node of grid.nodes) {
      const isOwn = orderOf(grid, keys)
        .slice(0, 10)
        .some((at) => grid.nodes[at] === node)
      if (isOwn) await grid.run(() => node.empty())
      else node.crash()
    }
    const state = await writer.read(keys)
    expect(state.rollback?.missing).toEqual(durable?.record.record.clock)
    expect(wordsOf(state)).toEqual(['durable', 'owed'])
  })
})
