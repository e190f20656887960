import { describe, expect, it } from 'vitest'
import { corruptorNames, corruptors } from '../../simulations/corruptors.ts'
import { storageLieNames } from '../../simulations/liars.ts'
import { rollingBack, TestDevice } from '../support/devices.ts'
import { someBytes, testGrid, type TestGrid } from '../support/grid.ts'
import { TestFolder } from '../support/trees.ts'

interface Planted extends AsyncDisposable {
  readonly grid: TestGrid
  readonly device: TestDevice
  readonly folder: TestFolder
}

/** A folder with some small files and one of several leaves a share. */
async function plant(nodes = 12): Promise<Planted> {
  const grid = await testGrid({ nodes })
  const device = new TestDevice(grid)
  const folder = new TestFolder(device, 'a folder')
  await grid.run(async () => {
    const files = Array.from({ length: 5 }, async (_, at) => {
      return [`file ${at}`, await folder.file(someBytes(at === 0 ? 80_000 : 500, at))] as const
    })
    await folder.commit(Object.fromEntries(await Promise.all(files)))
    await device.slots.settle()
  })
  return {
    grid,
    device,
    folder,
    async [Symbol.asyncDispose]() {
      await folder[Symbol.asyncDispose]()
      await device[Symbol.asyncDispose]()
      await grid[Symbol.asyncDispose]()
    },
  }
}

/** The root node, five files. */
const BLOCKS = 6

describe.each(storageLieNames)('a tree on nodes of which some each: %s', (lie) => {
  it('is found, and mended on the others as far as they go', async () => {
    await using planted = await plant()
    const { grid, device, folder } = planted
    for (const node of grid.nodes.slice(0, 3)) node.lie(lie)
    const reports = await grid.run(async () => [
      await device.own.check(folder.capability),
      await device.own.check(folder.capability, { verify: 'audit' }),
      await device.own.check(folder.capability, { verify: 'full' }),
      await device.own.renew(folder.capability),
      await device.own.repair(folder.capability),
    ])
    for (const report of reports) {
      expect(report).toMatchObject({ recoverable: true, broken: 0, blocks: { total: BLOCKS } })
      expect(report.slots).toMatchObject({ total: 1, lost: 0, unknown: 0 })
      expect(report.sharesMissing).toBeLessThanOrEqual(3 * BLOCKS)
    }
    for (const node of grid.nodes.slice(0, 3)) node.repent()
    const repaired = await grid.run(() => device.own.repair(folder.capability, { verify: 'full' }))
    expect(repaired).toMatchObject({ healthy: true })
  })
})

describe.each(corruptorNames)('a tree on nodes of which some hand out a wrong %s', (name) => {
  it('is opened and repaired past them', async () => {
    await using planted = await plant(10)
    const { grid, device, folder } = planted
    for (const node of grid.nodes.slice(0, 4)) node.corrupt(corruptors[name])
    await grid.run(() => grid.nodes[9]!.empty())
    const report = await grid.run(() => device.own.repair(folder.capability, { verify: 'full' }))
    expect(report).toMatchObject({ recoverable: true, broken: 0, blocks: { total: BLOCKS } })
    for (const node of grid.nodes) node.repent()
    const after = await grid.run(() => device.own.check(folder.capability, { verify: 'full' }))
    expect(after).toMatchObject({ healthy: true })
  })
})

describe('a slot', () => {
  it('is not taken for an old state of it, nor for kept because a node says so', async () => {
    await using planted = await plant(10)
    const { grid, device, folder } = planted
    await rollingBack(device, 3, folder.keys)
    await grid.run(async () => {
      await folder.commit({ newer: await folder.small(someBytes(300, 9)) })
      await device.slots.settle()
    })
    const check = async (): Promise<unknown> =>
      await grid.run(() => device.own.check(folder.capability, { history: 0 }))
    const lagging = { recoverable: true, healthy: false, copiesMissing: 1, blocks: { total: 7 } }
    expect(await check()).toMatchObject(lagging)
    await grid.run(() => device.own.repair(folder.capability))
    expect(await check()).toMatchObject(lagging)
  })

  it('is copied to other nodes in place of those that are away', async () => {
    await using planted = await plant(12)
    const { grid, device, folder } = planted
    const found = await grid.run(() => device.own.check(folder.capability))
    expect(found).toMatchObject({ healthy: true })
    for (const node of grid.nodes.slice(0, 2)) node.crash()
    const repaired = await grid.run(() => device.own.repair(folder.capability))
    expect(repaired).toMatchObject({ healthy: true, copiesMissing: 0, sharesMissing: 0 })
    expect(await grid.run(() => device.own.check(folder.capability))).toMatchObject({
      recoverable: true,
      healthy: true,
    })
  })
})

describe('work on a tree', () => {
  it.each(['check', 'repair', 'renew'] as const)('ends when it is told to: %s', async (work) => {
    await using planted = await plant(10)
    const { grid, device, folder } = planted
    const stop = new AbortController()
    const onProgress = (): void => {
      stop.abort(new Error('enough'))
    }
    const options = { signal: stop.signal, onProgress }
    const working = grid.run(
      async (): Promise<object> => await device.own[work](folder.capability, options),
    )
    await expect(working).rejects.toThrow('enough')
  })

  it('waits a little for a node that falls silent, and not for it again', async () => {
    await using planted = await plant(10)
    const { grid, device, folder } = planted
    grid.nodes[5]!.freeze()
    const { result, tookMs } = await grid.measure(() =>
      grid.run(() => device.own.check(folder.capability)),
    )
    expect(result.nodesSilent).toEqual([grid.nodes[5]!.key])
    expect(tookMs).toBeLessThan(10_000)
  })
})
