import { describe, expect, it } from 'vitest'
import { checkName } from '../../src/folders/names.ts'
import { walkDirectory } from '../../src/folders/read.ts'
import { linkedReader } from '../../src/folders/service/links.ts'
import type { LinkedEntry } from '../../src/folders/entry.ts'
import type { FolderState } from '../../src/folders/state.ts'
import { NOON_MS, ANNA, Bench, put } from './support.ts'
import { BrokenFileError } from '../../src/grid/errors.ts'
import { testSlot } from '../support/devices.ts'

/** The same folder, but that one link of its root says another verify key. */
async function withSpoiltLink(bench: Bench, { clock, root }: FolderState): Promise<FolderState> {
  const frame = await bench.store.get(root)
  const [first, ...rest] = frame.links
  const links = [{ ...first!, verifyKey: new Uint8Array(32) }, ...rest]
  return { clock, root: await bench.store.put({ ...frame, links }) }
}

async function walk(bench: Bench, state: FolderState): Promise<number> {
  let seen = 0
  for await (const { name } of walkDirectory(bench.store, state, [])) if (name !== '') seen += 1
  return seen
}

describe('what readers can open and verifiers cannot is refused', () => {
  it.each([
    ['directory', ['directory/file']],
    ['part of a large directory', Array.from({ length: 1_200 }, (_, at) => `file ${at}`)],
  ])('a %s', async (_, paths) => {
    const bench = new Bench()
    const edits = paths.map((path) => put(path))
    const state = await bench.commit(await bench.empty(), ANNA, ...edits)
    expect(await walk(bench, state)).toBeGreaterThanOrEqual(paths.length)
    const spoilt = await withSpoiltLink(bench, state)
    await expect(walk(bench, spoilt)).rejects.toThrow(BrokenFileError)
  })

  it('a folder or file of a slot of its own', () => {
    const { slot, readKey, verifyKey } = testSlot()
    const common = { name: checkName('x'), dots: new Map(), mtimeMs: NOON_MS, device: '' }
    const entry: LinkedEntry = { kind: 'linked-folder', ...common, slot, readKey, verifyKey }
    expect(linkedReader(entry)).toEqual({ slot, readKey })
    const other = { ...entry, verifyKey: testSlot('another').verifyKey }
    expect(() => linkedReader(other)).toThrow('do not fit')
  })
})
