import { describe, expect, it } from 'vitest'
import { toRead, toVerify } from '../../../src/capabilities/capability.ts'
import { parsePath } from '../../../src/folders/names.ts'
import { keptCommits } from '../../../src/folders/service/retention.ts'
import { sleep } from '../../../src/foundation/clock.ts'
import type { BlockId } from '../../../src/protocol/block-id.ts'
import { sourceOf } from '../../../simulations/bytes.ts'
import { someBytes, testGrid, type TestGrid } from '../../support/grid.ts'
import { bytesAt, collect, FolderDevice, keysOf, type OpenedFolder } from './support.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Leases last 45 days, shares a week longer, and nodes collect once a day. */
const COLLECTED_AFTER_DAYS = 45 + 7 + 2

async function smallGrid(): Promise<TestGrid> {
  return await testGrid({ nodes: 4, clients: 3, maintains: true })
}

async function pass(grid: TestGrid, ms: number): Promise<void> {
  const { world } = grid
  await world.run(() => sleep(world.clock, ms), ms + DAY_MS)
}

/** A state of a folder that a test made. */
interface Made {
  readonly text: string
  readonly timeMs: number
  readonly root: BlockId
}

async function make(folder: OpenedFolder, path: string, text: string): Promise<Made> {
  const { device } = folder
  await folder.write(path, text)
  const { heads } = await device.run(() => device.slots.read(keysOf(folder.capability)))
  const { root, modifiedMs } = heads[0]!.contents
  return { text, timeMs: modifiedMs!, root: root!.id }
}

async function sharesOf(grid: TestGrid, { root }: Made): Promise<number> {
  const held = await Promise.all(grid.nodes.map(async (node) => await node.goodShares(root)))
  return held.flat().length
}

/** What is readable of states after all: their texts, as the folder was at their times. */
async function textsAt(
  device: FolderDevice,
  folder: OpenedFolder,
  path: string,
  states: readonly Made[],
): Promise<string[]> {
  const reader = await device.reader(toRead(folder.capability))
  const texts: string[] = []
  for (const { timeMs } of states) {
    const view = await device.run(() => reader.at(timeMs))
    texts.push(new TextDecoder().decode(await bytesAt(device, view, path)))
  }
  return texts
}

/** Those of states that retention keeps at a time, or gives up. */
function splitAt(states: readonly Made[], nowMs: number): { kept: Made[]; dropped: Made[] } {
  const times = new Set(
    keptCommits(
      states.map((state) => state.timeMs),
      nowMs,
    ),
  )
  return {
    kept: states.filter(({ timeMs }) => times.has(timeMs)),
    dropped: states.filter(({ timeMs }) => !times.has(timeMs)),
  }
}

