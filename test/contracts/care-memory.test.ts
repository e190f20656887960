import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { NEW_ROOT, VolatileCareMemory, type CareMemory } from '../../src/grid/care/memory.ts'
import { audited, newHistory, probed } from '../../src/grid/care/node-history.ts'
import { HomeCareMemory } from '../../src/home/care-memory.ts'
import { blockId } from '../../src/protocol/block-id.ts'
import { nodeKey } from '../../src/protocol/node-key.ts'

const directory = await mkdtemp(join(tmpdir(), 'care-memory-'))
afterAll(async () => {
  await rm(directory, { recursive: true, force: true })
})

const node = nodeKey('ab'.repeat(32))
const history = audited(probed(newHistory(node, 5), { isUp: false, nowMs: 90_000 }), {
  good: 3,
  bad: 1,
  nowMs: 100_000,
})
const record = {
  ...NEW_ROOT,
  visitedMs: 7,
  isRenewalDue: true,
  standing: ['fine abab'],
  state: {
    recoverable: 'unknown' as const,
    healthy: false,
    blocks: 4,
    slots: 1,
    bytes: 10_000,
    sharesMissing: 2,
    copiesMissing: 0,
    lost: 1,
    mayVanish: -1,
    households: 3,
    mayVanishWithOneMore: -1,
    chanceUnreadable: 0.25,
    chanceOfLossInYear: 1e-7,
  },
}
const sample = {
  node,
  shares: 9,
  samples: [
    {
      id: blockId(new Uint8Array(32).fill(7)),
      index: 2,
      root: new Uint8Array(32).fill(8),
      shardBytes: 512,
    },
  ],
}

let count = 0
describe.each<[string, () => () => CareMemory]>([
  [
    'in memory',
    () => {
      const memory = new VolatileCareMemory()
      return () => memory
    },
  ],
  [
    'in a home',
    () => {
      const own = join(directory, `care-${++count}`)
      return () => new HomeCareMemory(own)
    },
  ],
])('what a carer remembers, %s', (_, make) => {
  it('begins with nothing', async () => {
    const memory = make()()
    expect(await memory.nodes()).toEqual([])
    expect(await memory.budget()).toBeUndefined()
    expect(await memory.root('slot-1')).toBeUndefined()
    expect(await memory.samples('slot-1')).toEqual([])
    expect(await memory.linkless('slot-1')).toBeUndefined()
  })

  it('comes back as it was saved, and what was saved last', async () => {
    const open = make()
    await open().saveNodes([])
    await open().saveNodes([history])
    await open().saveBudget({ tokensBytes: -12, atMs: 8 })
    await open().saveRoot('slot-1', { ...record, state: undefined })
    await open().saveRoot('slot-1', record)
    await open().saveSamples('slot-1', [sample])
    await open().saveLinkless('slot-1', new Uint8Array(24).fill(1))
    expect(await open().nodes()).toEqual([history])
    expect(await open().budget()).toEqual({ tokensBytes: -12, atMs: 8 })
    expect(await open().root('slot-1')).toEqual(record)
    expect(await open().samples('slot-1')).toEqual([sample])
    expect(await open().linkless('slot-1')).toEqual(new Uint8Array(24).fill(1))
  })

  it('lets go of roots that are not kept', async () => {
    const memory = make()()
    for (const id of ['slot-1', 'block-2']) {
      await memory.saveRoot(id, record)
      await memory.saveSamples(id, [sample])
      await memory.saveLinkless(id, new Uint8Array(12))
    }
    await memory.saveNodes([history])
    await memory.keepRoots(new Set(['block-2']))
    expect(await memory.root('slot-1')).toBeUndefined()
    expect(await memory.samples('slot-1')).toEqual([])
    expect(await memory.linkless('slot-1')).toBeUndefined()
    expect(await memory.root('block-2')).toEqual(record)
    expect(await memory.samples('block-2')).toEqual([sample])
    expect(await memory.nodes()).toEqual([history])
  })
})

it('in a home nobody else can read it, and damage is as good as nothing', async () => {
  const own = join(directory, 'damaged')
  const memory = new HomeCareMemory(own)
  await memory.saveNodes([history])
  await memory.saveRoot('slot-1', record)
  await memory.saveSamples('slot-1', [sample])
  for (const name of await readdir(own)) {
    const path = join(own, name)
    if (process.platform !== 'win32') expect((await stat(path)).mode & 0o077).toBe(0)
    await writeFile(path, '{"format":"hayloft-care","version":1,"nodes":[{}]')
  }
  expect(await memory.nodes()).toEqual([])
  expect(await memory.root('slot-1')).toBeUndefined()
  expect(await memory.samples('slot-1')).toEqual([])
  await memory.saveNodes([history])
  expect(await memory.nodes()).toEqual([history])
})
