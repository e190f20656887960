import { describe, expect, it } from 'vitest'
import { slotKey } from '../../src/protocol/slot-key.ts'
import type { Edit } from '../../src/folders/commit/edits.ts'
import { listDirectory, measureDirectory, statPath } from '../../src/folders/read.ts'
import { parsePath } from '../../src/folders/names.ts'
import { ANNA, Bench, BOB, fileOf, mkdir, move, NOON_MS, put, remove, rootOf } from './support.ts'

describe('a commit', () => {
  it('has one dot for all that it puts, the tag’s next', async () => {
    const bench = new Bench()
    const one = await bench.commit(await bench.empty(), ANNA, put('a'), put('d/b'))
    const two = await bench.commit(one, ANNA, put('c'))
    expect([...two.clock]).toEqual([[ANNA.tag, 2]])
    const dots = (await bench.list(two)).map(({ name, entry }) => [name, [...entry.dots.values()]])
    expect(dots).toEqual([
      ['a', [1]],
      ['c', [2]],
      ['d', [1]],
    ])
    const other = await bench.commit(two, BOB, put('e'))
    expect(other.clock).toEqual(new Map([...two.clock, [BOB.tag, 1]]))
  })

  it('applies its edits one after another', async () => {
    const bench = new Bench()
    const base = await bench.commit(await bench.empty(), ANNA, put('a', '1'), put('b', '2'))
    const swapped = await bench.commit(base, ANNA, move('a', 't'), move('b', 'a'), move('t', 'b'))
    const sizes = (await bench.list(swapped)).map(({ name, entry }) => [name, keyOf(entry)])
    const before = (await bench.list(base)).map(({ name, entry }) => [name, keyOf(entry)])
    expect(sizes).toEqual([
      ['a', before[1]![1]],
      ['b', before[0]![1]],
    ])
    const chain = await bench.commit(
      base,
      ANNA,
      mkdir('d/e'),
      move('a', 'd/e/a'),
      move('d', 'f'),
      put('f/e/x'),
      { kind: 'copy', from: parsePath('f/e'), to: parsePath('g') },
      remove('f/e/a'),
      put('d'),
    )
    expect(await bench.paths(chain)).toEqual(['b', 'd', 'f', 'f/e', 'f/e/x', 'g', 'g/a', 'g/x'])
  })

  it('does not change with the memory that it was given', async () => {
    const bench = new Bench()
    const [bytes, extension] = [Buffer.from('right'), Buffer.from([0xa1, 0x00, 0x00])]
    const content = { kind: 'literal' as const, bytes, extension, mtimeMs: NOON_MS }
    const path = parsePath('a')
    const one = await bench.commit(await bench.empty(), ANNA, { kind: 'put', path, content })
    bytes.fill(0)
    extension.fill(1)
    const two = await bench.commit(one, ANNA, put('b'))
    const shown = await bench.list(two)
    expect(shown.map(({ name }) => name)).toEqual(['a', 'b'])
    expect(shown[0]?.entry).toMatchObject({
      bytes: new Uint8Array(Buffer.from('right')),
      extension: Uint8Array.of(0xa1, 0x00, 0x00),
    })
  })

  it('changes nothing if one of its edits cannot be', async () => {
    const bench = new Bench()
    const base = await bench.commit(await bench.empty(), ANNA, put('a'), put('d/b'))
    await expect(bench.commit(base, ANNA, put('x'), remove('nothing'))).rejects.toMatchObject({
      code: 'path-not-found',
      path: 'nothing',
    })
    expect(await bench.names(base)).toEqual(['a', 'd'])
    expect(await bench.commit(base, ANNA)).toBe(base)
  })

  it('keeps the directory that a file was removed from', async () => {
    const bench = new Bench()
    const base = await bench.commit(await bench.empty(), ANNA, put('d/e/f'))
    expect(await bench.paths(await bench.commit(base, ANNA, remove('d/e/f')))).toEqual(['d', 'd/e'])
  })

  const file = parsePath('file')
  const directory = parsePath('directory')
  it.each<[string, Edit, string]>([
    ['a file below a file', put('file/x'), 'not-a-directory'],
    ['a directory for a file', mkdir('file'), 'not-a-directory'],
    ['a file for a directory', put('directory'), 'is-a-directory'],
    ['a move onto a directory', move('file', 'directory'), 'is-a-directory'],
    ['a move of nothing', move('nothing', 'x'), 'path-not-found'],
    ['a move into itself', move('directory', 'directory/inside/x'), 'into-itself'],
    ['a removal below a file', remove('file/x'), 'not-a-directory'],
    ['a removal below nothing', remove('nothing/x'), 'path-not-found'],
    ['a time for a directory', { kind: 'set', path: directory, mtimeMs: 1 }, 'is-a-directory'],
    ['a removal of the folder', remove(''), 'name-invalid'],
    ['a bad name', { kind: 'put', path: ['..' as never], content: fileOf('x') }, 'name-invalid'],
    ['a decomposed name', { kind: 'make-directory', path: ['a\u0308' as never] }, 'name-invalid'],
    [
      'a literal of more than 1 KiB',
      {
        kind: 'put',
        path: file,
        content: { kind: 'literal', bytes: new Uint8Array(1025), mtimeMs: 0 },
      },
      'entry-too-large',
    ],
    [
      'a link to more than 1 KiB',
      {
        kind: 'put',
        path: file,
        content: { kind: 'symlink', target: 'x'.repeat(1025), mtimeMs: 0 },
      },
      'entry-too-large',
    ],
  ])('refuses %s', async (_, edit, code) => {
    const bench = new Bench()
    const base = await bench.commit(await bench.empty(), ANNA, put('file'), put('directory/inside'))
    await expect(bench.commit(base, ANNA, edit)).rejects.toMatchObject({ code })
  })

  it('bounds how deep directories go, by paths and by moves', async () => {
    const bench = new Bench()
    const deep = (count: number, name: string): string =>
      Array.from({ length: count }, () => name).join('/')
    const base = await bench.commit(
      await bench.empty(),
      ANNA,
      mkdir(deep(255, 'd')),
      mkdir(deep(2, 'e')),
    )
    expect(await measureDirectory(bench.store, base, [])).toMatchObject({ height: 255 })
    await expect(bench.commit(base, ANNA, move('d', 'e/e/d'))).rejects.toMatchObject({
      code: 'path-too-deep',
    })
    const long = Array.from({ length: 256 }, () => 'd')
    const edit = { kind: 'make-directory' as const, path: long as never }
    await expect(bench.commit(base, ANNA, edit)).rejects.toMatchObject({ code: 'path-too-deep' })
  })

  it('keeps every kind of content', async () => {
    const bench = new Bench()
    const key = new Uint8Array(32).fill(5)
    const linked = {
      slot: slotKey(new Uint8Array(32).fill(6)),
      readKey: key,
      verifyKey: key,
      sealedWriteKey: new Uint8Array(72).fill(7),
      lastSeen: new Map([[ANNA.tag, 3]]),
      mtimeMs: NOON_MS,
    }
    const contents = [
      {
        kind: 'literal' as const,
        bytes: new Uint8Array(1024).fill(1),
        mtimeMs: NOON_MS,
        isExecutable: true,
      },
      { kind: 'symlink' as const, target: '../x', mtimeMs: -1 },
      { kind: 'linked-folder' as const, ...linked },
      { kind: 'linked-file' as const, ...linked },
      { ...fileOf('x'), isExecutable: true },
    ]
    const edits = contents.map((content, at) => ({
      kind: 'put' as const,
      path: parsePath(`${at}`),
      content,
    }))
    const state = await bench.commit(await bench.empty(), ANNA, ...edits)
    const listed = await bench.list(state)
    contents.forEach((content, at) => expect(listed[at]?.entry).toMatchObject(content))
    expect(await measureDirectory(bench.store, state, [])).toMatchObject({
      files: 5,
      sizeBytes: 1025,
    })
    // Moved, they are the same.
    const moved = await bench.commit(
      state,
      BOB,
      ...contents.map((_, at) => move(`${at}`, `d/${at}`)),
    )
    const again = await bench.list(moved, 'd')
    contents.forEach((content, at) => expect(again[at]?.entry).toMatchObject(content))
  })

  it('sets what it is asked to, and nothing else', async () => {
    const bench = new Bench()
    const base = await bench.commit(await bench.empty(), ANNA, put('a'))
    const edit = { kind: 'set' as const, path: parsePath('a'), isExecutable: true }
    const [before] = await bench.list(base)
    const [after] = await bench.list(await bench.commit(base, BOB, edit))
    const dots = new Map([[BOB.tag, 1]])
    expect(after).toEqual({
      ...before,
      dots,
      entry: { ...before!.entry, isExecutable: true, dots },
    })
  })

  it('puts a directory of an earlier state back', async () => {
    const bench = new Bench()
    const old = await bench.commit(await bench.empty(), ANNA, put('d/e/f'), put('d/g'))
    const { entry } = (await statPath(bench.store, old, parsePath('d')))!
    if (entry.kind !== 'directory') throw new Error('d is a directory')
    const gone = await bench.commit(old, BOB, remove('d'), put('x'))
    const content = { kind: 'directory' as const, directory: entry }
    const path = parsePath('restored/d')
    const { gets } = await bench.store.count(async () => {
      const state = await bench.commit(gone, BOB, { kind: 'put', path, content })
      expect(await bench.paths(state)).toEqual([
        'restored',
        'restored/d',
        'restored/d/e',
        'restored/d/e/f',
        'restored/d/g',
        'x',
      ])
    })
    expect(gets).toBeLessThan(10)
  })
})

