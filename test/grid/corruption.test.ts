import { describe, expect, it } from 'vitest'
import { toVerify } from '../../src/capabilities/capability.ts'
import { HayloftError } from '../../src/foundation/error.ts'
import { BrokenFileError, NotEnoughSharesError } from '../../src/grid/errors.ts'
import { corruptorNames, corruptors, harmlessCorruptors } from '../../simulations/corruptors.ts'
import { storageLieNames } from '../../simulations/liars.ts'
import {
  forgedCodewords,
  forgedFrames,
  honestContent,
  honestFile,
  type Forgery,
} from '../support/forgery.ts'
import { someBytes, testGrid, threeOfTen, type TestGrid } from '../support/grid.ts'

const FILE = someBytes(20_000)
const FULL = { verify: 'full' } as const
const n = threeOfTen.total
const spare = threeOfTen.total - threeOfTen.required

describe.each(corruptorNames)('shares with a wrong %s', (name) => {
  it('do not keep a reader from the right bytes while k others are good', async () => {
    await using grid = await testGrid()
    const file = await storeWithDecoys(grid)
    for (const node of grid.holders(file).slice(0, spare)) node.corrupt(corruptors[name])
    expect(same(await grid.get(file.capability), FILE)).toBe(true)
  })

  it('never make a reader see wrong bytes, though too few are left', async () => {
    await using grid = await testGrid()
    const file = await storeWithDecoys(grid)
    for (const node of grid.holders(file).slice(0, spare + 1)) node.corrupt(corruptors[name])
    const outcome = await outcomeOf(grid.get(file.capability))
    // What surrounds a good shard may be known from other shares; and another share may be as good as the one asked for.
    if (outcome instanceof Uint8Array) expect(same(outcome, FILE)).toBe(true)
    else expect(outcome).toBeInstanceOf(NotEnoughSharesError)
    if (!mayBeHarmless(name)) expect(outcome).toBeInstanceOf(NotEnoughSharesError)
  })

  it('are found by a full check and replaced by a repair from the verify capability', async () => {
    await using grid = await testGrid({ nodes: 12, zones: 12 })
    const file = await storeWithDecoys(grid)
    const [bad] = grid.holders(file)
    bad?.corrupt(corruptors[name])
    const capability = toVerify(file.capability)
    const before = await grid.check(capability, FULL)
    if (name.startsWith('proof')) return
    expect(before).toMatchObject({ recoverable: true, healthy: false })
    expect(before.blocks.map(({ sharesGood }) => sharesGood)).toEqual([n - 1])
    expect(await grid.repair(capability, FULL)).toMatchObject({ sharesPlaced: 1, healthy: true })
    const after = await grid.check(capability, FULL)
    expect(after).toMatchObject({ healthy: true })
    expect(after.blocks[0]?.holders.some(({ node }) => node === bad?.key)).toBe(false)
  })
})

describe.each(Object.entries(harmlessCorruptors))('shares with %s', (_, corruptor) => {
  it('are good shares', async () => {
    await using grid = await testGrid()
    const file = await grid.store(FILE)
    for (const node of grid.nodes) node.corrupt(corruptor)
    expect(same(await grid.get(file.capability), FILE)).toBe(true)
  })
})

describe.each(storageLieNames)('a node that %s', (lie) => {
  it('costs a reader nothing but time while k honest holders are left', async () => {
    await using grid = await testGrid()
    const file = await grid.store(FILE)
    for (const node of grid.holders(file).slice(0, spare)) node.lie(lie)
    expect(same(await grid.get(file.capability), FILE)).toBe(true)
  })

  it('does not keep an upload from the honest nodes', async () => {
    await using grid = await testGrid({ nodes: 13 })
    for (const node of grid.nodes.slice(0, 3)) node.lie(lie)
    const file = await grid.store(FILE)
    expect(same(await grid.get(file.capability), FILE)).toBe(true)
  })
})

describe('shares that rotted on their drives', () => {
  it.each([4_000, 900_000])('of a file of %i bytes are replaced where they lie', async (length) => {
    await using grid = await testGrid()
    const bytes = someBytes(length)
    const file = await grid.store(bytes)
    const [first, second] = grid.holders(file)
    expect(first?.rot(1)).toBe(1)
    expect(second?.rot(1)).toBe(1)
    const before = await grid.check(file.capability, FULL)
    expect(before.blocks[0]?.sharesGood).toBe(n - 2)
    expect(await grid.repair(file.capability, FULL)).toMatchObject({
      healthy: true,
      sharesPlaced: 2,
    })
    expect(await grid.check(file.capability, FULL)).toMatchObject({ healthy: true })
    expect(same(await grid.get(file.capability), bytes)).toBe(true)
  })
})

