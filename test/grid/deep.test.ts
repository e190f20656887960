import { describe, expect, it } from 'vitest'
import { toVerify } from '../../src/capabilities/capability.ts'
import { utf8 } from '../../src/foundation/bytes.ts'
import { KIND_DATA, KIND_LEAF } from '../../src/grid/blocks/frame.ts'
import type { TreeReport } from '../../src/grid/maintenance/report.ts'
import type { TreeCheckOptions, TreeProgress } from '../../src/grid/maintenance/tree.ts'
import { linkTo as linkToBlock } from '../../src/grid/slots/contents.ts'
import { sourceOf } from '../../simulations/bytes.ts'
import { TestDevice, testSlot } from '../support/devices.ts'
import { someBytes, testGrid, type TestGrid } from '../support/grid.ts'
import { linkTo, TestFolder } from '../support/trees.ts'

const HEALTHY = { recoverable: true, healthy: true, sharesMissing: 0, copiesMissing: 0, broken: 0 }

interface Planted extends AsyncDisposable {
  readonly device: TestDevice
  readonly folder: TestFolder
  readonly inner: TestFolder
}

/** A folder of two commits with directories, a larger file, and another folder linked. */
async function plant(grid: TestGrid, largeBytes = 60_000): Promise<Planted> {
  const device = new TestDevice(grid)
  const folder = new TestFolder(device, 'outer')
  const inner = new TestFolder(device, 'inner')
  await grid.run(async () => {
    await inner.commit({ 'deep/inside': await inner.small(someBytes(3_000, 50)) })
    const files = await Promise.all(
      Array.from({ length: 12 }, async (_, at) => {
        const content = await folder.small(someBytes(400 + at, at))
        return [`directory ${at % 3}/file ${at}`, content] as const
      }),
    )
    await folder.commit({
      ...Object.fromEntries(files),
      'a large one': await folder.file(someBytes(largeBytes, 99)),
      'the other folder': linkTo(folder, 'inner'),
    })
    await folder.commit({ 'directory 0/file 0': await folder.small(someBytes(700, 77)) })
    await device.slots.settle()
  })
  return {
    device,
    folder,
    inner,
    async [Symbol.asyncDispose]() {
      await folder[Symbol.asyncDispose]()
      await inner[Symbol.asyncDispose]()
      await device[Symbol.asyncDispose]()
    },
  }
}

async function check(
  grid: TestGrid,
  { device, folder }: Planted,
  options: TreeCheckOptions = {},
): Promise<TreeReport> {
  return await grid.run(() => device.own.check(folder.capability, options))
}

