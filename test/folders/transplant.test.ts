import { describe, expect, it } from 'vitest'
import type { Directory } from '../../src/folders/entry.ts'
import { mergeStates } from '../../src/folders/merge.ts'
import { parsePath } from '../../src/folders/names.ts'
import { statPath } from '../../src/folders/read.ts'
import type { FolderState } from '../../src/folders/state.ts'
import { directoryOfRoot, promoteDirectory, rootOfDirectory } from '../../src/folders/transplant.ts'
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

  it('has a root of its own for a snapshot, and gets it back', async () => {
    const bench = new Bench()
    const state = await bench.commit(await bench.empty(), ANNA, ...files)
    const directory = await directoryAt(bench, state, 'd/sub')
    const root = await rootOfDirectory(bench.store, directory)
    expect(await bench.names({ clock: new Map(), root })).toHaveLength(count)
    const { reference, totals } = await directoryOfRoot(bench.store, root)
    expect({ reference, totals }).toEqual({
      reference: directory.reference,
      totals: directory.totals,
    })
  })
})
