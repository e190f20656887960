import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../src/foundation/bytes.ts'
import type { TagHex } from '../../src/protocol/version-vector.ts'
import type { NewVersion } from '../../src/folders/commit/edits.ts'
import type { LiteralEntry } from '../../src/folders/entry.ts'
import { mergeStates } from '../../src/folders/merge.ts'
import { checkName, parsePath } from '../../src/folders/names.ts'
import { copyName } from '../../src/folders/projection.ts'
import { measureDirectory, statPath } from '../../src/folders/read.ts'
import type { FolderState } from '../../src/folders/state.ts'
import { names } from './tree/arbitraries.ts'
import { ANNA, Bench, BOB, CARL, fileOf, mkdir, move, NOON_MS, put, remove } from './support.ts'

const OF_ANNA = 'a (conflict Anna 2026-05-06 120000).txt'
const OF_BOB = 'a (conflict Bob 2026-05-06 120001).txt'

/** a.txt by Anna, a second later by Bob, another later by Carl, none knowing of the others. */
async function conflict(bench: Bench, ...others: ReturnType<typeof put>[]): Promise<FolderState> {
  const base = await bench.commit(await bench.empty(), ANNA, put('b'), ...others)
  return await mergeStates(
    bench.store,
    await Promise.all(
      [ANNA, BOB, CARL].map(async (who, at) => {
        return await bench.commit(base, who, put('a.txt', who.device, NOON_MS + at * 1000))
      }),
    ),
  )
}

describe('conflict copies', () => {
  it('stand beside the newest, each with a name of its own', async () => {
    const bench = new Bench()
    const state = await conflict(bench)
    expect(await bench.names(state)).toEqual([OF_ANNA, OF_BOB, 'a.txt', 'b'])
    expect(await measureDirectory(bench.store, state, [])).toMatchObject({ files: 4, copies: 2 })
    const copy = await statPath(bench.store, state, parsePath(OF_BOB))
    expect(copy).toMatchObject({ copyOf: 'a.txt', entry: { device: 'Bob', name: 'a.txt' } })
  })

  it('make way for entries that have such names', async () => {
    const bench = new Bench()
    const state = await conflict(bench, put(OF_ANNA, 'taken'))
    const second = 'a (conflict Anna 2026-05-06 120000 2).txt'
    expect(await bench.names(state)).toEqual([second, OF_ANNA, OF_BOB, 'a.txt', 'b'])
    const entry = await statPath(bench.store, state, parsePath(second))
    expect(entry).toMatchObject({ copyOf: 'a.txt', entry: { device: 'Anna' } })
  })

  it('go when they are removed, and leave the others', async () => {
    const bench = new Bench()
    const state = await bench.commit(await conflict(bench), BOB, remove(OF_ANNA))
    expect(await bench.names(state)).toEqual([OF_BOB, 'a.txt', 'b'])
    expect(await statPath(bench.store, state, parsePath(OF_BOB))).toMatchObject({ copyOf: 'a.txt' })
  })

  it('become ordinary files when they are edited', async () => {
    const bench = new Bench()
    const state = await bench.commit(await conflict(bench), BOB, put(OF_ANNA, 'mine', NOON_MS))
    expect(await bench.names(state)).toEqual([OF_ANNA, OF_BOB, 'a.txt', 'b'])
    const [edited] = await bench.list(state)
    expect(edited).toMatchObject({ name: OF_ANNA, entry: { name: OF_ANNA, device: 'Bob' } })
    expect(edited?.copyOf).toBeUndefined()
  })

  it.each([
    ['edited', put('a.txt', 'settled'), [OF_ANNA, OF_BOB, 'a.txt', 'b']],
    ['removed', remove('a.txt'), [OF_ANNA, OF_BOB, 'b']],
    ['renamed', move('a.txt', 'c'), [OF_ANNA, OF_BOB, 'b', 'c']],
  ])('become ordinary files when the name is %s', async (_, edit, names) => {
    const bench = new Bench()
    const state = await bench.commit(await conflict(bench), BOB, edit)
    expect(await bench.names(state)).toEqual(names)
    expect((await bench.list(state)).every(({ copyOf }) => copyOf === undefined)).toBe(true)
    expect(await measureDirectory(bench.store, state, [])).toMatchObject({ copies: 0 })
  })

  it('stay versions of the name if the edit says what it replaces', async () => {
    const bench = new Bench()
    const state = await conflict(bench)
    const shown = await statPath(bench.store, state, parsePath('a.txt'))
    const [[tag, counter]] = [...shown!.entry.dots] as [[TagHex, number]]
    const content = fileOf('next', NOON_MS + 9000)
    const path = parsePath('a.txt')
    const edit = { kind: 'put' as const, path, content, replaces: [{ tag, counter }] }
    const next = await bench.commit(state, CARL, edit)
    expect(await bench.names(next)).toEqual([OF_ANNA, OF_BOB, 'a.txt', 'b'])
    const copies = (await bench.list(next)).filter(({ copyOf }) => copyOf !== undefined)
    expect(copies).toHaveLength(2)
  })

  it('go with all that is shown of them, however often one writer put the same', async () => {
    const bench = new Bench()
    const path = parsePath('a.txt')
    const isExecutable = true
    const again = { kind: 'put' as const, path, replaces: [] }
    const state = await bench.commit(
      await bench.commit(await conflict(bench), ANNA, {
        ...again,
        content: fileOf('Anna', NOON_MS + 9000),
      }),
      ANNA,
      { ...again, content: { ...fileOf('Anna', NOON_MS + 9000), isExecutable } as NewVersion },
    )
    const shown = await statPath(bench.store, state, path)
    expect(shown).toMatchObject({ entry: { device: 'Anna', isExecutable } })
    const replaces = [...shown!.dots].map(([tag, counter]) => ({ tag, counter }))
    const without = await bench.commit(state, BOB, { kind: 'remove', path, replaces })
    expect(await bench.names(without)).toEqual([OF_BOB, 'a.txt', 'b'])
  })

  it('leave the name to a directory', async () => {
    const bench = new Bench()
    const base = await bench.empty()
    const anna = await bench.commit(base, ANNA, put('x', 'file'))
    const bob = await bench.commit(base, BOB, put('x/inside'))
    const state = await mergeStates(bench.store, [anna, bob])
    const copy = 'x (conflict Anna 2026-05-06 120000)'
    expect(await bench.paths(state)).toEqual(['x', 'x/inside', copy])
    const without = await bench.commit(state, CARL, remove('x'))
    expect(await bench.paths(without)).toEqual([copy])
  })

  it('do not come of sequential use, whoever does it', async () => {
    const who = fc.constantFrom(ANNA, BOB, CARL)
    const edit = fc.oneof(
      fc
        .tuple(fc.constantFrom('a', 'b', 'd/a'), fc.string(), fc.nat())
        .map(([path, text, ms]) => put(path, text, ms)),
      fc.constantFrom(remove('a'), remove('d'), move('a', 'c'), move('d', 'e'), mkdir('f')),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(who, edit), { maxLength: 20 }), async (steps) => {
        const bench = new Bench()
        let latest = await bench.empty()
        for (const [who, edit] of steps) {
          const before = latest
          latest = await bench.commit(latest, who, edit).catch(() => before)
          // Someone is late and merges what the latest has seen.
          latest = await mergeStates(bench.store, [before, latest])
          expect(await measureDirectory(bench.store, latest, [])).toMatchObject({ copies: 0 })
        }
      }),
      { numRuns: 50 },
    )
  })

  it('cannot be told from files by name alone, and may be many', async () => {
    const bench = new Bench()
    const many = Array.from({ length: 600 }, (_, at) => `${at}`)
    const base = await bench.empty()
    const both = [ANNA, BOB].map(async (who) => {
      return await bench.commit(base, who, ...many.map((name) => put(name, who.device + name)))
    })
    const state = await mergeStates(bench.store, await Promise.all(both))
    const shown = await bench.names(state)
    expect(new Set(shown).size).toBe(1200)
    expect(await measureDirectory(bench.store, state, [])).toMatchObject({
      files: 1200,
      copies: 600,
    })
  })
})