describe('renewal by a reader', () => {
  it('keeps what retention keeps, of linked folders too, and lets the rest be collected', async () => {
    await using grid = await smallGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    await using bob = new FolderDevice(grid, 'Bob', { client: 1 })
    const folder = await anna.create()
    const linked = await anna.create()
    await grid.run(() => folder.writer.link(parsePath('linked'), linked.capability))
    const outer: Made[] = []
    const inner: Made[] = []
    const capability = toRead(folder.capability)
    for (let day = 0; day < 60; day++) {
      if (day % 3 === 0) {
        // Two in one hour: after a day, only the later is kept.
        for (const part of ['early', 'late']) {
          outer.push(await make(folder, 'note', `${part} on day ${day}`))
          if (day % 12 === 0) inner.push(await make(linked, 'deep', `${part} on day ${day}`))
        }
      }
      const renewed = await bob.run(() => bob.folders.renew(capability))
      expect(renewed).toMatchObject({ recoverable: true, healthy: true, slots: { total: 2 } })
      await pass(grid, DAY_MS)
    }
    const then = grid.world.clock.nowMs()
    const dropped = [...splitAt(outer, then).dropped, ...splitAt(inner, then).dropped]
    expect(dropped.length).toBeGreaterThan(20)
    for (let round = 0; round < 3; round++) {
      await bob.run(() => bob.folders.renew(capability))
      await pass(grid, (COLLECTED_AFTER_DAYS / 3) * DAY_MS)
    }
    // Who has read nothing before, and so remembers nothing.
    await using carol = new FolderDevice(grid, 'Carol', { client: 2 })
    const { kept } = splitAt(outer, grid.world.clock.nowMs())
    expect(kept.length).toBeGreaterThan(1)
    expect(await textsAt(carol, folder, 'note', kept)).toEqual(kept.map(({ text }) => text))
    const innerKept = splitAt(inner, grid.world.clock.nowMs()).kept
    expect(innerKept.length).toBeGreaterThan(1)
    expect(await textsAt(carol, linked, 'deep', innerKept)).toEqual(
      innerKept.map((one) => one.text),
    )
    const latest = kept.at(-1)!
    expect(await textsAt(carol, folder, 'linked/deep', [latest])).toEqual([
      innerKept.findLast(({ timeMs }) => timeMs <= latest.timeMs)!.text,
    ])
    for (const state of [...kept, ...innerKept]) expect(await sharesOf(grid, state)).toBe(4)
    const left = []
    for (const state of dropped) if ((await sharesOf(grid, state)) > 0) left.push(state.text)
    expect(left).toEqual([])
    const reader = await carol.reader(capability)
    const first = outer[0]!
    await expect(carol.run(() => reader.at(first.timeMs))).rejects.toMatchObject({
      code: 'no-state-then',
    })
    const commits = await carol.run(() => collect(reader.history()))
    const times = new Set(commits.map(({ timeMs }) => timeMs))
    expect(dropped.filter(({ timeMs }) => times.has(timeMs))).toEqual([])
    expect(kept.every(({ timeMs }) => times.has(timeMs))).toBe(true)
    const now = await carol.run(() => carol.own.check(toVerify(folder.capability), { history: 0 }))
    expect(now).toMatchObject({ recoverable: true, healthy: true })
  })

  it('is what keeps it: without, all is gone after lease and grace', async () => {
    await using grid = await smallGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    await using bob = new FolderDevice(grid, 'Bob', { client: 1 })
    const [kept, left] = [await anna.create(), await anna.create()]
    const states = [await make(kept, 'note', 'kept'), await make(left, 'note', 'left')]
    for (let round = 0; round < 3; round++) {
      await pass(grid, (COLLECTED_AFTER_DAYS / 3) * DAY_MS)
      await bob.run(() => bob.folders.renew(toRead(kept.capability)))
    }
    expect(await Promise.all(states.map((state) => sharesOf(grid, state)))).toEqual([4, 0])
    const lost = await bob.run(() => bob.folders.renew(toRead(left.capability)))
    expect(lost).toMatchObject({ recoverable: false, sharesLeased: 0, copiesLeased: 0 })
  })

  it('from the power to verify keeps all of the past that is there', async () => {
    await using grid = await smallGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    await using bob = new FolderDevice(grid, 'Bob', { client: 1 })
    const folder = await anna.create()
    const states = [await make(folder, 'note', 'one'), await make(folder, 'note', 'two')]
    await make(folder, 'note', 'three')
    await pass(grid, 40 * DAY_MS)
    const [asReader, asVerifier] = await bob.run(async () => [
      await bob.folders.renew(toRead(folder.capability)),
      await bob.folders.renew(toVerify(folder.capability)),
    ])
    expect(asReader.blocks.total).toBe(1)
    expect(asVerifier.blocks.total).toBe(1 + 3 + states.length)
    await pass(grid, 30 * DAY_MS)
    for (const state of states) expect(await sharesOf(grid, state)).toBe(4)
  })
})

