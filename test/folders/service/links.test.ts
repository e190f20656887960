import { describe, expect, it } from 'vitest'
import { toRead, toVerify } from '../../../src/capabilities/capability.ts'
import { slotWriteKey, slotWriteKeys } from '../../../src/capabilities/slot-keys.ts'
import { parsePath } from '../../../src/folders/names.ts'
import { sealRecord } from '../../../src/grid/slots/seal.ts'
import { DEFAULT_LEASE_S } from '../../../src/protocol/limits.ts'
import { sourceOf } from '../../../simulations/bytes.ts'
import { someBytes, testGrid } from '../../support/grid.ts'
import { bytesAt, collect, FolderDevice, keysOf, pathsOf, putText } from './support.ts'

describe('a directory', () => {
  it('becomes a folder of its own in its place, with its contents where they are', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using anna = new FolderDevice(grid, 'Anna')
    await using bob = new FolderDevice(grid, 'Bob', { client: 1 })
    const folder = await anna.create()
    await folder.store('d/large', someBytes(3_000))
    const many = Array.from({ length: 1000 }, (_, at) => putText(`d/e/${at}`, `${at}`))
    await folder.edit(...many)
    const capability = await grid.run(() => folder.writer.promote(parsePath('d')))
    const view = await folder.view()
    const shown = await grid.run(() => view.stat(parsePath('d')))
    expect(shown?.entry.kind).toBe('linked-folder')
    expect(await grid.run(() => view.capability(parsePath('d'), 'write'))).toEqual(capability)
    const own = await bob.open(capability)
    expect((await own.paths()).length).toBe(1002)
    expect(await bytesAt(bob, await own.view(), 'large')).toEqual(someBytes(3_000))
    // What is written in either place is seen in both.
    await own.write('e/by Bob', 'x')
    const located = await grid.run(() => folder.writer.locate(parsePath('d/e')))
    expect(located).toMatchObject({ power: 'write', path: ['e'] })
    expect(await folder.text('d/e/by Bob')).toBe('x')
    const below = await grid.run(async () => await (await folder.writer.now()).list(parsePath('d')))
    expect(below.map(({ name }) => name)).toEqual(['e', 'large'])
  })

  it('that is promoted keeps the power to write what it links, at every depth', async () => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const folder = await anna.create()
    const target = await anna.create()
    await target.write('f', 'x')
    await folder.write('d/e/g', 'x')
    await grid.run(() => folder.writer.link(parsePath('d/e/link'), target.capability))
    const capability = await grid.run(() => folder.writer.promote(parsePath('d')))
    const own = await anna.open(capability)
    const view = await own.view()
    expect(await grid.run(() => view.capability(parsePath('e/link'), 'write'))).toEqual(
      target.capability,
    )
    expect(await folder.text('d/e/link/f')).toBe('x')
    const located = await grid.run(() => folder.writer.locate(parsePath('d/e/link/f')))
    expect(located).toMatchObject({ power: 'write', path: ['f'] })
  })

  it('that was promoted while somebody else worked in it loses nothing', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using anna = new FolderDevice(grid, 'Anna')
    await using bob = new FolderDevice(grid, 'Bob', { client: 1 })
    const folder = await anna.create()
    await folder.write('d/a', 'x')
    const theirs = await bob.open(folder.capability)
    await theirs.paths()
    await grid.run(async () => {
      await Promise.all([
        folder.writer.promote(parsePath('d')),
        theirs.writer.edit([putText('d/b', 'x')]).catch(() => undefined),
      ])
    })
    await theirs.write('other', 'x')
    const paths = await pathsOf(anna, await folder.view(), '', true)
    expect(paths.filter((path) => path.endsWith('/a'))).toHaveLength(1)
  })
})

