import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../../src/foundation/bytes.ts'
import { NodeAlreadyRunningError } from '../../src/storage-node/disk.ts'
import type { Row } from '../../src/storage-node/disk.ts'
import { SimulatedClock } from '../../simulations/clock.ts'
import { SimulatedDrive, type DriveConditions } from '../../simulations/disk.ts'
import { SeededRandomness } from '../../simulations/randomness.ts'

describe('the simulated drive', () => {
  it('keeps resolved writes and a prefix of the others when the power is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 0, max: 60 }), async (seed, cutAtMs) => {
        const { clock, drive } = driveOf(seed, { writeMs: 10 })
        const { rows } = drive.open()
        const resolved: number[] = []
        for (let number = 0; number < 30; number++) {
          clock.after(number * 2, () => {
            void rows
              .write([{ key: Uint8Array.of(number), value: Uint8Array.of(1) }])
              .then(() => resolved.push(number))
          })
        }
        await clock.advance(cutAtMs)
        drive.cutPower()
        const kept = (await allRows(drive)).map(({ key }) => key[0])
        expect(kept).toEqual(kept.map((_, number) => number))
        expect(kept.length).toBeGreaterThanOrEqual(resolved.length)
        await clock.advance(100)
        expect(resolved.length).toBeLessThanOrEqual(kept.length)
      }),
    )
  })

  it('lets a rejected write have happened all the same, and stays by it', async () => {
    const outcomes = new Set<string>()
    for (let seed = 0; seed < 20; seed++) {
      const { drive } = driveOf(seed)
      const disk = drive.open()
      const write = (key: string, value: string): Promise<void> =>
        disk.rows.write([{ key: utf8(key), value: utf8(value) }])
      await write('a', 'old')
      drive.conditions = { ...drive.conditions, writeFailureChance: 1 }
      await expect(write('a', 'torn')).rejects.toMatchObject({ code: 'EIO' })
      await expect(write('b', 'torn')).rejects.toMatchObject({ code: 'EIO' })
      drive.conditions = { ...drive.conditions, writeFailureChance: 0 }
      await write('b', 'new')
      const seen = toHex((await disk.rows.get(utf8('a')))!)
      await disk[Symbol.asyncDispose]()
      const rows = await allRows(drive)
      expect(toHex(rows[1]!.value)).toBe(toHex(utf8('new')))
      expect(toHex(rows[0]!.value)).toBe(seen)
      outcomes.add(Buffer.from(rows[0]!.value).toString())
    }
    expect(outcomes).toEqual(new Set(['old', 'torn']))
  })

  it('tears files under way, keeps finished ones and may bring removed ones back', async () => {
    const sizes = new Set<number | undefined>()
    const back = new Set<boolean>()
    for (let seed = 0; seed < 40; seed++) {
      const { clock, drive } = driveOf(seed, { writeMs: 10 })
      const { files } = drive.open()
      const parts = [new Uint8Array(50).fill(1), new Uint8Array(50).fill(2)]
      await clock.run(() => files.write([{ name: '00-a', parts }]))
      await clock.run(() => files.write([{ name: '00-b', parts }]))
      await files.remove('00-b')
      expect(await files.list(0)).toEqual(['00-a'])
      void files.write([{ name: '00-c', parts }])
      drive.cutPower()
      const { files: reopened } = drive.open()
      const whole = { offset: 0, length: 1_000 }
      expect((await reopened.read('00-a', whole))?.length).toBe(100)
      sizes.add((await reopened.read('00-c', whole))?.length)
      back.add((await reopened.list(0)).includes('00-b'))
    }
    expect([...sizes]).toEqual(expect.arrayContaining([undefined, 100]))
    expect(sizes.size).toBeGreaterThan(3)
    expect(back.size).toBe(2)
  })

  it('is full when it is full', async () => {
    const { drive } = driveOf(1, { capacityBytes: 100 })
    const { rows, files } = drive.open()
    await rows.write([{ key: utf8('k'), value: new Uint8Array(59) }])
    expect(await files.freeBytes()).toBe(40)
    const file = { name: '01', parts: [new Uint8Array(41)] }
    await expect(files.write([file])).rejects.toMatchObject({ code: 'ENOSPC' })
  })

  it('is open once at a time, and never again to a process whose power is gone', async () => {
    const { clock, drive } = driveOf(1)
    const first = drive.open()
    expect(() => drive.open()).toThrow(NodeAlreadyRunningError)
    drive.cutPower()
    await using second = drive.open()
    await expect(clock.run(() => first.rows.get(utf8('k')))).rejects.toThrow('no timer')
    expect(await second.rows.get(utf8('k'))).toBeUndefined()
  })

  it('rots a bit at a time', async () => {
    const { drive } = driveOf(1)
    const { files } = drive.open()
    await files.write([{ name: '01', parts: [new Uint8Array(1_000)] }])
    expect(drive.rot(1)).toBe(1)
    const bytes = (await files.read('01', { offset: 0, length: 1_000 }))!
    expect(bytes.filter((byte) => byte !== 0)).toHaveLength(1)
  })

  it('reads ranges in the order of the keys', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.uint8Array({ maxLength: 3 }), { selector: toHex, maxLength: 40 }),
        fc.uint8Array({ maxLength: 3 }),
        fc.uint8Array({ maxLength: 3 }),
        async (keys, from, to) => {
          const { rows } = driveOf(1).drive.open()
          await rows.write(keys.map((key) => ({ key, value: key })))
          const found = await rows.range({ from, to, limit: 10 })
          const expected = keys
            .filter((key) => Buffer.compare(key, from) >= 0 && Buffer.compare(key, to) < 0)
            .toSorted((a, b) => Buffer.compare(a, b))
            .slice(0, 10)
          expect(found.map(({ key }) => toHex(key))).toEqual(expected.map(toHex))
        },
      ),
    )
  })
})

function driveOf(seed: number, conditions: Partial<DriveConditions> = {}) {
  const clock = new SimulatedClock()
  const randomness = new SeededRandomness(seed)
  return { clock, drive: new SimulatedDrive({ clock, randomness, conditions }) }
}

async function allRows(drive: SimulatedDrive): Promise<Row[]> {
  drive.conditions = { ...drive.conditions, readMs: 0 }
  const { rows } = drive.open()
  return await rows.range({ from: new Uint8Array(), to: Uint8Array.of(255, 255), limit: 1_000 })
}
