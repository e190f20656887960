import * as fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { SimulatedClock } from '../../simulations/clock.ts'
import { SimulatedDrive } from '../../simulations/disk.ts'
import { SeededRandomness } from '../../simulations/randomness.ts'
import { quotaBytesOf } from '../../src/storage-node/quota.ts'
import { Room } from '../../src/storage-node/room.ts'
import { testBlock } from '../support/blocks.ts'
import { ALICE, HandClock, TestNode } from '../support/storage-nodes.ts'

const code = { required: 1, total: 1 }
const large = (seed: number) => testBlock(seed, { ...code, ciphertextBytes: 66_000 })

describe('room', () => {
  it('is never promised twice, whatever is claimed, given back and limited', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('claim' as const), bytes: fc.nat(400) }),
      fc.record({ kind: fc.constant('release' as const), at: fc.nat(20) }),
      fc.record({
        kind: fc.constant('limit' as const),
        capacity: fc.nat(3000),
        reserve: fc.nat(900),
      }),
    )
    await fc.assert(
      fc.asyncProperty(fc.nat(2000), fc.array(step, { maxLength: 40 }), async (free, steps) => {
        const files = { freeBytes: () => Promise.resolve(free) }
        const room = new Room({
          capacityBytes: 1000,
          reserveBytes: 100,
          files,
          clock: new HandClock(),
        })
        await room.refresh()
        const claims: { bytes: number; claim: Disposable }[] = []
        for (const each of steps) {
          const claimed = claims.reduce((sum, { bytes }) => sum + bytes, 0)
          const left = Math.min(room.capacityBytes, free - room.reserveBytes) - claimed
          if (each.kind === 'claim') {
            const claim = room.claim(0, each.bytes)
            expect(claim !== undefined).toBe(each.bytes <= Math.max(0, left))
            if (claim !== undefined) claims.push({ bytes: each.bytes, claim })
          } else if (each.kind === 'release') {
            claims.splice(each.at, 1)[0]?.claim[Symbol.dispose]()
          } else {
            room.limit({ capacityBytes: each.capacity, reserveBytes: each.reserve })
          }
        }
      }),
    )
  })
})

test('files that are written side by side leave the reserve alone', async () => {
  const clock = new SimulatedClock()
  const randomness = new SeededRandomness(3)
  const conditions = { writeMs: 50, capacityBytes: 2_000_000 }
  const drive = new SimulatedDrive({ clock, randomness, conditions })
  const reserveBytes = 1_000_000
  const node = await clock.run(() => TestNode.open({ disk: drive.open(), clock, reserveBytes }))
  // All come at once: none is written when the disk says what it has free.
  const outcomes = await clock.run(() =>
    Promise.all(Array.from({ length: 40 }, (_, seed) => node.put(ALICE, large(seed), 0))),
  )
  expect(new Set(outcomes)).toEqual(new Set(['stored', 'full']))
  expect(conditions.capacityBytes - drive.usedBytes).toBeGreaterThanOrEqual(reserveBytes)
  // What was promised to them is given back.
  expect(await clock.run(() => node.usedBytesOf(ALICE))).toBeGreaterThan(10 * 66_000)
  const { freeBytes } = await clock.run(() => node.ask<'stat'>(ALICE, { op: 'stat' }))
  expect(freeBytes).toBeLessThan(67_000)
  await clock.run(() => node[Symbol.asyncDispose]())
})

test('a node that is told to offer less keeps what it has and takes nothing more; then more, and takes again', async () => {
  const drive = new SimulatedDrive({ clock: new HandClock(), randomness: new SeededRandomness(1) })
  await using node = await TestNode.open({ disk: drive.open() })
  expect(await node.put(ALICE, large(1), 0)).toBe('stored')
  for (const conditions of [
    { capacityBytes: 10, reserveBytes: 0 },
    { capacityBytes: 2 ** 40, reserveBytes: 2 ** 41 },
    { capacityBytes: 2 ** 40, reserveBytes: 0, draining: true },
  ]) {
    node.node.configure(conditions)
    expect(await node.put(ALICE, large(2), 0)).toBe('full')
    expect(await node.put(ALICE, large(1), 0)).toBe('have')
    expect(await node.held(large(1).id)).toEqual([0])
  }
  expect((await node.ask<'hello'>(ALICE, { op: 'hello' })).capacityBytes).toBe(0)
  node.node.configure({ capacityBytes: 2 ** 40, reserveBytes: 0 })
  expect(await node.put(ALICE, large(2), 0)).toBe('stored')
})

test('a quota is what the grid grants, else what the operator says, else what the account offers', () => {
  const offeredBytes = 9e9
  expect(quotaBytesOf({ grantedBytes: 1, nodeDefaultBytes: 2, offeredBytes })).toBe(1)
  expect(quotaBytesOf({ grantedBytes: 0, offeredBytes })).toBe(0)
  expect(quotaBytesOf({ nodeDefaultBytes: 2, offeredBytes })).toBe(2)
  expect(quotaBytesOf({ offeredBytes })).toBe(offeredBytes)
  expect(quotaBytesOf({ offeredBytes: 0 })).toBe(5e9)
})
