import { describe, expect, it } from 'vitest'
import { sha256 } from '../../src/crypto/hash.ts'
import { toHex, utf8 } from '../../src/foundation/bytes.ts'
import type { HayloftError } from '../../src/foundation/error.ts'
import { toVerify } from '../../src/capabilities/capability.ts'
import { KIND_BRANCH, KIND_DATA, KIND_LEAF, type Link } from '../../src/grid/blocks/frame.ts'
import type { BlockStore } from '../../src/grid/blocks/store.ts'
import { NotEnoughSharesError } from '../../src/grid/errors.ts'
import type { BlockReference } from '../../src/grid/files/index-node.ts'
import { linkTo } from '../../src/grid/slots/contents.ts'
import { rootLinkOf, type TreeWalkOptions } from '../../src/grid/walk-tree.ts'
import { sourceOf } from '../../simulations/bytes.ts'
import { TestDevice, testSlot } from '../support/devices.ts'
import { someBytes, testGrid, type Cost, type TestGrid } from '../support/grid.ts'

const MIB = 2 ** 20

const locatorOf = (link: Link): string => toHex(link.type === 'slot' ? link.slot : link.id)

async function walk(
  device: TestDevice,
  roots: readonly Link[],
  options: Partial<TreeWalkOptions> = {},
): Promise<Link[]> {
  const found: Link[] = []
  const links = device.own.walkTree(roots, { slots: device.slots, ...options })
  for await (const link of links) found.push(link)
  return found
}

const walked = async (device: TestDevice, ...rest: [readonly Link[], Partial<TreeWalkOptions>?]) =>
  await device.grid.run(() => walk(device, ...rest))

const costOf = async <T>(grid: TestGrid, work: () => Promise<T>): Promise<Cost<T>> =>
  await grid.measure(() => grid.run(work))

function storeOf(device: TestDevice): BlockStore {
  return device.own.openBlockStore({ convergence: sha256(utf8('a tree')) })
}

const dataOf = async (store: BlockStore, seed: number, size = 300): Promise<BlockReference> =>
  await store.put({ kind: KIND_DATA, level: 0, links: [], content: someBytes(size, seed) })

async function nodeOver(
  store: BlockStore,
  links: readonly Link[],
  kind = KIND_LEAF,
): Promise<BlockReference> {
  return await store.put({ kind, level: 0, links, content: utf8(`over ${links.length}`) })
}

describe('a walk', () => {
  it('finds every block of a mutable file and of its past, with nothing but the power to verify', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    const files = device.own.openMutableFiles({ slots: device.slots })
    const { capability } = await grid.run(() => files.create(sourceOf(someBytes(2 * MIB + 1))))
    await grid.run(() => files.write(capability, sourceOf(someBytes(100))))
    const root = rootLinkOf(capability)
    expect(root).toEqual(rootLinkOf(toVerify(capability)))
    const links = await walked(device, [root])
    // The slot, what it is now, its history, and of that the index with three blocks of data.
    expect(links.map(({ type }) => type)).toEqual([
      'slot',
      'block',
      'history',
      'block',
      'block',
      'block',
      'block',
    ])
    const present = await walked(device, [root], { history: false })
    expect(present.map(({ type }) => type)).toEqual(['slot', 'block'])
  })

  it('goes through a tree of any shape, each block once, parents before what is below', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    await using store = storeOf(device)
    const [links, expected] = await grid.run(async () => {
      const data = await Promise.all([1, 2, 3, 4].map((seed) => dataOf(store, seed)))
      const leaf = await nodeOver(
        store,
        data.map((child) => linkTo('block', child)),
      )
      // Siblings of which some have links and some have not, and one that is met twice.
      const mixed = [data[0]!, leaf].map((child) => linkTo('block', child))
      const branch = await nodeOver(store, mixed, KIND_BRANCH)
      await store.flush()
      const all = [branch, data[0]!, leaf, data[1]!, data[2]!, data[3]!]
      return [await walk(device, [linkTo('block', branch)]), all]
    })
    expect(links.map(locatorOf)).toEqual(expected.map(({ id }) => toHex(id)))
  })

  it('follows slots into others and ends where slots lead back', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    await using store = storeOf(device)
    const [one, other] = [testSlot('one'), testSlot('other')]
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      await grid.run(async () => {
        const link = { type: 'slot' as const, slot: to.slot, verifyKey: to.verifyKey }
        const root = await nodeOver(store, [link])
        await store.flush()
        const contents = { kind: 'folder' as const, root, parents: [] }
        await device.slots.write(from, () => ({ contents }))
      })
    }
    const links = await walked(device, [{ type: 'slot', ...one }])
    expect(links.map(({ type }) => type)).toEqual(['slot', 'block', 'slot', 'block'])
  })

  it('goes on past what it cannot open, and tells', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    await using store = storeOf(device)
    const [root, lost] = await grid.run(async () => {
      const good = await dataOf(store, 1)
      const missing = { key: someBytes(32), id: testSlot('none').slot as never }
      const node = await nodeOver(store, [linkTo('block', missing), linkTo('block', good)])
      await store.flush()
      return [linkTo('block', node), missing]
    })
    const told: [string, HayloftError][] = []
    const links = await walked(device, [root], {
      onUnreadable: (link, error) => told.push([locatorOf(link), error]),
    })
    expect(links).toHaveLength(3)
    expect(told).toEqual([[toHex(lost.id), expect.any(NotEnoughSharesError)]])
    await expect(walked(device, [root])).rejects.toThrow(NotEnoughSharesError)
  })

  it('is not led past a block by a link to it with a wrong key', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    await using store = storeOf(device)
    const links = await grid.run(async () => {
      const leaf = await nodeOver(store, [linkTo('block', await dataOf(store, 1))])
      const wrong = { ...linkTo('block', leaf), verifyKey: someBytes(32) }
      const root = await nodeOver(store, [wrong, linkTo('block', leaf)])
      await store.flush()
      return await walk(device, [linkTo('block', root)], { onUnreadable: () => {} })
    })
    expect(links).toHaveLength(4)
  })
})

describe('what it costs', () => {
  it('one small question for each block without links, and little more for those that have some', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    await using store = storeOf(device)
    const count = 300
    const root = await grid.run(async () => {
      const data = await Promise.all(
        Array.from({ length: count }, (_, seed) => dataOf(store, seed)),
      )
      const node = await nodeOver(
        store,
        data.map((child) => linkTo('block', child)),
      )
      await store.flush()
      return linkTo('block', node)
    })
    const { traffic, result } = await costOf(grid, () => walk(device, [root]))
    expect(result).toHaveLength(count + 1)
    // The node's links fill more than its first share, so it is fetched whole after the first look.
    expect(traffic.byOp()).toEqual({ get: count + 1 + 3 })
  })

  it('still works, at the price of whole blocks, where first shares are not in their place', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    await using store = storeOf(device)
    const root = await grid.run(async () => {
      const data = await Promise.all([1, 2, 3, 4, 5, 6].map((seed) => dataOf(store, seed)))
      const node = await nodeOver(
        store,
        data.map((child) => linkTo('block', child)),
      )
      await store.flush()
      return linkTo('block', node)
    })
    for (const at of [0, 2, 4, 6]) await grid.run(() => grid.nodes[at]!.empty())
    grid.nodes[1]!.lie('shard: first bit')
    expect(await walked(device, [root])).toHaveLength(7)
  })
})
