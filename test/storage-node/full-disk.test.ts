import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { SimulatedClock } from '../../simulations/clock.ts'
import { SimulatedDrive } from '../../simulations/disk.ts'
import { SeededRandomness } from '../../simulations/randomness.ts'
import type { PutOutcome } from '../../src/protocol/messages.ts'
import { openSystemDisk } from '../../src/storage-node/system-disk.ts'
import { isSame, testBlock, type TestBlock } from '../support/blocks.ts'
import { failingDisk } from '../support/disk-wrappers.ts'
import { ALICE, BOB, HandClock, TestNode } from '../support/storage-nodes.ts'
import { temporaryFolder } from '../support/temporary.ts'

const code = { required: 1, total: 1 }
const small = (seed: number): TestBlock => testBlock(seed, code)
const medium = (seed: number): TestBlock => testBlock(seed, { ...code, ciphertextBytes: 13_000 })
const large = (seed: number): TestBlock => testBlock(seed, { ...code, ciphertextBytes: 66_000 })

for (const code of ['ENOSPC', 'EDQUOT']) {
  for (const where of ['rows', 'files'] as const) {
    test(`${code} on ${where} is the answer "full", and the node goes on`, async () => {
      let failing = false
      const home = await temporaryFolder()
      const inner = await openSystemDisk(home)
      const disk = failingDisk(inner, (at) => (failing && at === where ? code : undefined))
      await using node = await TestNode.open({ disk })
      await node.put(ALICE, large(1), 0)
      await node.put(ALICE, small(2), 0)
      failing = true
      const outcomes = await Promise.all(
        [3, 4, 5, 6].map((seed) => node.put(ALICE, large(seed), 0)),
      )
      expect(outcomes).toEqual(['full', 'full', 'full', 'full'])
      if (where === 'rows') expect(await node.put(ALICE, small(7), 0)).toBe('full')
      failing = false
      expect(isSame(await node.get(large(1).id), large(1).shards[0])).toBe(true)
      for (const seed of [3, 4, 5, 6]) {
        expect(await node.put(ALICE, large(seed), 0)).toBe('stored')
        expect(isSame(await node.get(large(seed).id), large(seed).shards[0])).toBe(true)
      }
      await node.node.sweep()
      expect(await node.node.sweep()).toEqual({ strays: 0, missing: 0 })
      expect(await node.node.recount()).toBe(true)
    })
  }
}

test('a disk that fails otherwise is a refusal, and the node goes on', async () => {
  let failing = false
  const inner = await openSystemDisk(await temporaryFolder())
  const disk = failingDisk(inner, () => (failing ? 'EIO' : undefined))
  await using node = await TestNode.open({ disk })
  await node.put(ALICE, small(1), 0)
  failing = true
  for (const { manifest, shards } of [small(2), large(3)]) {
    const put = { op: 'put', manifest, index: 0, leaseS: 1, shard: shards[0]! } as const
    const reply = await node.node.handle(ALICE, put)
    expect(reply).toMatchObject({ op: 'refused', reason: 'internal' })
  }
  const lease = { op: 'lease', ids: [small(1).id], leaseS: 5 } as const
  expect(await node.node.handle(BOB, lease)).toMatchObject({ op: 'refused', reason: 'internal' })
  failing = false
  expect(await node.held(small(1).id)).toEqual([0])
  expect(await node.usedBytesOf(BOB)).toBe(0)
  expect(await node.put(ALICE, large(3), 0)).toBe('stored')
  expect(await node.node.recount()).toBe(true)
})

test('a disk that has turned read-only is told in a sentence, to callers and the operator, and goes on being read', async () => {
  let failing = false
  const inner = await openSystemDisk(await temporaryFolder())
  const disk = failingDisk(inner, () => (failing ? 'EROFS' : undefined))
  const clock = new HandClock()
  await using node = await TestNode.open({ disk, clock })
  await node.put(ALICE, large(1), 0)
  failing = true
  const { manifest, shards } = large(2)
  const put = { op: 'put', manifest, index: 0, leaseS: 1, shard: shards[0]! } as const
  const message = 'The disk of this node is read-only.'
  for (let round = 0; round < 3; round++) {
    expect(await node.node.handle(ALICE, put)).toMatchObject({ op: 'refused', message })
    // Not once for each request that failed.
    expect(node.events).toEqual([{ kind: 'disk-error', message }])
  }
  clock.advanceS(61)
  await node.node.handle(ALICE, put)
  expect(node.events).toHaveLength(2)
  expect(isSame(await node.get(large(1).id), large(1).shards[0])).toBe(true)
})