describe('the name of a copy', () => {
  const version = (name: string, device = 'Anna', mtimeMs = NOON_MS): LiteralEntry => ({
    kind: 'literal',
    name: checkName(name),
    dots: new Map(),
    device,
    mtimeMs,
    bytes: new Uint8Array(0),
    isExecutable: false,
  })

  it.each([
    ['a.txt', 'a (conflict Anna 2026-05-06 120000).txt'],
    ['a.tar.gz', 'a.tar (conflict Anna 2026-05-06 120000).gz'],
    ['.profile', '.profile (conflict Anna 2026-05-06 120000)'],
    ['no extension', 'no extension (conflict Anna 2026-05-06 120000)'],
    ['Dear A. I write', 'Dear A. I write (conflict Anna 2026-05-06 120000)'],
    ['a.', 'a. (conflict Anna 2026-05-06 120000)'],
  ])('of %s is %s', (name, copy) => {
    expect(copyName(version(name), 1)).toBe(copy)
  })

  it('needs no device, and copes with any time', () => {
    expect(copyName(version('a', ''), 2)).toBe('a (conflict 2026-05-06 120000 2)')
    expect(copyName(version('a', '', -62_135_596_800_000), 1)).toBe(
      'a (conflict 0001-01-01 000000)',
    )
    expect(copyName(version('a', '', 253_402_300_799_999), 1)).toBe(
      'a (conflict 9999-12-31 235959)',
    )
  })

  it('is a name, also of long ones, and another for each number', () => {
    const long = fc
      .tuple(
        fc.constantFrom('x', 'ä', '水', '\u{1f600}', 'e\u0301\u0323'),
        fc.integer({ min: 1, max: 80 }),
      )
      .map(([unit, times]) => unit.normalize('NFC').repeat(times))
      .filter((name) => utf8(name).length <= 255)
    fc.assert(
      fc.property(fc.oneof(names, long), fc.integer({ min: 1, max: 999 }), (name, number) => {
        const copy = copyName(version(name, 'x'.repeat(32)), number)
        expect(checkName(copy)).toBe(copy)
        expect(copyName(version(name, 'x'.repeat(32)), number + 1)).not.toBe(copy)
      }),
    )
  })
})
