import { describe, expect, it } from 'vitest'
import type { Directory } from '../../src/folders/entry.ts'
import { mergeStates } from '../../src/folders/merge.ts'
import { parsePath } from '../../src/folders/names.ts'
import { listDirectory, statPath } from '../../src/folders/read.ts'
import type { FolderState } from '../../src/folders/state.ts'
import { directoryOfRoot, promoteDirectory } from '../../src/folders/transplant.ts'
import { ANNA, Bench, BOB, put } from './support.ts'

async function directoryAt(bench: Bench, state: FolderState, path: string): Promise<Directory> {
  const { entry } = (await statPath(bench.store, state, parsePath(path)))!
  if (entry.kind !== 'directory') throw new Error(`${path} is a directory`)
  return entry
}

describe.each([
  ['few', 3],
  ['many', 1500],
])('a directory of %s files', (_, count) => {
  const files = Array.from({ length: count }, (_, at) => put(`d/sub/${at}`))

  it('becomes a folder of its own', async () => {
    const bench = new Bench()
    const base = await bench.commit(await bench.empty(), ANNA, ...files, put('x'))
    const state = await bench.commit(base, BOB, put('d/y'))
    const dot = { tag: BOB.tag, counter: 1 }
    const directory = await directoryAt(bench, state, 'd')
    const folder = await promoteDirectory(bench.store, directory, dot)
    expect([...folder.clock]).toEqual([[BOB.tag, 1]])
    expect(await bench.names(folder)).toEqual(['sub', 'y'])
    // It can be changed and merged like any other.
    const anna = await bench.commit(folder, ANNA, put('sub/new'))
    const bob = await bench.commit(folder, BOB, put('sub/0', 'edited'))
    const merged = await mergeStates(bench.store, [anna, bob])
    expect(await bench.names(merged, 'sub')).toHaveLength(count + 1)
  })

  it('can be read frozen, by its reference alone', async () => {
    const bench = new Bench()
    const one = await bench.commit(await bench.empty(), ANNA, ...files)
    // Of one commit, and of two: without dots and with them.
    for (const state of [one, await bench.commit(one, BOB, put('d/sub/z'))]) {
      const { reference } = await directoryAt(bench, state, 'd')
      const frozen = { root: reference, isFrozen: true }
      const listed = await listDirectory(bench.store, frozen, parsePath('sub'))
      expect(listed.map(({ name }) => name)).toEqual(await bench.names(state, 'd/sub'))
      await expect(listDirectory(bench.store, { root: state.root }, [])).resolves.toHaveLength(1)
    }
  })

  it('holds a whole folder, put into another place', async () => {
    const bench = new Bench()
    const state = await bench.commit(await bench.empty(), ANNA, ...files)
    const directory = await directoryOfRoot(bench.store, state.root)
    const content = { kind: 'directory' as const, directory }
    const path = parsePath('old/state')
    const next = await bench.commit(state, BOB, { kind: 'put', path, content })
    expect(await bench.names(next, 'old/state/d/sub')).toEqual(await bench.names(state, 'd/sub'))
  })
})
