import { describe, expect, it } from 'vitest'
import { systemClock, systemRandomness } from '../../../src/foundation/system.ts'
import { HomeSlotMemory } from '../../../src/home/slots/home-slot-memory.ts'
import { slotKey } from '../../../src/protocol/slot-key.ts'
import { tagHex } from '../../../src/protocol/version-vector.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const SYSTEM = { clock: systemClock, randomness: systemRandomness }
const SLOT = slotKey(new Uint8Array(32).fill(3))
const tag = (byte: number) => tagHex(new Uint8Array(8).fill(byte))

const written = (byte: number, counter: number) => ({
  tag: tag(byte),
  counter,
  clock: new Map([[tag(byte), counter]]),
  heads: [],
})

describe('what a home remembers of slots', () => {
  it('outlives the command', async () => {
    const parent = await temporaryFolder()
    {
      await using memory = new HomeSlotMemory(parent, SYSTEM)
      expect(await memory.load(SLOT)).toBeUndefined()
      await memory.save(SLOT, written(1, 5))
    }
    await using later = new HomeSlotMemory(parent, SYSTEM)
    expect(await later.load(SLOT)).toEqual(written(1, 5))
  })

  it('numbers the writes of two commands apart, and what one has seen the other has, too', async () => {
    const parent = await temporaryFolder()
    await using first = new HomeSlotMemory(parent, SYSTEM)
    await first.save(SLOT, written(1, 5))
    await using second = new HomeSlotMemory(parent, SYSTEM)
    const seen = await second.load(SLOT)
    expect(seen?.tag).toBeUndefined()
    expect(seen?.counter).toBe(0)
    expect(seen?.clock).toEqual(new Map([[tag(1), 5]]))
    await second.save(SLOT, written(2, 1))
    const own = await first.load(SLOT)
    expect(own).toMatchObject({ tag: tag(1), counter: 5 })
    expect(own?.clock).toEqual(
      new Map([
        [tag(1), 5],
        [tag(2), 1],
      ]),
    )
  })

  it('tells what any command has left owed, until it is paid', async () => {
    const parent = await temporaryFolder()
    await using first = new HomeSlotMemory(parent, SYSTEM)
    const second = new HomeSlotMemory(parent, SYSTEM)
    expect(await first.owed()).toEqual([])
    await second.setOwed(SLOT, true)
    // It is the business of the command that is at it.
    expect(await first.owed()).toEqual([])
    await second[Symbol.asyncDispose]()
    expect(await first.owed()).toEqual([SLOT])
    await first.setOwed(SLOT, false)
    await using third = new HomeSlotMemory(parent, SYSTEM)
    expect(await third.owed()).toEqual([])
  })
})
