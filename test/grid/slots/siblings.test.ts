import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../../src/foundation/bytes.ts'
import { SlotClockFullError, SlotContendedError } from '../../../src/grid/slots/errors.ts'
import { sealRecord } from '../../../src/grid/slots/seal.ts'
import { StoredSlotMemory } from '../../../src/grid/slots/stored-memory.ts'
import { encodeSlotHead } from '../../../src/protocol/slot-record.ts'
import { tagHex, type VersionVector } from '../../../src/protocol/version-vector.ts'
import {
  adding,
  MemoryStore,
  saying,
  TestDevice,
  testSlot,
  wordsOf,
} from '../../support/devices.ts'
import { someBytes, testGrid, type TestGrid } from '../../support/grid.ts'

const keys = testSlot()

/** Past the client: a record of this clock, on these nodes. @returns what the last one said */
async function plant(
  grid: TestGrid,
  nodes: readonly number[],
  { word, clock }: { word: string; clock: VersionVector },
): Promise<string> {
  const contents = saying(word)
  const record = sealRecord(keys, { contents, clock, expiresS: 0 }, grid.world.randomness)
  let outcome = 'nothing'
  for (const at of nodes) {
    const request = { op: 'slot-put' as const, record, leaseS: 1_000 }
    const { endpoint } = grid.world.client
    const reply = await grid.run(() => endpoint.call<'slot-put'>(grid.nodes[at]!.key, request))
    outcome = reply.outcome
  }
  return outcome
}

const ALL = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
const tag = (seed: number) => tagHex(someBytes(8, seed))

describe('concurrent writers', () => {
  it('replace nothing that was only learnt while a state was made', async () => {
    await using grid = await testGrid({ clients: 2 })
    const ada = new TestDevice(grid, { client: 0 })
    const bob = new TestDevice(grid, { client: 1 })
    await ada.write(keys, adding('first'))
    await bob.read(keys)
    let isFirst = true
    await ada.write(keys, async (base) => {
      if (isFirst) {
        isFirst = false
        await bob.slots.write(keys, adding('meanwhile'))
        // The same device looks, so its client knows of what the update has not been shown.
        await ada.slots.read(keys)
      }
      return await adding('second')(base)
    })
    expect(wordsOf(await bob.read(keys))).toEqual(['first', 'meanwhile', 'second'])
  })

  it('converge by merging, and nothing acknowledged is lost', async () => {
    await using grid = await testGrid({ clients: 4 })
    const devices = [0, 1, 2, 3].map((client) => new TestDevice(grid, { client }))
    const words = await grid.run(() =>
      Promise.all(
        devices.map(async ({ slots }, at) => {
          const done: string[] = []
          for (let turn = 0; turn < 5; turn++) {
            const word = `${at}${turn}`
            try {
              await slots.write(keys, adding(word))
              done.push(word)
            } catch (error) {
              if (!(error instanceof SlotContendedError)) throw error
            }
          }
          return done
        }),
      ),
    )
    const acknowledged = words.flat().sort()
    expect(acknowledged.length).toBeGreaterThan(10)
    for (const device of devices) {
      await device.settle()
      expect(wordsOf(await device.read(keys))).toEqual(expect.arrayContaining(acknowledged))
    }
    const last = await devices[0]!.write(keys, adding('end'))
    expect(last?.hasSiblings).toBe(false)
    await devices[0]!.settle()
    expect((await devices[1]!.read(keys)).heads).toHaveLength(1)
    for (const device of devices) await device[Symbol.asyncDispose]()
  })

  it('that do not know of each other leave siblings, which the next write merges', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    await plant(grid, ALL, { word: 'one', clock: new Map([[tag(1), 1]]) })
    await plant(grid, ALL, { word: 'two', clock: new Map([[tag(2), 1]]) })
    const before = await device.read(keys)
    expect(before.heads).toHaveLength(2)
    await device.write(keys, adding('three'))
    const after = await device.read(keys)
    expect(after.heads).toHaveLength(1)
    expect(wordsOf(after)).toEqual(['one', 'three', 'two'])
  })

  it('a ninth sibling has to merge first, and does', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    await device.read(keys)
    const words = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    for (const [seed, word] of words.entries()) {
      await plant(grid, ALL, { word, clock: new Map([[tag(seed + 1), 1]]) })
    }
    expect(await plant(grid, [0], { word: 'i', clock: new Map([[tag(9), 1]]) })).toBe('merge-first')
    // It believes the slot to be empty and learns better from the refusals.
    await device.write(keys, adding('i'), { isNew: true })
    const state = await device.read(keys)
    expect(wordsOf(state)).toEqual([...words, 'i'])
    expect(state.heads).toHaveLength(1)
  })

  it('keeps a write by another clock of equal numbers beside its own', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    const clock = new Map([[tag(1), 1]])
    for (const word of ['one', 'other']) await plant(grid, ALL, { word, clock })
    expect((await device.read(keys)).heads).toHaveLength(2)
    await device.write(keys, adding('x'))
    expect((await device.read(keys)).heads).toHaveLength(1)
  })
})

describe('odd states', () => {
  it('more devices than a clock holds can be read, and not written over', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid, { memory: new StoredSlotMemory(new MemoryStore()) })
    const clockOf40 = (from: number): VersionVector =>
      new Map(Array.from({ length: 40 }, (_, at) => [tag(from + at), 1]))
    await plant(grid, ALL, { word: 'one', clock: clockOf40(1_000) })
    await device.write(keys, adding('two'))
    await plant(grid, ALL, { word: 'three', clock: clockOf40(2_000) })
    expect(wordsOf(await device.read(keys))).toEqual(['one', 'three', 'two'])
    await expect(device.write(keys, adding('four'))).rejects.toThrow(SlotClockFullError)
    expect(wordsOf(await device.read(keys))).toEqual(['one', 'three', 'two'])
  })

  it('one that has expired is gone, and no rollback', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    const expiresS = Math.ceil(grid.world.clock.nowMs() / 1000) + 100
    await device.write(keys, () => ({ contents: saying('x'), expiresS }))
    await device.settle()
    expect(wordsOf(await device.read(keys))).toEqual(['x'])
    await grid.run(() => grid.world.clock.advance(101_000))
    const state = await device.read(keys)
    expect(state.heads).toEqual([])
    expect(state.rollback).toBeUndefined()
    await device.write(keys, adding('y'))
    expect(wordsOf(await device.read(keys))).toEqual(['y'])
  })

  it('one that makes no sense is counted, hides no other, and is replaced by the next write', async () => {
    await using grid = await testGrid()
    await using device = new TestDevice(grid)
    await device.write(keys, adding('x'))
    await device.settle()
    const head = encodeSlotHead({
      slot: keys.slot,
      expiresS: 0,
      clock: new Map([[tag(1), 1]]),
      nonce: someBytes(24),
    })
    const message = concatBytes([head, someBytes(276), someBytes(528)])
    const record = concatBytes([message, keys.sign(message)])
    const { endpoint } = grid.world.client
    for (const { key } of grid.nodes) {
      const request = { op: 'slot-put' as const, record, leaseS: 1_000 }
      await grid.run(() => endpoint.call<'slot-put'>(key, request))
    }
    const state = await device.read(keys)
    expect(state.unreadable).toBe(1)
    expect(wordsOf(state)).toEqual(['x'])
    await device.write(keys, adding('y'))
    const after = await device.read(keys)
    expect(after).toMatchObject({ unreadable: 0, heads: { length: 1 } })
  })
})
