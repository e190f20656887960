import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { slotKeyOf } from '../../../src/capabilities/slot-keys.ts'
import { parsePath } from '../../../src/folders/names.ts'
import { keptCommits } from '../../../src/folders/service/retention.ts'
import { someBytes, testGrid } from '../../support/grid.ts'
import { bytesAt, collect, FolderDevice, pathsOf, putText } from './support.ts'

describe('the past of a folder', () => {
  it('is every commit, as it was', async () => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const folder = await anna.create()
    const times: number[] = []
    for (const name of ['a', 'b', 'c']) {
      await folder.write(name, name)
      times.push(await folder.nowMs())
    }
    await folder.edit({ kind: 'remove', path: parsePath('a') })
    const commits = await grid.run(() => collect(folder.writer.history()))
    const shown = []
    for (const commit of commits) shown.push((await pathsOf(anna, commit.view())).join(' '))
    expect(shown).toEqual(['b c', 'a b c', 'a b', 'a', ''])
    expect(commits.every(({ device }) => device === 'Anna')).toBe(true)
    for (const [at, timeMs] of times.entries()) {
      const view = await grid.run(() => folder.writer.at(timeMs))
      expect((await pathsOf(anna, view)).join(' ')).toBe(['a', 'a b', 'a b c'][at])
    }
    await expect(grid.run(() => folder.writer.at(0))).rejects.toMatchObject({
      code: 'no-state-then',
    })
  })

  it('tells what one path was', async () => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const folder = await anna.create()
    await folder.write('other', '1')
    await folder.write('d/f', 'one')
    await folder.write('other', '2')
    await folder.write('d/f', 'two')
    await folder.edit({ kind: 'remove', path: parsePath('d') })
    await folder.write('other', '3')
    const versions = await grid.run(() => collect(folder.writer.historyOf(parsePath('d/f'))))
    const texts = versions.map(({ shown }) =>
      shown?.entry.kind === 'literal' ? new TextDecoder().decode(shown.entry.bytes) : undefined,
    )
    expect(texts).toEqual([undefined, 'two', 'one'])
    expect(versions.map(({ timeMs }) => timeMs)).toEqual(
      versions.map(({ timeMs }) => timeMs).toSorted((a, b) => b - a),
    )
  })

  it('comes back: a file, a directory, all of it, what is gone; and no content moves', async () => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const folder = await anna.create()
    await folder.store('d/large', someBytes(100_000))
    await folder.edit(putText('d/small', 'small'), putText('top', 'top'), putText('file', 'x'))
    const thenMs = await folder.nowMs()
    const before = await folder.paths()
    await folder.edit(
      { kind: 'remove', path: parsePath('d') },
      { kind: 'remove', path: parsePath('file') },
      putText('d', 'a file now'),
      putText('top', 'changed'),
      putText('new', 'x'),
      putText('file/below', 'x'),
    )
    await anna.settle()
    const { result, traffic } = await grid.measure(() =>
      grid.run(() => folder.writer.restore(parsePath('d'), thenMs)),
    )
    expect(result.durability).toBe('durable')
    // Root, history, and the directory's own node, as two commits had written it: what is in it is there.
    expect(traffic.byOp()['put']).toBe(30)
    expect(await bytesAt(anna, await folder.view(), 'd/large')).toEqual(someBytes(100_000))
    expect(await folder.text('top')).toBe('changed')
    await grid.run(() => folder.writer.restore([], thenMs))
    expect(await folder.paths()).toEqual(before)
    expect(await folder.text('top')).toBe('top')
    expect(await folder.text('file')).toBe('x')
    const again = await grid.run(() => folder.writer.restore(parsePath('top'), thenMs))
    expect(again.durability).toBe('unchanged')
    await folder.edit({ kind: 'remove', path: parsePath('d') })
    await grid.run(() => folder.writer.undelete(parsePath('d/small')))
    expect(await folder.text('d/small')).toBe('small')
    await expect(grid.run(() => folder.writer.undelete(parsePath('never')))).rejects.toMatchObject({
      code: 'path-not-found',
    })
    await expect(
      grid.run(() => folder.writer.restore(parsePath('new/never'), thenMs)),
    ).rejects.toMatchObject({ code: 'path-not-found' })
  })

  it('is frozen in snapshots, of the whole and of a part', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using anna = new FolderDevice(grid, 'Anna')
    await using bob = new FolderDevice(grid, 'Bob', { client: 1 })
    const folder = await anna.create()
    const many = Array.from({ length: 400 }, (_, at) => putText(`d/e/${at}`, `${at}`))
    await folder.edit(putText('a', '1'), putText('d/b', '2'), ...many)
    const whole = await grid.run(() => folder.writer.snapshot([]))
    // All of one commit, and stored without its dots.
    const uniform = await grid.run(() => folder.writer.snapshot(parsePath('d/e')))
    await folder.write('d/c', '3')
    const mixed = await grid.run(() => folder.writer.snapshot(parsePath('d')))
    await folder.edit({ kind: 'remove', path: parsePath('d') }, putText('a', 'changed'))
    const contents = []
    for (const capability of [whole, uniform, mixed]) {
      const view = await grid.run(() => bob.folders.open(capability))
      contents.push({ view, paths: await pathsOf(bob, view) })
    }
    const numbers = Array.from({ length: 400 }, (_, at) => `${at}`).sort()
    const below = numbers.map((number) => `e/${number}`)
    expect(contents[0]?.paths).toEqual([
      'a',
      'd',
      'd/b',
      'd/e',
      ...below.map((path) => `d/${path}`),
    ])
    expect(contents[1]?.paths).toEqual(numbers)
    expect(contents[2]?.paths).toEqual(['b', 'c', 'e', ...below])
    const bytes = await bytesAt(bob, contents[1]!.view, '399')
    expect(new TextDecoder().decode(bytes)).toBe('399')
    const { view } = contents[2]!
    const nested = await grid.run(() => view.capability(parsePath('e'), 'read'))
    expect(nested).toEqual(uniform)
    await expect(grid.run(() => view.capability([], 'write'))).rejects.toMatchObject({
      code: 'power-missing',
    })
  })
})

