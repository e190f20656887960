import { describe, expect, it } from 'vitest'
import { StoredSlotMemory } from '../../../src/grid/slots/stored-memory.ts'
import { adding, MemoryStore, TestDevice, testSlot } from '../../support/devices.ts'
import { testGrid } from '../../support/grid.ts'

const keys = testSlot()

describe('a memory whose disk is full', () => {
  it('is told later what it could not keep at first', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using theirs = new TestDevice(grid, { client: 1 })
    await theirs.write(keys, adding('x'))
    const store = new MemoryStore()
    const memory = new StoredSlotMemory(store)
    const ours = new TestDevice(grid, { memory })
    const write = store.write.bind(store)
    store.write = async () => {
      await Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }))
    }
    await expect(ours.read(keys)).rejects.toThrow('full')
    store.write = write
    await ours.read(keys)
    await ours[Symbol.asyncDispose]()
    expect((await memory.load(keys.slot))?.clock.size).toBe(1)
  })
})