describe('a deep check', () => {
  it('finds all of a folder, its past and the folders in it from the power to verify', async () => {
    await using grid = await testGrid()
    await using planted = await plant(grid, 2 ** 20 + 5_000)
    // All that was ever stored, what commits have replaced too; but for the empty roots that two of them began from.
    const blocks = planted.device.blocksPut.size - 2
    for (const verify of ['none', 'audit', 'full'] as const) {
      const report = await check(grid, planted, { verify })
      expect(report).toMatchObject({ ...HEALTHY, pastGone: 0, nodesSilent: [] })
      expect(report.slots).toMatchObject({ total: 2, healthy: 2 })
      expect(report.blocks.total).toBe(blocks)
      expect(report.nodesAnswered).toHaveLength(10)
    }
    const present = await check(grid, planted, { history: 0 })
    expect(present).toMatchObject(HEALTHY)
    expect(present.blocks.total).toBeLessThan(blocks)
  })

  it('is the same from any stronger capability, and of snapshots', async () => {
    await using grid = await testGrid()
    await using planted = await plant(grid)
    const { device, folder } = planted
    const expected = await check(grid, planted)
    const { root } = folder.states[1]!
    const reports = await grid.run(async () => [
      await device.own.check({
        kind: 'folder-read',
        slot: folder.keys.slot,
        readKey: folder.keys.readKey,
      }),
      await device.own.check({ kind: 'snapshot-read', ...root }),
    ])
    expect(reports[0]).toEqual(expected)
    expect(reports[1]).toMatchObject(HEALTHY)
    expect(reports[1]?.slots.total).toBe(1)
  })

  it('tells how far it has come', async () => {
    await using grid = await testGrid()
    await using planted = await plant(grid)
    const events: TreeProgress[] = []
    const onProgress = (event: TreeProgress): void => {
      events.push(event)
    }
    const { blocks, slots, bytes } = await check(grid, planted, { onProgress })
    const total = blocks.total + slots.total
    expect(events.at(-1)).toMatchObject({ done: total, found: total, doneBytes: bytes })
    expect(events.every(({ done, found }) => done <= found)).toBe(true)
  })

  it('does not call lost what silent nodes may have', async () => {
    await using grid = await testGrid()
    await using planted = await plant(grid)
    for (const node of grid.nodes.slice(0, 8)) node.freeze()
    const report = await check(grid, planted)
    expect(report).toMatchObject({ recoverable: 'unknown', healthy: false })
    expect(report.blocks.lost + report.slots.lost).toBe(0)
    expect(report.nodesSilent).toHaveLength(8)
    for (const node of grid.nodes) node.thaw()
    expect(await check(grid, planted)).toMatchObject(HEALTHY)
  })

  it('tells what is lost for certain, and does not take what was of the past for lost', async () => {
    await using grid = await testGrid()
    await using planted = await plant(grid)
    for (const node of grid.nodes.slice(0, 8)) await grid.run(() => node.empty())
    const report = await check(grid, planted)
    expect(report).toMatchObject({ recoverable: false, healthy: false })
    // Two copies of the slot are left, and two shares of each block, of which three are needed.
    expect(report.slots).toMatchObject({ total: 1, degraded: 1 })
    expect(report.blocks.lost).toBeGreaterThan(0)
    expect(report.blocks.lost).toBe(report.blocks.total)
    expect(report.pastGone).toBeGreaterThan(0)
  })

  it('is not taken in by nodes that claim what they do not have', async () => {
    await using grid = await testGrid()
    await using planted = await plant(grid)
    const { blocks } = await check(grid, planted)
    grid.nodes[0]!.lie('exaggerates')
    grid.nodes[1]!.lie('claims all')
    for (const verify of ['audit', 'full'] as const) {
      const report = await check(grid, planted, { verify })
      expect(report).toMatchObject({ recoverable: true, healthy: false })
      expect(report.blocks.total).toBe(blocks.total)
      // Each block lacks what the second does not have.
      expect(report.sharesMissing).toBeGreaterThan(0)
      expect(report.sharesMissing).toBeLessThanOrEqual(2 * blocks.total)
    }
  })

  it('ends where slots lead back to where they came from', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    await using one = new TestFolder(device, 'one')
    await using other = new TestFolder(device, 'other')
    await grid.run(async () => {
      await one.commit({ there: linkTo(one, 'other') })
      await other.commit({ back: linkTo(other, 'one') })
    })
    const report = await grid.run(() => device.own.check(one.capability))
    expect(report.slots).toMatchObject({ total: 2, healthy: 2 })
  })

  it('is not led past a block by a link to it with a wrong key', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    await using store = device.own.openBlockStore({ convergence: new Uint8Array(32) })
    const top = await grid.run(async () => {
      const content = someBytes(300)
      const data = await store.put({ kind: KIND_DATA, level: 0, links: [], content })
      const leaf = await store.put({
        kind: KIND_LEAF,
        level: 0,
        links: [linkToBlock('block', data)],
        content,
      })
      const right = linkToBlock('block', leaf)
      const links = [{ ...right, verifyKey: someBytes(32) }, right]
      const root = await store.put({ kind: KIND_LEAF, level: 0, links, content })
      await store.flush()
      return root
    })
    const report = await grid.run(() => device.own.check({ kind: 'snapshot-read', ...top }))
    expect(report).toMatchObject({ broken: 1, blocks: { total: 3, healthy: 3 } })
  })

  it('finds all of a mutable file and of what it was', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    const files = device.own.openMutableFiles({ slots: device.slots })
    const { capability } = await grid.run(() => files.create(sourceOf(someBytes(2 ** 21 + 1))))
    await grid.run(() => files.write(capability, sourceOf(someBytes(2_000))))
    const report = await grid.run(() => device.own.check(toVerify(capability)))
    // What it is now, its history, and of that the index with three blocks of data.
    expect(report).toMatchObject({ ...HEALTHY, blocks: { total: 6 }, slots: { total: 1 } })
    const present = await grid.run(() => device.own.check(capability, { history: 0 }))
    expect(present).toMatchObject({ ...HEALTHY, blocks: { total: 1 }, slots: { total: 1 } })
    // What is small is in the record, which is a slot's to check.
    await grid.run(() => files.write(capability, sourceOf(someBytes(100))))
    const small = await grid.run(() => device.own.check(toVerify(capability), { history: 0 }))
    expect(small).toMatchObject({ ...HEALTHY, blocks: { total: 0 }, slots: { total: 1 } })
  })

  it('of a small mutable file needs its slot alone, and mends that from the power to verify', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    const files = device.own.openMutableFiles({ slots: device.slots })
    const { capability } = await grid.run(() => files.create(sourceOf(someBytes(700))))
    await grid.run(() => files.write(capability, sourceOf(someBytes(1_024))))
    await grid.run(() => device.slots.settle())
    const verify = toVerify(capability)
    for (const node of grid.nodes.slice(0, 5)) await grid.run(() => node.empty())
    const damaged = await grid.run(() => device.own.check(verify, { verify: 'full' }))
    expect(damaged).toMatchObject({ recoverable: true, healthy: false, copiesMissing: 5 })
    await grid.run(() => device.own.repair(verify))
    const mended = await grid.run(() => device.own.check(verify, { verify: 'full' }))
    expect(mended).toMatchObject({ ...HEALTHY, blocks: { total: 0 }, slots: { total: 1 } })
  })

  it('asks about many slots in few messages', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    await using folder = new TestFolder(device, 'of folders')
    const count = 100
    await grid.run(async () => {
      // All but the first were never written.
      const names = Array.from({ length: count }, (_, at) =>
        at === 0 ? 'of folders' : `none ${at}`,
      )
      await folder.commit(Object.fromEntries(names.map((name) => [name, linkTo(folder, name)])))
      await device.slots.settle()
    })
    const { result, traffic } = await grid.measure(() =>
      grid.run(() => device.own.check(folder.capability)),
    )
    expect(result.slots).toMatchObject({ total: count, healthy: 1, lost: count - 1 })
    expect(traffic.calls('slot-get')).toBe(10 * (1 + Math.ceil((count - 1) / 24)))
  })

  it('costs few messages for many files', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    await using folder = new TestFolder(device, 'many')
    const count = 600
    await grid.run(async () => {
      const files: Record<string, Awaited<ReturnType<TestFolder['small']>>> = {}
      for (let at = 0; at < count; at++)
        files[`file ${at}`] = await folder.small(utf8(`content ${at}`))
      await folder.commit(files)
    })
    const { result, traffic } = await grid.measure(() =>
      grid.run(() => device.own.check(folder.capability, { verify: 'full' })),
    )
    expect(result).toMatchObject(HEALTHY)
    expect(result.blocks.total).toBeGreaterThan(count)
    // A look at each block's links, and of those that have some the rest.
    expect(traffic.calls('get')).toBeLessThan(1.2 * count)
    expect(traffic.calls('have')).toBeLessThanOrEqual(10 * 6)
    // Nine further shares of each, up to 32 in a message.
    expect(traffic.calls('audit')).toBeLessThan((9 * count) / 16)
  })
})