test('whatever fails on a drive that fails often, acknowledged shares stay and sums are right', async () => {
  for (let seed = 0; seed < 12; seed++) {
    const randomness = new SeededRandomness(seed)
    const clock = new HandClock()
    const drive = new SimulatedDrive({ clock, randomness })
    const kept = new Map<number, TestBlock>()
    {
      await using node = await TestNode.open({ disk: drive.open(), clock })
      drive.conditions = { ...drive.conditions, writeFailureChance: 0.3 }
      const work = async (at: number): Promise<void> => {
        const block = at % 2 === 0 ? small(at) : large(at)
        const put = {
          op: 'put',
          manifest: block.manifest,
          index: 0,
          leaseS: 9,
          shard: block.shards[0]!,
        } as const
        const reply = await node.node.handle(ALICE, put)
        if (reply.op === 'put' && reply.outcome === 'stored') kept.set(at, block)
        await node.node.handle(BOB, { op: 'lease', ids: [block.id], leaseS: 9 })
        if (at % 5 === 0) await node.node.sweep().catch(() => undefined)
      }
      await Promise.all(Array.from({ length: 20 }, (_, at) => work(at)))
      drive.conditions = { ...drive.conditions, writeFailureChance: 0 }
      // One more write, so that what is in memory is what is on the drive.
      await node.lease(
        BOB,
        [...kept.values()].map(({ id }) => id),
      )
      expect(await node.node.recount()).toBe(true)
    }
    await using node = await TestNode.open({ disk: drive.open(), clock })
    for (const { id, shards } of kept.values()) {
      expect(isSame(await node.get(id), shards[0])).toBe(true)
    }
    expect(await node.node.recount()).toBe(true)
  }
})

test('puts that come before the disk has told its free space wait for it', async () => {
  const clock = new SimulatedClock()
  const randomness = new SeededRandomness(1)
  const drive = new SimulatedDrive({ clock, randomness, conditions: { readMs: 10, writeMs: 10 } })
  const node = await clock.run(() => TestNode.open({ disk: drive.open(), clock }))
  const seeds = [...Array(20).keys()]
  const outcomes = await clock.run(() =>
    Promise.all(
      seeds.map((seed) => node.put(ALICE, seed % 2 === 0 ? small(seed) : large(seed), 0)),
    ),
  )
  expect(new Set(outcomes)).toEqual(new Set(['stored']))
  await clock.run(() => node[Symbol.asyncDispose]())
})

/** A file system of 48 MiB, where this machine lets us have one. */
async function smallFileSystem(): Promise<string | undefined> {
  const folder = await temporaryFolder()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]))
  return folder
}

test('a file system that is really full takes nothing, loses nothing, and takes again when there is room', async () => {
  const home = await smallFileSystem()
  // Only root may mount; the injected failures above hold for everyone.
  if (home === undefined) return
  const ballast = join(home, 'ballast')
  writeFileSync(ballast, new Uint8Array(20 * 1024 * 1024))
  const kept: TestBlock[] = []
  const outcomes = new Set<PutOutcome | 'refused'>()
  {
    const clock = new HandClock()
    await using node = await TestNode.open({ disk: await openSystemDisk(join(home, 'n')), clock })
    const fill = async (seeds: number[], make: (seed: number) => TestBlock): Promise<void> => {
      const work = seeds.map(async (seed) => {
        const block = make(seed)
        const put = {
          op: 'put',
          manifest: block.manifest,
          index: 0,
          leaseS: 9,
          shard: block.shards[0]!,
        } as const
        const reply = await node.node.handle(ALICE, put)
        outcomes.add(reply.op === 'put' ? reply.outcome : 'refused')
        if (reply.op === 'put' && reply.outcome === 'stored') kept.push(block)
      })
      await Promise.all(work)
    }
    // The clock stands still, so the node goes on believing what the disk once said of its free space.
    let fullRounds = 0
    for (let round = 0; round < 60 && fullRounds < 4; round++) {
      if (outcomes.has('full')) fullRounds++
      await fill(
        [...Array(8).keys()].map((i) => round * 100 + i),
        large,
      )
      await fill(
        [...Array(30).keys()].map((i) => round * 100 + 50 + i),
        medium,
      )
    }
    expect(outcomes).toEqual(new Set(['stored', 'full']))
    for (const { id, shards } of kept) expect(isSame(await node.get(id), shards[0])).toBe(true)
    rmSync(ballast)
    clock.advanceS(5)
    outcomes.clear()
    await fill([90_000], large)
    await fill([90_001], small)
    expect(outcomes).toEqual(new Set(['stored']))
    expect(await node.node.recount()).toBe(true)
    await node.node.sweep()
  }
  await using node = await TestNode.open({ disk: await openSystemDisk(join(home, 'n')) })
  for (const { id, shards } of kept) expect(isSame(await node.get(id), shards[0])).toBe(true)
  expect(await node.node.recount()).toBe(true)
  expect((await node.node.scrub()).lost).toBe(0)
})