describe('a past that nodes which are away keep', () => {
  const grown = async (anna: FolderDevice) => {
    const folder = await anna.create()
    const times: number[] = []
    for (const text of ['first', 'second', 'third']) {
      await folder.write('f', text)
      times.push(await folder.nowMs())
    }
    await anna.settle()
    return { capability: folder.capability, times }
  }

  it('is not told to be none, nor is anything older restored in its place', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using anna = new FolderDevice(grid, 'Anna')
    await using bob = new FolderDevice(grid, 'Bob', { client: 1 })
    const { capability, times } = await grown(anna)
    const folder = await bob.open(capability)
    const lost = { code: 'not-enough-shares', mayComeBack: true }
    for (const node of grid.nodes.slice(2)) node.crash()
    for (const timeMs of times.slice(0, 2)) {
      await expect(grid.run(() => folder.writer.at(timeMs))).rejects.toMatchObject(lost)
      const restore = grid.run(() => folder.writer.restore(parsePath('f'), timeMs))
      await expect(restore).rejects.toMatchObject(lost)
    }
    await expect(grid.run(() => collect(folder.writer.history()))).rejects.toMatchObject(lost)
    for (const node of grid.nodes.slice(2)) await grid.run(() => node.start())
    await grid.run(() => folder.writer.restore(parsePath('f'), times[0]!))
    expect(await folder.text('f')).toBe('first')
  })

  it('ends where no node has it any more', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using anna = new FolderDevice(grid, 'Anna')
    await using bob = new FolderDevice(grid, 'Bob', { client: 1 })
    const { capability, times } = await grown(anna)
    // More than there were shares to lose are gone for good, and another node is away.
    for (const node of grid.nodes.slice(0, 8)) await grid.run(() => node.empty())
    grid.nodes[8]!.crash()
    await grid.run(() => anna.slots.repair(slotKeyOf(capability.writeKey)))
    const folder = await bob.open(capability)
    const commits = await grid.run(() => collect(folder.writer.history()))
    expect(commits.map(({ timeMs }) => timeMs <= times[2]!)).toEqual([true])
    await expect(grid.run(() => folder.writer.at(times[0]!))).rejects.toMatchObject({
      code: 'no-state-then',
    })
  })
})