describe('a deep repair', () => {
  it('brings a tree back to all its shares and copies after nodes lost everything', async () => {
    await using grid = await testGrid()
    await using planted = await plant(grid)
    const { device, folder } = planted
    const before = await check(grid, planted)
    for (const node of grid.nodes.slice(0, 3)) await grid.run(() => node.empty())
    const found = await check(grid, planted)
    expect(found).toMatchObject({ recoverable: true, healthy: false, copiesMissing: 6 })
    expect(found.blocks).toMatchObject({
      total: before.blocks.total,
      degraded: before.blocks.total,
    })
    const repaired = await grid.run(() => device.own.repair(folder.capability))
    expect(repaired).toMatchObject({
      ...HEALTHY,
      blocksRepaired: before.blocks.total,
      sharesPlaced: found.sharesMissing,
      slotsRepaired: 2,
      copiesPlaced: 6,
    })
    expect(await check(grid, planted, { verify: 'full' })).toEqual(before)
    // Those that were given theirs are enough.
    for (const node of grid.nodes.slice(3)) node.crash()
    await using reader = new TestDevice(grid)
    const { heads } = await reader.read(folder.keys)
    expect(heads[0]?.contents.root).toEqual(folder.states[1]?.root)
  })

  it.each([{ verify: 'audit' as const }, { verify: 'full' as const }])(
    'replaces what has rotted: $verify',
    async (options) => {
      await using grid = await testGrid()
      await using planted = await plant(grid)
      const { device, folder } = planted
      const rotten = grid.nodes[0]!.rot(6) + grid.nodes[1]!.rot(6)
      expect(rotten).toBe(12)
      await grid.run(() => device.own.repair(folder.capability, options))
      const after = await check(grid, planted, { verify: 'full' })
      // A sample may miss one bit among the many leaves of a large share.
      expect(after.sharesMissing).toBeLessThanOrEqual(options.verify === 'full' ? 0 : 2)
    },
  )

  it('gives a node the state of a slot that it missed while it was away', async () => {
    await using grid = await testGrid()
    await using planted = await plant(grid)
    const { device, folder } = planted
    grid.nodes[4]!.crash()
    await grid.run(async () => {
      await folder.commit({ new: await folder.small(someBytes(900, 5)) })
    })
    await grid.run(() => grid.nodes[4]!.start())
    const found = await check(grid, planted)
    expect(found).toMatchObject({ recoverable: true, copiesMissing: 1 })
    expect(found.slots).toMatchObject({ total: 2, healthy: 1, degraded: 1 })
    const { copiesPlaced, healthy } = await grid.run(() => device.own.repair(folder.capability))
    expect({ copiesPlaced, healthy }).toEqual({ copiesPlaced: 1, healthy: true })
  })

  it('repairs what is left where something is lost', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    await using folder = new TestFolder(device, 'partly lost')
    await grid.run(async () => {
      const missing = { key: someBytes(32), id: testSlot('no block').slot as never }
      const lost = { kind: 'file' as const, reference: missing, sizeBytes: 5, mtimeMs: 0 }
      await folder.commit({ kept: await folder.small(someBytes(800)), lost })
    })
    await grid.run(() => grid.nodes[0]!.empty())
    const report = await grid.run(() => device.own.repair(folder.capability))
    expect(report).toMatchObject({ recoverable: false, healthy: false, sharesMissing: 0 })
    expect(report.blocks).toMatchObject({ total: 3, healthy: 2, lost: 1 })
    expect(report.blocksRepaired).toBe(2)
  })
})