describe('a link', () => {
  it('gives who may only read no more than that, all the way down', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using anna = new FolderDevice(grid, 'Anna')
    await using bob = new FolderDevice(grid, 'Bob', { client: 1 })
    const [top, middle, bottom] = [await anna.create(), await anna.create(), await anna.create()]
    await bottom.write('file', 'deep')
    await grid.run(() => middle.writer.link(parsePath('bottom'), bottom.capability))
    await grid.run(() => top.writer.link(parsePath('middle'), middle.capability))
    const path = parsePath('middle/bottom')
    const writer = await top.view()
    expect(await grid.run(() => writer.capability(path, 'write'))).toEqual(bottom.capability)
    const reader = await bob.reader(toRead(top.capability))
    const view = await grid.run(() => reader.now())
    const read = await grid.run(() => view.capability(path, 'read'))
    expect(read).toEqual(toRead(bottom.capability))
    const verify = await grid.run(() => view.capability(path, 'verify'))
    expect(verify).toEqual(toVerify(bottom.capability))
    await expect(grid.run(() => view.capability(path, 'write'))).rejects.toMatchObject({
      code: 'power-missing',
    })
    expect(await pathsOf(bob, view, '', true)).toEqual([
      'middle',
      'middle/bottom',
      'middle/bottom/file',
    ])
    expect(new TextDecoder().decode(await bytesAt(bob, view, 'middle/bottom/file'))).toBe('deep')
    const located = await grid.run(() => reader.locate(parsePath('middle/bottom/file')))
    expect(located).toMatchObject({ power: 'read', path: ['file'] })
  })

  it('given to read only is read only for who may write the folder, too', async () => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const [folder, target] = [await anna.create(), await anna.create()]
    await target.write('f', 'x')
    await grid.run(() => folder.writer.link(parsePath('l'), toRead(target.capability)))
    const view = await folder.view()
    await expect(grid.run(() => view.capability(parsePath('l'), 'write'))).rejects.toMatchObject({
      code: 'power-missing',
    })
    await expect(
      grid.run(() => folder.writer.restore(parsePath('l/f'), 1e15)),
    ).rejects.toMatchObject({ code: 'power-missing' })
  })

  it('does not let a client that was patched write with the power to read', async () => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const folder = await anna.create()
    const { readKey, slot } = toRead(folder.capability)
    const forger = slotWriteKeys(slotWriteKey(someBytes(32)))
    const record = sealRecord(
      { slot, readKey, sign: forger.sign },
      {
        contents: { kind: 'folder', parents: [] },
        clock: new Map([['ffffffffffffffff' as never, 1]]),
        expiresS: 0,
      },
      grid.world.randomness,
    )
    for (const node of grid.nodes) {
      const request = { op: 'slot-put' as const, record, leaseS: DEFAULT_LEASE_S }
      const { outcome } = await grid.run(() =>
        grid.world.client.endpoint.call<'slot-put'>(node.key, request),
      )
      expect(outcome).toBe('bad')
    }
    expect(await folder.paths()).toEqual([])
  })

  it('to a mutable file is read in its place and written where it is', async () => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const files = anna.own.openMutableFiles({ slots: anna.slots })
    const folder = await anna.create()
    const { capability } = await grid.run(() => files.create(sourceOf(someBytes(10))))
    await grid.run(() => folder.writer.link(parsePath('d/m'), capability))
    const view = await folder.view()
    const written = await grid.run(() => view.capability(parsePath('d/m'), 'write'))
    expect(written).toEqual(capability)
    await grid.run(() => files.write(capability, sourceOf(someBytes(20, 2))))
    expect(await bytesAt(anna, view, 'd/m')).toEqual(someBytes(20, 2))
  })

  it('that leads back is told, and no walk goes round', async () => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const [a, b] = [await anna.create(), await anna.create()]
    await a.write('f', 'x')
    await grid.run(() => a.writer.link(parsePath('d/b'), b.capability))
    await grid.run(() => b.writer.link(parsePath('a'), a.capability))
    const view = await a.view()
    await expect(grid.run(() => view.list(parsePath('d/b/a')))).rejects.toMatchObject({
      code: 'link-cycle',
      path: 'd/b/a',
    })
    await expect(pathsOf(anna, view, '', true)).rejects.toMatchObject({ code: 'link-cycle' })
    const skipped: string[] = []
    const found = await grid.run(() =>
      collect(view.walk([], { links: true, onUnreadable: (path) => skipped.push(path.join('/')) })),
    )
    expect(found.map(({ path }) => path.join('/'))).toEqual(['d', 'd/b', 'd/b/a', 'f'])
    expect(skipped).toEqual(['d/b/a'])
    expect((await grid.run(() => view.stat(parsePath('d/b/a'))))?.entry.kind).toBe('linked-folder')
  })

  it('shows a past as of the same time behind it', async () => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const [folder, target] = [await anna.create(), await anna.create()]
    await target.write('f', 'old')
    await grid.run(() => folder.writer.link(parsePath('l'), target.capability))
    const thenMs = await folder.nowMs()
    await target.write('f', 'new')
    const then = await grid.run(() => folder.writer.at(thenMs))
    expect(new TextDecoder().decode(await bytesAt(anna, then, 'l/f'))).toBe('old')
    expect(await folder.text('l/f')).toBe('new')
    const versions = await grid.run(() => collect(folder.writer.historyOf(parsePath('l/f'))))
    expect(versions).toHaveLength(2)
    await grid.run(() => folder.writer.restore(parsePath('l/f'), thenMs))
    expect(await target.text('f')).toBe('old')
  })
})

describe('capabilities of what is in a folder', () => {
  it('are of its kind, and no stronger than it can be', async () => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const folder = await anna.create()
    await folder.store('file', someBytes(5000))
    await folder.store('literal', someBytes(10))
    await folder.store('between', someBytes(1000))
    const target = { kind: 'symlink' as const, target: 'file', mtimeMs: 0 }
    await folder.edit({ kind: 'put', path: parsePath('link'), content: target })
    const view = await folder.view()
    const capability = async (path: string, power: 'read' | 'write' | 'verify'): Promise<unknown> =>
      await grid.run(() => view.capability(parsePath(path), power))
    const file = await grid.run(() => view.capability(parsePath('file'), 'read'))
    expect(file.kind === 'file-read' && (await grid.get(file))).toEqual(someBytes(5000))
    expect(await capability('file', 'verify')).toMatchObject({ kind: 'file-verify' })
    expect(await capability('literal', 'read')).toEqual({ kind: 'literal', bytes: someBytes(10) })
    expect(await capability('between', 'read')).toMatchObject({ kind: 'file-read' })
    expect(await capability('', 'write')).toEqual(folder.capability)
    expect(await capability('', 'read')).toEqual(toRead(folder.capability))
    expect(await capability('', 'verify')).toEqual(toVerify(folder.capability))
    for (const [path, power] of [
      ['file', 'write'],
      ['literal', 'verify'],
      ['link', 'read'],
    ] as const) {
      await expect(capability(path, power)).rejects.toMatchObject({ code: 'power-missing' })
    }
    await expect(bytesAt(anna, view, 'link')).rejects.toMatchObject({ code: 'not-a-file' })
    expect(keysOf(folder.capability).slot).toEqual(toRead(folder.capability).slot)
  })
})