describe('reading', () => {
  it('tells what is not there from what cannot be', async () => {
    const bench = new Bench()
    const state = await bench.commit(await bench.empty(), ANNA, put('f'), put('d/g'))
    const stat = async (path: string): Promise<unknown> =>
      await statPath(bench.store, state, parsePath(path))
    expect(await stat('x')).toBeUndefined()
    expect(await stat('x/y/z')).toBeUndefined()
    expect(await stat('d/g')).toMatchObject({ name: 'g', entry: { kind: 'file' } })
    await expect(stat('f/g')).rejects.toMatchObject({ code: 'not-a-directory' })
    const list = async (path: string): Promise<unknown> =>
      await listDirectory(bench.store, state, parsePath(path))
    await expect(list('x')).rejects.toMatchObject({ code: 'path-not-found' })
    await expect(list('f')).rejects.toMatchObject({ code: 'not-a-directory' })
  })

  it('knows sizes without reading what has them', async () => {
    const bench = new Bench()
    const many = Array.from({ length: 2000 }, (_, at) => put(`d/e/${at}`, '12345'))
    const state = await bench.commit(await bench.empty(), ANNA, ...many, put('f', '1'))
    const { gets } = await bench.store.count(async () => {
      const measure = await measureDirectory(bench.store, state, [])
      expect(measure).toEqual({
        files: 2001,
        copies: 0,
        sizeBytes: 10_001,
        newestMs: NOON_MS,
        height: 2,
      })
    })
    expect(gets).toBe(1)
    const below = await measureDirectory(bench.store, state, parsePath('d'))
    expect(below).toMatchObject({ files: 2000, sizeBytes: 10_000, height: 1 })
  })

  it('gives equal states equal roots', async () => {
    const bench = new Bench()
    const one = await bench.commit(await bench.empty(), ANNA, put('a'), put('b'))
    const two = await bench.commit(await bench.empty(), ANNA, put('b'), put('a'))
    expect(rootOf(one)).toBe(rootOf(two))
  })
})

function keyOf(entry: object): unknown {
  return 'reference' in entry ? (entry.reference as { key: unknown }).key : undefined
}
