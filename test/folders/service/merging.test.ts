import { describe, expect, it } from 'vitest'
import { parsePath } from '../../../src/folders/names.ts'
import { toRead } from '../../../src/capabilities/capability.ts'
import { VolatileSlotMemory } from '../../../src/grid/slots/memory.ts'
import { orderOf } from '../../support/devices.ts'
import { testGrid, type TestGrid } from '../../support/grid.ts'
import {
  collect,
  FolderDevice,
  keysOf,
  NOON_MS,
  pathsOf,
  putText,
  type OpenedFolder,
} from './support.ts'

/** Cuts two devices off from half the nodes each, so that neither sees what the other writes. */
function part(
  grid: TestGrid,
  folder: OpenedFolder,
  [ours, theirs]: [FolderDevice, FolderDevice],
): void {
  const order = orderOf(grid, keysOf(folder.capability))
  ours.cutOffFrom(...order.slice(0, 5))
  theirs.cutOffFrom(...order.slice(5))
}

describe('two writers', () => {
  it('who cannot see each other both keep what they wrote', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using anna = new FolderDevice(grid, 'Anna')
    await using bob = new FolderDevice(grid, 'Bob', { client: 1 })
    const ours = await anna.create()
    await ours.edit(putText('both.txt', 'old'), putText('gone', 'x'), putText('d/f', 'x'))
    const theirs = await bob.open(ours.capability)
    await theirs.paths()
    await anna.settle()
    part(grid, ours, [anna, bob])
    await ours.edit(putText('both.txt', 'of Anna'), putText('a', 'x'))
    await theirs.edit(putText('both.txt', 'of Bob', NOON_MS + 1000), putText('b', 'x'), {
      kind: 'remove',
      path: parsePath('gone'),
    })
    anna.cutOffFrom()
    bob.cutOffFrom()
    const copy = 'both (conflict Anna 2026-05-06 120000).txt'
    const all = ['a', 'b', copy, 'both.txt', 'd', 'd/f'].sort()
    const view = await grid.run(() => ours.writer.now())
    expect(view.states).toBe(2)
    expect((await pathsOf(anna, view)).sort()).toEqual(all)
    // What the readers make of it for themselves is not on the grid, and has no name there.
    await expect(grid.run(() => view.capability(parsePath('d'), 'read'))).resolves.toMatchObject({
      kind: 'snapshot-read',
    })
    const reader = await bob.reader(toRead(ours.capability))
    await expect(grid.run(() => reader.snapshot([]))).rejects.toMatchObject({ code: 'not-merged' })
    // The next to write joins both and is told.
    const result = await theirs.write('c', 'x')
    expect(result).toMatchObject({ joined: 2, conflicts: [[copy]] })
    expect((await grid.run(() => ours.writer.now())).states).toBe(1)
    expect((await ours.paths()).sort()).toEqual([...all, 'c'].sort())
    await expect(grid.run(() => reader.snapshot([]))).resolves.toMatchObject({})
    const commits = await grid.run(() => collect(ours.writer.history()))
    expect(commits.map(({ device }) => device).sort()).toEqual([
      'Anna',
      'Anna',
      'Anna',
      'Bob',
      'Bob',
    ])
  })

  it('and a third, each alone with four nodes for a while, end with all that nobody undid', async () => {
    await using grid = await testGrid({ clients: 3, nodes: 12 })
    await using anna = new FolderDevice(grid, 'Anna')
    await using bob = new FolderDevice(grid, 'Bob', { client: 1 })
    await using carl = new FolderDevice(grid, 'Carl', { client: 2 })
    const devices = [anna, bob, carl]
    const ours = await anna.create()
    await ours.edit(putText('d/kept', 'x'), putText('d/e/old', 'x'), putText('same', 'x'))
    const [, theirs, his] = [
      ours,
      await bob.open(ours.capability),
      await carl.open(ours.capability),
    ]
    for (const folder of [theirs, his]) await folder.paths()
    await anna.settle()
    const nodes = Array.from({ length: 12 }, (_, at) => at)
    for (const [who, device] of devices.entries()) {
      device.cutOffFrom(...nodes.filter((at) => at % 3 !== who))
    }
    const path = parsePath('d')
    await ours.edit({ kind: 'move', from: path, to: parsePath('moved') })
    await theirs.write('d/new', 'x')
    await his.edit({ kind: 'remove', path: parsePath('d/e/old') }, putText('same', 'y'))
    for (const device of devices) device.cutOffFrom()
    const results = []
    for (const folder of [ours, theirs, his]) results.push(await folder.write('last', 'x'))
    expect(results.map(({ joined }) => joined)).toEqual([3, 1, 1])
    for (const folder of [ours, theirs, his]) {
      expect(await folder.paths()).toEqual([
        'd',
        'd/new',
        'last',
        'moved',
        'moved/e',
        'moved/e/old',
        'moved/kept',
        'same',
      ])
      expect(await folder.text('same')).toBe('y')
    }
  })

  it('who write at the same time to a whole grid lose nothing, and make no copies', async () => {
    await using grid = await testGrid({ clients: 3 })
    await using anna = new FolderDevice(grid, 'Anna')
    await using bob = new FolderDevice(grid, 'Bob', { client: 1 })
    await using carl = new FolderDevice(grid, 'Carl', { client: 2 })
    const folder = await anna.create()
    const writers = [folder, await bob.open(folder.capability), await carl.open(folder.capability)]
    await grid.run(async () => {
      await Promise.all(
        writers.map(async ({ writer }, who) => {
          for (let number = 0; number < 4; number++) {
            await writer.edit([putText(`${who}/${number}`, 'x')])
          }
        }),
      )
    })
    const numbers = [0, 1, 2, 3]
    const files = [0, 1, 2].flatMap((who) => numbers.map((at) => `${who}/${at}`))
    const paths = ['0', '1', '2', ...files]
    expect((await folder.paths()).sort()).toEqual(paths.sort())
  })

  it('joins what was written at once for a snapshot of who may write', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using anna = new FolderDevice(grid, 'Anna')
    await using bob = new FolderDevice(grid, 'Bob', { client: 1 })
    const ours = await anna.create()
    const theirs = await bob.open(ours.capability)
    await theirs.paths()
    await anna.settle()
    part(grid, ours, [anna, bob])
    await ours.write('d/a', 'x')
    await theirs.write('d/b', 'x')
    anna.cutOffFrom()
    bob.cutOffFrom()
    const snapshot = await grid.run(() => ours.writer.snapshot(parsePath('d')))
    const frozen = await grid.run(() => bob.folders.open(snapshot))
    expect(await pathsOf(bob, frozen)).toEqual(['a', 'b'])
  })
})

