import { describe, expect, it } from 'vitest'
import { StoredSlotMemory } from '../../../src/grid/slots/stored-memory.ts'
import { FolderSetBackError } from '../../../src/folders/service/errors.ts'
import { NothingSetBackError } from '../../../src/grid/slots/set-back.ts'
import { MemoryStore } from '../../support/devices.ts'
import { testGrid } from '../../support/grid.ts'
import { FolderDevice } from './support.ts'

describe('a folder that all nodes have lost', () => {
  it('is told of, also by a later process, and begins anew when its user says so', async () => {
    await using grid = await testGrid({ clients: 2 })
    const store = new MemoryStore()
    const memory = (): StoredSlotMemory => new StoredSlotMemory(store)
    const { capability } = await (async () => {
      await using device = new FolderDevice(grid, 'laptop', { memory: memory() })
      const folder = await device.create()
      await folder.write('a', 'what was there')
      await expect(device.run(() => folder.writer.acceptOlder())).rejects.toThrow(
        NothingSetBackError,
      )
      await device.settle()
      return folder
    })()
    for (const node of grid.nodes) await grid.run(() => node.empty())
    const told = async (): Promise<void> => {
      await using device = new FolderDevice(grid, 'laptop', { memory: memory() })
      const folder = await device.open(capability)
      const error = await folder.paths().catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(FolderSetBackError)
      expect(error).toMatchObject({ newer: { device: 'laptop' }, older: undefined })
      await expect(folder.write('b', 'x')).rejects.toThrow(FolderSetBackError)
      await device.settle()
    }
    await told()
    await told()
    await using device = new FolderDevice(grid, 'laptop', { memory: memory() })
    const folder = await device.open(capability)
    const accepted = await device.run(() => folder.writer.acceptOlder())
    expect(accepted).toMatchObject({ kept: undefined, gone: { device: 'laptop' } })
    await folder.write('b', 'new')
    expect(await folder.paths()).toEqual(['b'])
    // Somebody who has seen nothing of it finds the same.
    await using other = new FolderDevice(grid, 'desktop', { client: 1 })
    expect(await (await other.open(capability)).paths()).toEqual(['b'])
    await expect(device.run(() => folder.writer.acceptOlder({ force: true }))).rejects.toThrow(
      NothingSetBackError,
    )
  })
})