it('a file that changes keeps its newest content, and of the others what retention keeps', async () => {
  await using grid = await smallGrid()
  await using anna = new FolderDevice(grid, 'Anna')
  const files = anna.own.openMutableFiles({ slots: anna.slots })
  const { capability } = await anna.run(() => files.create(sourceOf(someBytes(2_000, 1))))
  await anna.run(() => files.write(capability, sourceOf(someBytes(2_000, 2))))
  await pass(grid, 10 * DAY_MS)
  await anna.run(() => files.write(capability, sourceOf(someBytes(2_000, 3))))
  await anna.run(() => files.settle())
  // The first was replaced within its hour; the second is the last of its day.
  const renewed = await anna.run(() => anna.folders.renew(capability))
  expect(renewed).toMatchObject({ healthy: true, slots: { total: 1 } })
  expect(renewed.blocks.total).toBe(2 + 1)
  // Those that were leased then are in their grace now, and what was not is past it.
  await pass(grid, 50 * DAY_MS)
  const versions = await anna.run(() => collect(files.history(capability)))
  expect(versions).toHaveLength(1)
  const now = await anna.run(() => anna.own.check(capability, { verify: 'full' }))
  expect(now).toMatchObject({ recoverable: true, healthy: true })
})

it('a small file that changes keeps what its record carries, for as long as it does', async () => {
  await using grid = await smallGrid()
  await using anna = new FolderDevice(grid, 'Anna')
  const files = anna.own.openMutableFiles({ slots: anna.slots })
  const { capability } = await anna.run(() => files.create(sourceOf(someBytes(900, 1))))
  await anna.run(() => files.write(capability, sourceOf(someBytes(900, 2))))
  for (let round = 0; round < 3; round++) {
    await pass(grid, 20 * DAY_MS)
    const renewed = await anna.run(() => anna.folders.renew(capability))
    expect(renewed).toMatchObject({ healthy: true, slots: { total: 1 }, blocks: { total: 0 } })
  }
  const versions = await anna.run(() => collect(files.history(capability)))
  expect(versions).toHaveLength(1)
})

it('a snapshot is kept, with the past of what it links', async () => {
  await using grid = await smallGrid()
  await using anna = new FolderDevice(grid, 'Anna')
  const [folder, linked] = [await anna.create(), await anna.create()]
  await grid.run(() => folder.writer.link(parsePath('d/linked'), linked.capability))
  const early = await make(linked, 'note', 'early')
  const late = await make(linked, 'note', 'late')
  const snapshot = await anna.run(() => folder.writer.snapshot([]))
  await pass(grid, 3 * DAY_MS)
  const last = await make(linked, 'note', 'last')
  for (let round = 0; round < 3; round++) {
    await anna.run(() => anna.folders.renew(snapshot))
    await pass(grid, 20 * DAY_MS)
  }
  expect(await sharesOf(grid, early)).toBe(0)
  expect(await sharesOf(grid, last)).toBe(4)
  expect(await sharesOf(grid, late)).toBe(4)
  const view = await anna.run(() => anna.folders.open(snapshot))
  const text = await bytesAt(anna, view, 'd/linked/note')
  expect(new TextDecoder().decode(text)).toBe('last')
})

it('no folder makes states of another one lapse by claiming them as its own past', async () => {
  await using grid = await smallGrid()
  await using anna = new FolderDevice(grid, 'Anna')
  const [home, shared, between, forged] = [
    await anna.create(),
    await anna.create(),
    await anna.create(),
    await anna.create(),
  ]
  await grid.run(() => home.writer.link(parsePath('shared'), shared.capability))
  await grid.run(() => home.writer.link(parsePath('between'), between.capability))
  // So that it is met after the other.
  await grid.run(() => between.writer.link(parsePath('forged'), forged.capability))
  const old = await make(shared, 'note', 'the last of its month')
  await pass(grid, 35 * DAY_MS)
  await make(shared, 'note', 'newest')
  await anna.run(async () => {
    const { heads } = await anna.slots.read(keysOf(shared.capability))
    const { parents } = heads[0]!.contents
    const modifiedMs = old.timeMs + 1
    await anna.slots.write(keysOf(forged.capability), () => ({
      contents: { kind: 'folder', parents, modifiedMs },
    }))
    await anna.folders.renew(home.capability)
  })
  await pass(grid, 50 * DAY_MS)
  expect(await sharesOf(grid, old)).toBe(4)
})