describe('nine writers', () => {
  it('who know nothing of each other: eight are kept side by side, and the ninth joins them', async () => {
    await using grid = await testGrid({ clients: 9 })
    await using first = new FolderDevice(grid, 'first')
    const folder = await first.create()
    const opened: OpenedFolder[] = []
    const outcomes = new Set<string>()
    for (let client = 0; client < 9; client++) {
      const device = new FolderDevice(grid, `${client}`, { client })
      const theirs = await device.open(folder.capability)
      await theirs.paths()
      opened.push(theirs)
      // A write that does not care what is there already.
      for (const { key } of grid.nodes) {
        device.liars.set(key, async (request, honest) => {
          if (request.op !== 'slot-put') return await honest()
          const { ifHeads: _, ...blind } = request
          const { endpoint } = grid.world.clients[client]!
          const reply = await endpoint.call<'slot-put'>(key, blind)
          outcomes.add(reply.outcome)
          return reply
        })
      }
    }
    const last = opened.pop()!
    for (const [at, theirs] of opened.entries()) await theirs.write(`${at}`, 'x')
    expect((await grid.run(() => folder.writer.now())).states).toBe(8)
    expect(outcomes).toEqual(new Set(['stored']))
    expect(await last.write('8', 'x')).toMatchObject({ joined: 8 })
    expect(outcomes).toEqual(new Set(['stored', 'merge-first']))
    expect((await grid.run(() => folder.writer.now())).states).toBe(1)
    expect(await folder.paths()).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8'])
    const commits = await grid.run(() => collect(folder.writer.history()))
    expect(commits).toHaveLength(10)
    for (const { device } of [...opened, last]) await device[Symbol.asyncDispose]()
  })
})

