import { describe, expect, it } from 'vitest'
import { StoredSlotMemory } from '../../../src/grid/slots/stored-memory.ts'
import { testGrid } from '../../support/grid.ts'
import {
  adding,
  MemoryStore,
  orderOf,
  rollingBack,
  saying,
  TestDevice,
  testSlot,
  wordsOf,
} from '../../support/devices.ts'

const keys = testSlot()

describe('a rollback', () => {
  it('by some nodes changes nothing', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    await device.write(keys, adding('old'))
    await device.settle()
    for (const at of [0, 3, 6]) await rollingBack(device, at, keys)
    await device.write(keys, adding('new'))
    const state = await device.read(keys)
    expect(wordsOf(state)).toEqual(['new', 'old'])
    expect(state.rollback).toBeUndefined()
  })

  it('by all nodes is told by a device that has seen more, and what it has seen is what it shows', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using writer = new TestDevice(grid)
    const store = new MemoryStore()
    const memory = (): StoredSlotMemory => new StoredSlotMemory(store)
    await writer.write(keys, adding('old'))
    await writer.settle()
    {
      await using reader = new TestDevice(grid, { client: 1, memory: memory() })
      for (let at = 0; at < 10; at++) await rollingBack(writer, at, keys)
      // The liars lie to the writer alone, so that what it writes now does arrive.
      writer.liars.clear()
      await writer.write(keys, adding('new'))
      await writer.settle()
      expect(wordsOf(await reader.read(keys))).toEqual(['new', 'old'])
    }
    await using reader = new TestDevice(grid, { client: 1, memory: memory() })
    const [written] = (await reader.read(keys)).heads
    for (const node of grid.nodes) await grid.run(() => node.empty())
    const state = await reader.read(keys)
    expect(state.rollback?.missing).toEqual(written?.record.clock)
    expect(wordsOf(state)).toEqual(['new', 'old'])
    await reader.settle()
    // It has given back what it remembered.
    const stranger = new TestDevice(grid)
    expect(wordsOf(await stranger.read(keys))).toEqual(['new', 'old'])
    expect((await reader.read(keys)).rollback).toBeUndefined()
    await stranger[Symbol.asyncDispose]()
  })

  it('is not suspected where the nodes that have the newest state are merely slow', async () => {
    await using grid = await testGrid({ nodes: 14 })
    await using device = new TestDevice(grid)
    const order = orderOf(grid, keys)
    const written = await device.write(keys, adding('x'))
    await device.settle()
    // Four of the slot's own nodes are gone, three have lost it, and the three that have it are slow.
    for (const at of order.slice(0, 4)) grid.nodes[at]!.crash()
    for (const at of order.slice(4, 7)) await grid.run(() => grid.nodes[at]!.empty())
    for (const at of order.slice(7, 10))
      grid.world.network.setLink(grid.nodes[at]!.key, { latencyMs: 300 })
    const state = await device.read(keys)
    expect(state.rollback).toBeUndefined()
    expect(state.clock).toEqual(written?.record.record.clock)
  })

  it('is told of what a node showed too late to be waited for, while another one hid it', async () => {
    await using grid = await testGrid({ nodes: 3, clients: 2 })
    await using writer = new TestDevice(grid)
    const written = await writer.write(keys, adding('x'))
    await writer.settle()
    await using reader = new TestDevice(grid, { client: 1 })
    const [hides, slow] = orderOf(grid, keys).map((at) => grid.nodes[at]!.key)
    reader.liars.set(hides!, async (request, honest) =>
      request.op === 'slot-get'
        ? { op: 'slot-get', heads: request.slots.map(() => []), unleased: [] }
        : await honest(),
    )
    grid.world.network.setLink(slow!, { latencyMs: 300 })
    expect(wordsOf(await reader.read(keys))).toEqual(['x'])
    await grid.run(() => grid.world.clock.advance(1_000))
    await reader.settle()
    for (const node of grid.nodes) await grid.run(() => node.empty())
    expect((await reader.read(keys)).rollback?.missing).toEqual(written?.record.record.clock)
  })

  it('is not told by whoever has no memory: it cannot be', async () => {
    await using grid = await testGrid()
    await using writer = new TestDevice(grid)
    await writer.write(keys, adding('x'))
    await writer.settle()
    for (const node of grid.nodes) await grid.run(() => node.empty())
    await using stranger = new TestDevice(grid)
    expect(await stranger.read(keys)).toMatchObject({ heads: [], freshness: 'settled' })
  })
})

describe('a restored backup', () => {
  it('goes on under a new tag, and nothing that was written since is lost', async () => {
    await using grid = await testGrid()
    const store = new MemoryStore()
    const backup = await (async () => {
      await using device = new TestDevice(grid, { memory: new StoredSlotMemory(store) })
      await device.write(keys, adding('before'))
      await device.settle()
      const copy = store.copy()
      await device.write(keys, adding('after'))
      await device.settle()
      return copy
    })()
    await using restored = new TestDevice(grid, { memory: new StoredSlotMemory(backup) })
    await restored.write(keys, adding('restored'))
    const { heads, clock } = await restored.read(keys)
    expect(wordsOf({ heads })).toEqual(['after', 'before', 'restored'])
    expect(clock.size).toBe(2)
    const [own] = heads
    expect(own?.record.clock).toEqual(clock)
  })

  it('a process that dies gives no number a second time', async () => {
    await using grid = await testGrid()
    const store = new MemoryStore()
    const given = new Set<string>()
    for (let life = 0; life < 40; life++) {
      // What is saved after the copy is lost, as in a power cut.
      const memory = new StoredSlotMemory(life % 3 === 0 ? store : store.copy())
      await using device = new TestDevice(grid, { memory })
      for (let turn = 0; turn < 3; turn++) {
        await device.write(keys, ({ tag: own, counter }) => {
          const number = `${own} ${counter + 1}`
          expect(given.has(number)).toBe(false)
          given.add(number)
          return { contents: saying('x') }
        })
      }
    }
    expect(given.size).toBe(120)
  })

  it('a process that ends in good order leaves its tag to the next one', async () => {
    await using grid = await testGrid()
    const store = new MemoryStore()
    await using first = new TestDevice(grid, { memory: new StoredSlotMemory(store) })
    await first.write(keys, adding('x'))
    await first.settle()
    for (let turn = 0; turn < 3; turn++) {
      await first.write(keys, () => ({ contents: saying('y'), dots: 50 }))
    }
    await first.settle()
    await using next = new TestDevice(grid, { memory: new StoredSlotMemory(store.copy()) })
    await next.write(keys, adding('z'))
    expect((await next.read(keys)).clock.size).toBe(1)
  })

  it('a spoilt memory is as good as none', async () => {
    await using grid = await testGrid()
    const store = new MemoryStore()
    {
      await using device = new TestDevice(grid, { memory: new StoredSlotMemory(store) })
      await device.write(keys, adding('x'))
      await device.settle()
    }
    for (const [name, value] of store.values) store.values.set(name, value.slice(0, -1))
    await using device = new TestDevice(grid, { memory: new StoredSlotMemory(store) })
    await device.write(keys, adding('y'))
    expect(wordsOf(await device.read(keys))).toEqual(['x', 'y'])
  })
})
