import { describe, expect, it } from 'vitest'
import { SlotNotStoredError } from '../../../src/grid/slots/errors.ts'
import type { SlotUpdate } from '../../../src/grid/slots/client.ts'
import { StoredSlotMemory } from '../../../src/grid/slots/stored-memory.ts'
import { UnreachableError } from '../../../src/protocol/network.ts'
import { compareVectors, type VersionVector } from '../../../src/protocol/version-vector.ts'
import { adding, MemoryStore, TestDevice, testSlot, wordsOf } from '../../support/devices.ts'
import { testGrid, type TestGrid } from '../../support/grid.ts'

const keys = testSlot()

/** From here on, writes of a device reach two nodes only. */
function cut(grid: TestGrid, device: TestDevice): void {
  for (const { key } of grid.nodes.slice(2)) {
    device.liars.set(key, async (asked, honest) => {
      if (asked.op === 'slot-put') throw new UnreachableError(key, 'a test cut the line')
      return await honest()
    })
  }
}

/** What a slot says on one node, past the client. */
async function clocksOn(grid: TestGrid, at: number): Promise<VersionVector[]> {
  await using reader = new TestDevice(grid, { client: 1 })
  for (const { key } of grid.nodes.filter((_, other) => other !== at)) {
    reader.liars.set(key, async () => {
      throw await Promise.resolve(new UnreachableError(key, 'a test asks one node alone'))
    })
  }
  const { heads } = await reader.read(keys)
  return heads.map(({ record }) => record.clock)
}

describe('a write that failed after it had reached some nodes', () => {
  it('is contained in the next state of its device', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using device = new TestDevice(grid)
    await device.write(keys, adding('before'))
    cut(grid, device)
    await expect(device.write(keys, adding('failed'))).rejects.toThrow(SlotNotStoredError)
    device.liars.clear()
    expect(wordsOf({ heads: [(await device.write(keys, adding('next')))!.record] })).toEqual([
      'before',
      'failed',
      'next',
    ])
  })

  it('is not shown as done before', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    await device.write(keys, adding('before'))
    for (const { key } of grid.nodes) {
      device.liars.set(key, async (asked, honest) => {
        if (asked.op === 'slot-put') throw new UnreachableError(key, 'a test cut the line')
        return await honest()
      })
    }
    await expect(device.write(keys, adding('failed'))).rejects.toThrow(SlotNotStoredError)
    expect(wordsOf(await device.read(keys))).toEqual(['before'])
  })

  it('is contained in the next state of its device, even by another process', async () => {
    await using grid = await testGrid({ clients: 2 })
    const store = new MemoryStore()
    await using device = new TestDevice(grid, { memory: new StoredSlotMemory(store) })
    await device.write(keys, adding('before'))
    cut(grid, device)
    await expect(device.write(keys, adding('failed'))).rejects.toThrow(SlotNotStoredError)
    await device.settle()
    await using next = new TestDevice(grid, { memory: new StoredSlotMemory(store.copy()) })
    // It must not depend on the nodes that took it.
    for (const { key } of grid.nodes.slice(0, 2)) {
      next.liars.set(key, async () => {
        throw await Promise.resolve(new UnreachableError(key, 'a test cut the line'))
      })
    }
    const written = await next.write(keys, adding('next'))
    expect(wordsOf({ heads: [written!.record] })).toEqual(['before', 'failed', 'next'])
  })

  it('is not claimed to be contained by what is written after a power cut', async () => {
    await using grid = await testGrid({ clients: 2 })
    const store = new MemoryStore()
    await using device = new TestDevice(grid, { memory: new StoredSlotMemory(store) })
    await device.write(keys, adding('before'))
    await device.settle()
    let atThePowerCut = store.copy()
    cut(grid, device)
    const failing: SlotUpdate = async (base) => ({
      ...(await adding('failed')(base))!,
      ready: Promise.resolve(),
    })
    const { key } = grid.nodes[0]!
    device.liars.set(key, async (asked, honest) => {
      if (asked.op === 'slot-put') atThePowerCut = store.copy()
      return await honest()
    })
    await expect(device.write(keys, failing)).rejects.toThrow(SlotNotStoredError)
    const [failed] = await clocksOn(grid, 0)
    await using next = new TestDevice(grid, { memory: new StoredSlotMemory(atThePowerCut) })
    for (const { key: taker } of grid.nodes.slice(0, 2)) {
      next.liars.set(taker, async () => {
        throw await Promise.resolve(new UnreachableError(taker, 'a test cut the line'))
      })
    }
    const { record } = (await next.write(keys, adding('next')))!.record
    expect(compareVectors(failed!, record.clock)).toBe('concurrent')
  })

  it('keeps its device from writing until its fate is known', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    await device.write(keys, adding('before'))
    cut(grid, device)
    for (const word of ['failed', 'failed again']) {
      await expect(device.write(keys, adding(word))).rejects.toThrow(SlotNotStoredError)
    }
    device.liars.clear()
    const written = await device.write(keys, adding('next'))
    expect(wordsOf({ heads: [written!.record] })).toEqual(['before', 'failed', 'next'])
  })
})

describe('a write that its maker gave up after some nodes had taken it', () => {
  it('is not claimed to be contained by what the device writes next', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using device = new TestDevice(grid)
    await using other = new TestDevice(grid, { client: 1 })
    await device.write(keys, adding('before'))
    await other.read(keys)
    // The first two nodes know nothing of the other's write, so they take what the others refuse.
    for (const { key } of grid.nodes.slice(0, 2)) {
      other.liars.set(key, async (asked, honest) => {
        if (asked.op === 'slot-put') throw new UnreachableError(key, 'a test cut the line')
        return await honest()
      })
    }
    await other.write(keys, adding('meanwhile'))
    let asked = 0
    const onlyOnce: SlotUpdate = (base) => {
      asked += 1
      if (asked > 1) throw new Error('not any more')
      return adding('given up')(base)
    }
    await expect(device.write(keys, onlyOnce)).rejects.toThrow('not any more')
    const [givenUp] = await clocksOn(grid, 0)
    const { record } = (await device.write(keys, adding('next')))!.record
    expect(compareVectors(givenUp!, record.clock)).toBe('concurrent')
  })
})

describe('a state whose blocks could not be stored', () => {
  it('is neither sent nor remembered', async () => {
    await using grid = await testGrid()
    const store = new MemoryStore()
    await using device = new TestDevice(grid, { memory: new StoredSlotMemory(store) })
    await device.write(keys, adding('before'))
    const failing: SlotUpdate = async (base) => ({
      ...(await adding('failed')(base))!,
      ready: Promise.reject(new Error('too few nodes')),
    })
    await expect(device.write(keys, failing)).rejects.toThrow('too few nodes')
    await using next = new TestDevice(grid, { memory: new StoredSlotMemory(store.copy()) })
    const written = await next.write(keys, adding('next'))
    expect(wordsOf({ heads: [written!.record] })).toEqual(['before', 'next'])
  })
})