describe('a write', () => {
  it('that reaches few nodes is degraded, and one that reaches too few is none', async () => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const folder = await anna.create()
    await anna.settle()
    const order = orderOf(grid, keysOf(folder.capability))
    anna.cutOffFrom(...order.slice(0, 5))
    expect(await folder.write('a', 'x')).toMatchObject({ durability: 'degraded' })
    anna.cutOffFrom(...order.slice(0, 8))
    await expect(folder.write('b', 'x')).rejects.toMatchObject({ code: 'slot-not-stored' })
    anna.cutOffFrom()
    await folder.write('c', 'x')
    // Of the one that failed nothing may come back as if it were an old write.
    expect((await folder.paths()).filter((path) => path !== 'b')).toEqual(['a', 'c'])
  })

  it('fails for its own content, and not for what failed in the background', async () => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const folder = await anna.create()
    await anna.settle()
    const failing = new Uint8Array(2000).fill(1)
    const refuse = grid.nodes.slice(0, 8)
    for (const { key } of refuse) {
      anna.liars.set(key, async (request, honest) => {
        if (request.op === 'put') return { op: 'put', outcome: 'full' }
        return await honest()
      })
    }
    const content = await grid.run(() => folder.writer.putFile(pieces(failing), { mtimeMs: 0 }))
    await grid.run(() => grid.world.clock.advance(5_000))
    anna.liars.clear()
    expect(await folder.write('other', 'x')).toMatchObject({ durability: 'durable' })
    const put = { kind: 'put' as const, path: parsePath('file'), content }
    await expect(folder.edit(put)).rejects.toMatchObject({ code: 'too-few-nodes' })
    await folder.write('more', 'x')
    await folder.store('file', failing)
    expect(await folder.paths()).toEqual(['file', 'more', 'other'])
    await folder.edit(put)
  })

  it('waits for no content but its own', async () => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const folder = await anna.create()
    await anna.settle()
    const slow = new Uint8Array(2000).fill(2)
    let release: (() => void) | undefined
    const released = new Promise<void>((resolve) => (release = resolve))
    let held = 0
    for (const { key } of grid.nodes) {
      anna.liars.set(key, async (request, honest) => {
        if (request.op !== 'put') return await honest()
        held += 1
        await released
        return await honest()
      })
    }
    const content = await grid.run(() => folder.writer.putFile(pieces(slow), { mtimeMs: 0 }))
    expect(held).toBeGreaterThan(0)
    anna.liars.clear()
    await folder.write('other', 'x')
    release?.()
    await folder.edit({ kind: 'put', path: parsePath('file'), content })
    expect(await folder.paths()).toEqual(['file', 'other'])
  })

  it('can be made again after its own blocks failed, and then sends them', async () => {
    await using grid = await testGrid()
    await using anna = new FolderDevice(grid, 'Anna')
    const folder = await anna.create()
    await anna.settle()
    for (const { key } of grid.nodes.slice(0, 8)) {
      anna.liars.set(key, async (request, honest) => {
        if (request.op === 'put') return { op: 'put', outcome: 'full' }
        return await honest()
      })
    }
    await expect(folder.write('a', 'x')).rejects.toMatchObject({ code: 'too-few-nodes' })
    anna.liars.clear()
    expect(await folder.write('b', 'x')).toMatchObject({ durability: 'durable' })
    await folder.write('a', 'x')
    await using bob = new FolderDevice(grid, 'Bob')
    expect(await (await bob.open(folder.capability)).paths()).toEqual(['a', 'b'])
  })

  it('of a device that was restored from a backup is never taken for an older one', async () => {
    await using grid = await testGrid({ clients: 2 })
    const memory = new VolatileSlotMemory()
    await using anna = new FolderDevice(grid, 'Anna', { memory })
    const folder = await anna.create()
    await folder.write('a', 'x')
    await anna.settle()
    const keys = keysOf(folder.capability)
    const backup = new VolatileSlotMemory()
    await backup.save(keys.slot, (await memory.load(keys.slot))!)
    await folder.write('b', 'x')
    await anna.settle()
    await using restored = new FolderDevice(grid, 'Anna', { client: 1, memory: backup })
    const theirs = await restored.open(folder.capability)
    await theirs.write('c', 'x')
    expect(await folder.paths()).toEqual(['a', 'b', 'c'])
  })
})

// eslint-disable-next-line typescript/require-await -- sources are async
async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
