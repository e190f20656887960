import { describe, expect, it } from 'vitest'
import type { FolderWriteCapability } from '../../../src/capabilities/capability.ts'
import { slotWriteKey } from '../../../src/capabilities/slot-keys.ts'
import { utf8 } from '../../../src/foundation/bytes.ts'
import { checkName, parsePath } from '../../../src/folders/names.ts'
import { singleDot } from '../../../src/folders/dots.ts'
import { emptyState } from '../../../src/folders/state.ts'
import { encodeLeaf } from '../../../src/folders/tree/node-codec.ts'
import { linkTo } from '../../../src/folders/service/links.ts'
import { KIND_DATA, KIND_LEAF, type BlockFrame } from '../../../src/grid/blocks/frame.ts'
import type { SlotContents } from '../../../src/grid/slots/contents.ts'
import type { TagHex } from '../../../src/protocol/version-vector.ts'
import { someBytes, testGrid } from '../../support/grid.ts'
import { bytesAt, FolderDevice, keysOf, putText } from './support.ts'

const TAG = 'aaaaaaaaaaaaaaaa' as TagHex

/** Writes a state that no conforming client makes, with the power to write. */
async function plant(
  device: FolderDevice,
  { writeKey }: FolderWriteCapability,
  root: BlockFrame | undefined,
  rest: Partial<SlotContents> = {},
): Promise<void> {
  const keys = keysOf({ kind: 'folder-write', writeKey })
  await device.run(async () => {
    await using store = device.own.openBlockStore({ convergence: keys.convergence })
    const reference = root && (await store.put(root))
    await store.flush()
    await store.settle()
    await device.slots.write(keys, () => ({
      contents: { kind: 'folder', parents: [], root: reference, ...rest },
    }))
  })
}

const LEAF: BlockFrame = { kind: KIND_LEAF, level: 0, links: [], content: utf8('no node at all') }
const hostile: [string, BlockFrame | undefined][] = [
  ['noise in place of a node', LEAF],
  ['a file', { ...LEAF, kind: KIND_DATA }],
  ['a node at another depth', { ...LEAF, level: 4 }],
  ['a branch without children', { kind: 2, level: 0, links: [], content: new Uint8Array(1) }],
  ['dots left out at the top', { ...LEAF, content: new Uint8Array([1]) }],
]

describe('a folder that its writer broke', () => {
  it.each(hostile)('with %s is told from one that is away', async (_, root) => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const folder = await anna.create()
    await folder.write('a', 'x')
    const beforeMs = await folder.nowMs()
    await plant(anna, folder.capability, root)
    const broken = { code: 'folder-broken' }
    await expect(folder.paths()).rejects.toMatchObject(broken)
    await expect(folder.write('b', 'x')).rejects.toMatchObject(broken)
    await expect(
      grid.run(async () => await (await folder.writer.now()).stat(parsePath('a'))),
    ).rejects.toMatchObject(broken)
    expect(beforeMs).toBeGreaterThan(0)
  })

  it('is none where its slot holds something else, and what makes no sense beside it is left out', async () => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const capability = { kind: 'folder-write' as const, writeKey: slotWriteKey(someBytes(32)) }
    await plant(anna, capability, { ...LEAF, kind: KIND_DATA }, { kind: 'file', sizeBytes: 14 })
    const folder = await anna.open(capability)
    await expect(folder.paths()).rejects.toMatchObject({ code: 'folder-missing' })
    await expect(folder.write('a', 'x')).rejects.toMatchObject({ code: 'folder-missing' })
  })

  it('cannot give more power than it has by a write key that was sealed elsewhere', async () => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const [folder, other, target] = [await anna.create(), await anna.create(), await anna.create()]
    await target.write('f', 'x')
    const { childrenKey } = keysOf(other.capability)
    const content = linkTo(target.capability, { childrenKey, mtimeMs: 0 })
    await folder.edit({ kind: 'put', path: parsePath('l'), content })
    const view = await folder.view()
    await expect(grid.run(() => view.capability(parsePath('l'), 'write'))).rejects.toMatchObject({
      code: 'power-missing',
    })
    expect(await folder.text('l/f')).toBe('x')
  })

  it('does not give out a file as another size than it shows', async () => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const folder = await anna.create()
    await folder.store('f', someBytes(2000))
    const view = await folder.view()
    const shown = await grid.run(() => view.stat(parsePath('f')))
    const { entry } = shown!
    const dots = singleDot({ tag: TAG, counter: 1 })
    const name = checkName('f')
    const leaf =
      entry.kind === 'file'
        ? encodeLeaf([{ ...entry, name, dots, sizeBytes: 5 }], '', 'full')
        : LEAF
    await plant(anna, folder.capability, leaf)
    await expect(bytesAt(anna, await folder.view(), 'f')).rejects.toMatchObject({
      code: 'folder-broken',
    })
  })

  it('is not taken for a directory to put in another folder', async () => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const folder = await anna.create()
    await folder.store('f', someBytes(2000))
    await folder.edit(putText('d/a', 'x'))
    const view = await folder.view()
    const directory = (await grid.run(() => view.stat(parsePath('d'))))!.entry
    const file = (await grid.run(() => view.stat(parsePath('f'))))!.entry
    if (directory.kind !== 'directory' || file.kind !== 'file') throw new TypeError('as put')
    const { reference, verifyKey } = file
    const content = {
      kind: 'directory' as const,
      directory: { ...directory, reference, verifyKey },
    }
    await expect(folder.edit({ kind: 'put', path: parsePath('e'), content })).rejects.toMatchObject(
      { code: 'folder-broken' },
    )
  })
})

describe('nodes that show an older state of a folder', () => {
  it('are told of, by what this device remembers and by what a link does', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using anna = new FolderDevice(grid, 'Anna')
    await using bob = new FolderDevice(grid, 'Bob', { client: 1 })
    const folder = await anna.create()
    await folder.write('d/a', 'x')
    await grid.run(() => folder.writer.promote(parsePath('d')))
    const theirs = await bob.open(folder.capability)
    expect(await theirs.text('d/a')).toBe('x')
    expect(bob.events).toEqual([])
    // A link that says its writer had seen more than nodes show now.
    const view = await folder.view()
    const shown = await grid.run(() => view.stat(parsePath('d')))
    const { entry } = shown!
    if (entry.kind !== 'linked-folder') throw new TypeError('as promoted')
    const lastSeen = new Map([...(entry.lastSeen ?? []), [TAG, 3] as const])
    await folder.edit({
      kind: 'put',
      path: parsePath('d'),
      content: { ...entry, kind: 'linked-folder', lastSeen },
    })
    await theirs.text('d/a')
    expect(bob.events).toMatchObject([{ kind: 'rollback', missing: new Map([[TAG, 3]]) }])
  })
})

it('makes the same empty root for everyone who has the same secret', async () => {
  await using grid = await testGrid()
  await using anna = new FolderDevice(grid, 'Anna')
  const { convergence } = keysOf({ kind: 'folder-write', writeKey: slotWriteKey(someBytes(32)) })
  const roots = await grid.run(async () => {
    await using one = anna.own.openBlockStore({ convergence })
    await using other = anna.own.openBlockStore({ convergence })
    const states = [await emptyState(one), await emptyState(other)]
    await one.settle()
    await other.settle()
    return states.map(({ root }) => root)
  })
  expect(roots[0]).toEqual(roots[1])
})