describe('a repair that takes samples', () => {
  it('replaces shares of a single leaf that rotted', async () => {
    await using grid = await testGrid()
    const file = await grid.store(someBytes(40_000))
    for (const node of grid.holders(file).slice(0, 2)) expect(node.rot(1)).toBe(1)
    expect(await grid.repair(file.capability)).toMatchObject({ healthy: true, sharesPlaced: 2 })
    expect(await grid.check(file.capability, FULL)).toMatchObject({ healthy: true })
  })

  it('checks every further share of a node that is caught with a bad one', async () => {
    await using grid = await testGrid()
    const file = await grid.store(someBytes(30 * 2 ** 20))
    const [bad] = grid.holders(file)
    // A single bit of each share: audits by one leaf would miss most of them.
    const rotten = bad?.rot(31) ?? 0
    expect(rotten).toBe(31)
    const { sharesPlaced } = await grid.repair(file.capability)
    expect(sharesPlaced).toBeGreaterThan(25)
  })
})

describe('files that no conforming writer made', () => {
  it('are told from honest ones that were planted in the same way', async () => {
    await using grid = await testGrid()
    const file = honestFile()
    await grid.plant(file.blocks)
    expect(same(await grid.get(readCapability(file)), honestContent)).toBe(true)
  })

  it.each(Object.entries(forgedFrames))('are refused: %s', async (_, forge) => {
    await using grid = await testGrid()
    const file = forge()
    await grid.plant(file.blocks)
    expect(await outcomeOf(grid.get(readCapability(file)))).toBeInstanceOf(BrokenFileError)
    // Whoever may only verify sees less of what is wrong, and must not stumble over the rest.
    for (const capability of [readCapability(file), toVerify(readCapability(file))]) {
      for (const verify of ['none', 'audit', 'full'] as const) {
        const outcome = await outcomeOf(grid.check(capability, { verify }))
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(HayloftError)
      }
    }
    const repaired = await outcomeOf(grid.repair(toVerify(readCapability(file)), FULL))
    if (repaired instanceof Error) expect(repaired).toBeInstanceOf(HayloftError)
  })

  it.each(Object.entries(forgedCodewords))(
    'have one reading or none, whichever shares are at hand: %s',
    async (_, forge) => {
      const readings = new Set<string>()
      for (let away = 0; away < n; away++) {
        await using grid = await testGrid()
        const file = forge()
        await grid.plant(file.blocks)
        for (const at of sevenFrom(away)) grid.nodes[at]?.crash()
        const outcome = await outcomeOf(grid.get(readCapability(file)))
        if (outcome instanceof Uint8Array) readings.add(Buffer.from(outcome).toString('base64'))
        else expect(outcome).toBeInstanceOf(BrokenFileError)
      }
      expect(readings.size).toBeLessThanOrEqual(1)
    },
  )

  it.each(Object.entries(forgedCodewords))('are never called healthy: %s', async (_, forge) => {
    await using grid = await testGrid({ nodes: 12 })
    const file = forge()
    await grid.plant(file.blocks)
    const capability = toVerify(readCapability(file))
    const report = await outcomeOf(grid.check(capability, FULL))
    if (report instanceof Error) expect(report).toBeInstanceOf(BrokenFileError)
    else expect(report).toMatchObject({ healthy: false })
    grid.nodes[9]?.crash()
    expect(await outcomeOf(grid.repair(capability, FULL))).toBeInstanceOf(BrokenFileError)
  })
})

/** Stores the file, and another so that liars have a stranger's shares to hand out. */
async function storeWithDecoys(grid: TestGrid) {
  await grid.store(someBytes(20_000, 2), { code: threeOfTen })
  return await grid.store(FILE, { code: threeOfTen })
}

/** The nodes of all shares but three in a row, from `first` on. */
function sevenFrom(first: number): number[] {
  return Array.from({ length: spare }, (_, at) => (first + threeOfTen.required + at) % n)
}

function mayBeHarmless(name: string): boolean {
  return /^(proof|manifest)/.test(name) || name === 'share: of another index'
}

function readCapability({ key, id }: Forgery) {
  return { kind: 'file-read', key, id } as const
}

async function outcomeOf<T>(operation: Promise<T>): Promise<unknown> {
  return await operation.catch((error: unknown) => error)
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
