import { describe, expect, it } from 'vitest'
import { FileSetBackError } from '../../../src/grid/mutable/set-back.ts'
import { NothingSetBackError } from '../../../src/grid/slots/set-back.ts'
import { StoredSlotMemory } from '../../../src/grid/slots/stored-memory.ts'
import type { FileVersion } from '../../../src/grid/mutable/version.ts'
import { sourceOf } from '../../../simulations/bytes.ts'
import { isSame } from '../../support/blocks.ts'
import { MemoryStore, TestDevice } from '../../support/devices.ts'
import { someBytes, testGrid } from '../../support/grid.ts'

describe('a file that changes and that all nodes have lost', () => {
  it('is told of, also by a later process, and is given new content', async () => {
    await using grid = await testGrid()
    const store = new MemoryStore()
    const device = (): TestDevice => new TestDevice(grid, { memory: new StoredSlotMemory(store) })
    const { capability } = await (async () => {
      await using first = device()
      const files = first.own.openMutableFiles({ slots: first.slots, device: 'laptop' })
      const created = await grid.run(() => files.create(sourceOf(someBytes(5000))))
      await expect(grid.run(() => files.acceptOlder(created.capability))).rejects.toThrow(
        NothingSetBackError,
      )
      await grid.run(() => files.settle())
      return created
    })()
    for (const node of grid.nodes) await grid.run(() => node.empty())
    for (let process = 0; process < 2; process++) {
      await using later = device()
      const files = later.own.openMutableFiles({ slots: later.slots })
      const { current } = await grid.run(() => files.look(capability))
      const error = await grid.run(() => files.read(current)).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(FileSetBackError)
      expect(error).toMatchObject({ newer: { device: 'laptop' }, older: undefined })
      expect((error as Error).message).toContain('"hayloft put FILE" gives it new content')
      // Nothing is there to go back to.
      await expect(grid.run(() => files.acceptOlder(capability))).rejects.toThrow(
        NothingSetBackError,
      )
    }
    await using last = device()
    const files = last.own.openMutableFiles({ slots: last.slots })
    await grid.run(() => files.write(capability, sourceOf(someBytes(6000, 2))))
    const { current } = await grid.run(() => files.look(capability))
    expect(isSame(await bytesOf(current), someBytes(6000, 2))).toBe(true)

    async function bytesOf(version: FileVersion): Promise<Uint8Array> {
      return await grid.run(async () => {
        const parts: Uint8Array[] = []
        for await (const part of (await files.read(version)).chunks) parts.push(part)
        return new Uint8Array(Buffer.concat(parts))
      })
    }
  })

  it('is brought back by a device that has seen it, if it is small: its record is all there is', async () => {
    await using grid = await testGrid({ clients: 2 })
    const store = new MemoryStore()
    await using first = new TestDevice(grid, { memory: new StoredSlotMemory(store) })
    const files = first.own.openMutableFiles({ slots: first.slots })
    const { capability } = await grid.run(() => files.create(sourceOf(someBytes(1000))))
    await grid.run(() => files.write(capability, sourceOf(someBytes(1000, 2))))
    await grid.run(() => first.slots.settle())
    for (const node of grid.nodes) await grid.run(() => node.empty())
    await using later = new TestDevice(grid, { memory: new StoredSlotMemory(store) })
    const again = later.own.openMutableFiles({ slots: later.slots })
    const { current, rollback } = await grid.run(() => again.look(capability))
    expect(rollback).toBeDefined()
    expect(current.content).toEqual({ kind: 'inline', bytes: someBytes(1000, 2) })
    await grid.run(() => later.slots.settle())
    await using other = new TestDevice(grid, { client: 1 })
    const others = other.own.openMutableFiles({ slots: other.slots })
    const seen = await grid.run(() => others.look(capability))
    expect(seen.current.content).toEqual(current.content)
  })
})
