import { describe, expect, test } from 'vitest'
import { SimulatedClock } from '../../simulations/clock.ts'
import { SimulatedDrive } from '../../simulations/disk.ts'
import { SeededRandomness } from '../../simulations/randomness.ts'
import type { Clock } from '../../src/foundation/clock.ts'
import { GRACE_S } from '../../src/storage-node/leases.ts'
import { testBlock } from '../support/blocks.ts'
import { ALICE, TestNode } from '../support/storage-nodes.ts'

const HOUR_MS = 3600_000
const DAY_MS = 24 * HOUR_MS
const blocks = Array.from({ length: 40 }, (_, seed) => {
  return testBlock(seed, { ciphertextBytes: seed % 2 === 0 ? 900 : 60_000 })
})

function driveOf(clock: Clock, seed = 1): SimulatedDrive {
  return new SimulatedDrive({ clock, randomness: new SeededRandomness(seed) })
}

describe('maintenance', () => {
  test('finds all that rots within a month and a bit, without being asked', async () => {
    const clock = new SimulatedClock()
    const drive = driveOf(clock)
    const node = await TestNode.open({ disk: drive.open(), clock })
    for (const block of blocks) await node.put(ALICE, block, 0, 100 * 24 * 3600)
    expect(drive.rot(12)).toBe(12)
    node.node.startMaintenance()
    await clock.advance(31 * DAY_MS)
    expect(node.events.filter(({ kind }) => kind === 'share-lost')).toHaveLength(12)
    await clock.run(() => node[Symbol.asyncDispose]())
  })

  test('goes on where it was after a restart', async () => {
    const clock = new SimulatedClock()
    const drive = driveOf(clock)
    let lost = 0
    for (let day = 0; day < 33; day++) {
      const node = await TestNode.open({ disk: drive.open(), clock })
      if (day === 0) {
        for (const block of blocks) await node.put(ALICE, block, 0, 100 * 24 * 3600)
        drive.rot(12)
      }
      node.node.startMaintenance()
      // On for a part of the day: the rest is made good the next time.
      await clock.advance(3 * HOUR_MS)
      lost += node.events.filter(({ kind }) => kind === 'share-lost').length
      await clock.run(() => node[Symbol.asyncDispose]())
      await clock.advance(21 * HOUR_MS)
    }
    expect(lost).toBe(12)
  })

  test('collects within hours what nobody leases any more', async () => {
    const clock = new SimulatedClock()
    await using node = await TestNode.open({ disk: driveOf(clock).open(), clock })
    for (const block of blocks) await node.put(ALICE, block, 0, 3600)
    node.node.startMaintenance()
    await clock.advance(GRACE_S * 1000)
    expect(await node.held(blocks[0]!.id)).toEqual([0])
    await clock.advance(3 * HOUR_MS)
    expect((await node.ask<'stat'>(ALICE, { op: 'stat' })).shares).toBe(0)
    expect(node.events).toEqual([expect.objectContaining({ kind: 'collected', shares: 40 })])
  })

  test('a calendar that jumps ahead for a while deletes nothing', async () => {
    const clock = new SimulatedClock()
    let offsetMs = 0
    const jumpy: Clock = {
      nowMs: () => clock.nowMs() + offsetMs,
      monotonicMs: () => clock.monotonicMs(),
      after: (delayMs, action) => clock.after(delayMs, action),
    }
    await using node = await TestNode.open({ disk: driveOf(clock).open(), clock: jumpy })
    await node.put(ALICE, blocks[0]!, 0)
    node.node.startMaintenance()
    await clock.advance(2.5 * HOUR_MS)
    offsetMs = 3650 * DAY_MS
    await clock.advance(HOUR_MS)
    offsetMs = 0
    await clock.advance(2 * HOUR_MS)
    expect(await node.held(blocks[0]!.id)).toEqual([0])
    expect(node.events).toMatchObject([{ kind: 'clock-jumped' }])
  })

  test('clears away at the start what a crash left, and reports what is missing', async () => {
    const clock = new SimulatedClock()
    const drive = driveOf(clock, 3)
    {
      await using node = await TestNode.open({ disk: drive.open(), clock })
      await node.put(ALICE, blocks[1]!, 0)
    }
    const [folder] = blocks[1]!.id
    const disk = drive.open()
    const [name] = await disk.files.list(folder!)
    await disk.files.remove(name!)
    await disk.files.write([{ name: `${name!.slice(0, 2)}-0-0`, parts: [new Uint8Array(9)] }])
    await using node = await TestNode.open({ disk, clock })
    node.node.startMaintenance()
    await clock.advance(1000)
    expect(node.events).toMatchObject([
      { kind: 'share-lost', why: 'missing' },
      { kind: 'strays-removed', files: 1 },
    ])
    expect(await node.held(blocks[1]!.id)).toEqual([])
    expect(await disk.files.list(folder!)).toEqual([])
  })
})
