import { describe, expect, it } from 'vitest'
import { toRead } from '../../../src/capabilities/capability.ts'
import { slotWriteKey } from '../../../src/capabilities/slot-keys.ts'
import { parsePath } from '../../../src/folders/names.ts'
import { versionOf } from '../../../src/folders/service/shown-version.ts'
import { isSame } from '../../support/blocks.ts'
import { someBytes, testGrid } from '../../support/grid.ts'
import { bytesAt, collect, FolderDevice, pathsOf, putText } from './support.ts'

const ROUND_TRIP_MS = 2
const n = 10

describe('a folder', () => {
  it('shows everyone what was written, and readers with less', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using anna = new FolderDevice(grid, 'Anna')
    await using bob = new FolderDevice(grid, 'Bob', { client: 1 })
    const folder = await anna.create()
    expect(await folder.paths()).toEqual([])
    const result = await folder.edit(putText('a.txt', 'one'), putText('d/e/b.txt', 'two'))
    expect(result).toMatchObject({ durability: 'durable', joined: 1, conflicts: [] })
    const theirs = await bob.open(folder.capability)
    expect(await theirs.paths()).toEqual(['a.txt', 'd', 'd/e', 'd/e/b.txt'])
    expect(await theirs.text('d/e/b.txt')).toBe('two')
    await theirs.write('a.txt', 'changed')
    expect(await folder.text('a.txt')).toBe('changed')
    const reader = await bob.reader(toRead(folder.capability))
    const now = await grid.run(() => reader.now())
    expect(now).toMatchObject({ freshness: 'settled', states: 1 })
    expect(await pathsOf(bob, now)).toEqual(['a.txt', 'd', 'd/e', 'd/e/b.txt'])
    const root = await grid.run(() => now.stat([]))
    expect(root?.entry).toMatchObject({ kind: 'directory', totals: { files: 2, height: 2 } })
    expect(await grid.run(() => now.stat(parsePath('nothing/here')))).toBeUndefined()
    await expect(grid.run(() => now.list(parsePath('a.txt/b')))).rejects.toMatchObject({
      code: 'not-a-directory',
    })
  })

  it.each([0, 1_024, 1_025, 65_536, 65_537, 2 ** 20 + 1])(
    'gives back a file of %i bytes, whole and in part',
    async (size) => {
      await using grid = await testGrid()
      await using anna = new FolderDevice(grid, 'Anna')
      const folder = await anna.create()
      await folder.store('file', someBytes(size))
      const view = await folder.view()
      expect(isSame(await bytesAt(anna, view, 'file'), someBytes(size))).toBe(true)
      const shown = await grid.run(() => view.stat(parsePath('file')))
      expect(shown?.entry.kind).toBe(size <= 1024 ? 'literal' : 'file')
      const range = { offset: Math.floor(size / 2), length: 10 }
      const part = await grid.run(async () => {
        const { chunks } = await view.readFile(parsePath('file'), { range })
        return Buffer.concat(await collect(chunks))
      })
      expect(isSame(part, someBytes(size).subarray(range.offset, range.offset + 10))).toBe(true)
    },
  )

  it('is made where a capability was given and never written, and left alone elsewhere', async () => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const capability = { kind: 'folder-write' as const, writeKey: slotWriteKey(someBytes(32)) }
    const folder = await anna.open(capability)
    await expect(folder.paths()).rejects.toMatchObject({ code: 'folder-missing' })
    await expect(folder.write('a', 'x')).rejects.toMatchObject({ code: 'folder-missing' })
    await grid.run(() => anna.folders.ensure(capability))
    await folder.write('a', 'x')
    await grid.run(() => anna.folders.ensure(capability))
    expect(await folder.paths()).toEqual(['a'])
    expect(await grid.run(() => collect(folder.writer.history()))).toHaveLength(2)
  })

  it('commits all edits or none, and nothing where nothing changes', async () => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const folder = await anna.create()
    const removal = { kind: 'remove' as const, path: parsePath('nothing') }
    await expect(folder.edit(putText('a', 'x'), removal)).rejects.toMatchObject({
      code: 'path-not-found',
    })
    expect(await folder.paths()).toEqual([])
    expect(await folder.edit()).toMatchObject({ durability: 'unchanged' })
    const make = { kind: 'make-directory' as const, path: parsePath('d') }
    await folder.edit(make)
    expect(await folder.edit(make)).toMatchObject({ durability: 'unchanged' })
  })

  it('is not written by who expects something else', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using anna = new FolderDevice(grid, 'Anna')
    await using bob = new FolderDevice(grid, 'Bob', { client: 1 })
    const folder = await anna.create()
    const theirs = await bob.open(folder.capability)
    const path = parsePath('d/a')
    const missing = { ifUnchanged: [{ path, version: undefined }] }
    await folder.write('d/a', 'one', missing)
    await expect(theirs.write('d/a', 'two', missing)).rejects.toMatchObject({
      code: 'folder-changed',
      path: 'd/a',
    })
    const shown = await grid.run(async () => await (await theirs.writer.now()).stat(path))
    const seen = { ifUnchanged: [{ path, version: versionOf(shown!) }] }
    await theirs.write('other', 'does not matter')
    await folder.write('d/a', 'three', seen)
    await expect(theirs.write('d/a', 'four', seen)).rejects.toMatchObject({
      code: 'folder-changed',
    })
    // The same bytes put again are another version: somebody meant them to be there.
    await folder.write('d/a', 'three')
    expect(await folder.text('d/a')).toBe('three')
  })

  it('is watched', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using anna = new FolderDevice(grid, 'Anna')
    await using bob = new FolderDevice(grid, 'Bob', { client: 1 })
    const folder = await anna.create()
    const reader = await bob.reader(toRead(folder.capability))
    const stop = new AbortController()
    const seen = await grid.run(async () => {
      const names: string[] = []
      let number = 0
      for await (const view of reader.watch(stop.signal)) {
        names.push((await view.list([])).map(({ name }) => name).join(' '))
        if (++number === 3) stop.abort()
        else await folder.writer.edit([putText(`${number}`, 'x')])
      }
      return names
    })
    expect(seen).toEqual(['', '1', '1 2'])
  })
})

describe('what it costs', () => {
  it('to create one: a record, one round trip', async () => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const { traffic, tookMs } = await grid.measure(() => anna.create())
    expect(tookMs).toBe(ROUND_TRIP_MS)
    await anna.settle()
    expect(traffic.byOp()).toEqual({ 'slot-put': n })
  })

  it('to add a file to a folder of 1,000: nothing read, four blocks at once, then a record', async () => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const folder = await anna.create()
    await folder.edit(...Array.from({ length: 1000 }, (_, at) => putText(`f${at}`, `${at}`)))
    await folder.write('first', 'warm')
    await anna.settle()
    const { traffic, tookMs } = await grid.measure(() => folder.store('new', someBytes(4096)))
    // Content, leaf, root and history.
    expect(traffic.byOp()).toEqual({ put: 4 * n, 'slot-put': n })
    expect(tookMs).toBe(2 * ROUND_TRIP_MS)
  })

  it('to rename a directory: its parent alone', async () => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const folder = await anna.create()
    await folder.edit(...Array.from({ length: 1000 }, (_, at) => putText(`d/f${at}`, `${at}`)))
    await anna.settle()
    const { traffic } = await grid.measure(() =>
      folder.edit({ kind: 'move', from: parsePath('d'), to: parsePath('e') }),
    )
    // Root and history.
    expect(traffic.byOp()).toEqual({ put: 2 * n, 'slot-put': n })
    expect((await folder.paths()).length).toBe(1001)
  })
})