it('an empty folder has a snapshot and a past like any other', async () => {
  await using grid = await testGrid({ clients: 2 })
  await using anna = new FolderDevice(grid, 'Anna')
  await using bob = new FolderDevice(grid, 'Bob', { client: 1 })
  const folder = await anna.create()
  const emptyMs = await folder.nowMs()
  const snapshot = await grid.run(() => folder.writer.snapshot([]))
  await folder.write('a', 'x')
  expect(await pathsOf(bob, await grid.run(() => bob.folders.open(snapshot)))).toEqual([])
  expect(await grid.run(() => folder.writer.restore([], emptyMs))).toMatchObject({ joined: 1 })
  expect(await folder.paths()).toEqual([])
  await folder.edit({ kind: 'make-directory', path: parsePath('d/e') })
  expect(await folder.paths()).toEqual(['d', 'd/e'])
  await folder.edit({ kind: 'remove', path: parsePath('d') })
  const commits = await grid.run(() => collect(folder.writer.history()))
  const paths = []
  for (const commit of commits) paths.push((await pathsOf(anna, commit.view())).join(' '))
  expect(paths).toEqual(['', 'd d/e', '', 'a', ''])
})

describe('retention', () => {
  const HOUR_MS = 3_600_000
  const DAY_MS = 24 * HOUR_MS
  const NOW_MS = Date.UTC(2026, 6, 15, 12, 30)
  const ages = fc.array(fc.nat({ max: 400 * DAY_MS }), { maxLength: 80 })

  it('keeps the newest, all of a day, and thins what is older to hours, days and months', () => {
    const every10Minutes = Array.from({ length: 6 * 24 * 400 }, (_, at) => NOW_MS - at * 600_000)
    const kept = keptCommits(every10Minutes, NOW_MS)
    const within = (fromDays: number, toDays: number): number =>
      kept.filter((timeMs) => {
        const age = NOW_MS - timeMs
        return age >= fromDays * DAY_MS && age < toDays * DAY_MS
      }).length
    expect(within(0, 1)).toBe(144)
    expect(within(1, 7)).toBe(144)
    expect(within(7, 30)).toBe(23)
    // The last days of July 2025 to May 2026.
    expect(within(30, 365)).toBe(11)
    expect(within(365, 500)).toBe(0)
    expect(keptCommits([NOW_MS - 1000 * DAY_MS], NOW_MS)).toHaveLength(1)
    expect(keptCommits([], NOW_MS)).toEqual([])
  })

  it('comes to the same when it is done often as when it is done once', () => {
    fc.assert(
      fc.property(ages, fc.nat({ max: 200 * DAY_MS }), (agesMs, laterMs) => {
        const times = agesMs.map((age) => NOW_MS - age)
        const once = keptCommits(times, NOW_MS + laterMs)
        const twice = keptCommits(keptCommits(times, NOW_MS), NOW_MS + laterMs)
        expect(twice).toEqual(once)
      }),
    )
  })

  it('never calls for what it has dropped, wherever its bounds cut through hours, days and months', () => {
    const bound = fc.constantFrom(1, 7, 30, 365)
    const close = fc.array(fc.integer({ min: -3 * HOUR_MS, max: 3 * HOUR_MS }), { maxLength: 8 })
    fc.assert(
      fc.property(bound, close, fc.nat({ max: 4 * HOUR_MS }), (days, offsets, laterMs) => {
        const times = offsets.map((offsetMs) => NOW_MS - days * DAY_MS + offsetMs)
        const before = new Set(keptCommits(times, NOW_MS))
        const after = keptCommits(times, NOW_MS + laterMs)
        expect(after.filter((timeMs) => !before.has(timeMs))).toEqual([])
      }),
    )
  })
})
