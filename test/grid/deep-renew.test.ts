import { describe, expect, it } from 'vitest'
import { sleep } from '../../src/foundation/clock.ts'
import { toHex } from '../../src/foundation/bytes.ts'
import { TestDevice } from '../support/devices.ts'
import { someBytes, testGrid, type TestGrid } from '../support/grid.ts'
import { TestFolder } from '../support/trees.ts'

const DAY_MS = 24 * 3600 * 1000

/** Leases last 45 days, and shares a week longer. */
const later = async (grid: TestGrid, days: number): Promise<void> => {
  const { world } = grid
  await world.run(() => sleep(world.clock, days * DAY_MS), (days + 1) * DAY_MS)
}

async function smallGrid(): Promise<TestGrid> {
  return await testGrid({ nodes: 4, clients: 2, maintains: true })
}

describe('renewal by another member from the power to verify', () => {
  it('keeps a tree that its writer has left alone, and what is not renewed is collected', async () => {
    await using grid = await smallGrid()
    await using writer = new TestDevice(grid)
    await using folder = new TestFolder(writer, 'kept')
    await using other = new TestFolder(writer, 'left')
    await grid.run(async () => {
      await folder.commit({ 'a file': await folder.small(someBytes(900)) })
      await other.commit({ 'a file': await other.small(someBytes(900)) })
    })
    await using friend = new TestDevice(grid, { client: 1 })
    await later(grid, 40)
    const renewed = await grid.run(() => friend.own.renew(folder.capability))
    expect(renewed).toMatchObject({ healthy: true, sharesLeased: 4 * 2, copiesLeased: 4 })
    await later(grid, 30)
    const reports = await grid.run(async () => [
      await friend.own.check(folder.capability, { verify: 'full' }),
      await friend.own.check(other.capability),
    ])
    expect(reports).toMatchObject([{ healthy: true }, { recoverable: false, slots: { lost: 1 } }])
    await later(grid, 30)
    expect(await grid.run(() => friend.own.check(folder.capability))).toMatchObject({
      recoverable: false,
    })
  })

  it('keeps a single file', async () => {
    await using grid = await smallGrid()
    const file = await grid.store(someBytes(3_000))
    await using friend = new TestDevice(grid, { client: 1 })
    await later(grid, 40)
    const { blocks, sharesLeased } = await grid.run(() => friend.own.renew(file.capability))
    expect({ total: blocks.total, sharesLeased }).toEqual({ total: 1, sharesLeased: 4 })
    await later(grid, 30)
    expect(await grid.check(file.capability)).toMatchObject({ healthy: true })
  })

  it('keeps of the past what it is told to', async () => {
    await using grid = await smallGrid()
    await using writer = new TestDevice(grid)
    await using folder = new TestFolder(writer, 'with a past')
    for (let version = 0; version < 4; version++) {
      await grid.run(async () => {
        await folder.commit({ 'a file': await folder.small(someBytes(900 + version, version)) })
      })
    }
    const { capability } = folder
    await using friend = new TestDevice(grid, { client: 1 })
    const states = folder.past.map(({ id }) => toHex(id)).reverse()
    expect(states).toHaveLength(3)
    const all = await grid.run(() => friend.own.check(capability))
    expect(all.blocks.total).toBe(4 * 2 + 3)
    await later(grid, 40)
    const keeps = (state: Uint8Array): boolean => toHex(state) === states[1]
    const renewed = await grid.run(() => friend.own.renew(capability, { keeps }))
    expect(renewed.blocks.total).toBe(2 + 3 + 2)
    await later(grid, 30)
    const report = await grid.run(() => friend.own.check(capability))
    expect(report).toMatchObject({ recoverable: true, healthy: true, pastGone: 2 })
    expect(report.blocks.total).toBe(2 + 3 + 2)
    const nearest = await grid.run(() => friend.own.renew(capability, { history: 1 }))
    expect(nearest.blocks.total).toBe(2 + 1)
  })
})
