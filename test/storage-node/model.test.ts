import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { SimulatedDrive } from '../../simulations/disk.ts'
import { SeededRandomness } from '../../simulations/randomness.ts'
import type { NodeKey } from '../../src/protocol/node-key.ts'
import { GRACE_S } from '../../src/storage-node/leases.ts'
import { openSystemDisk } from '../../src/storage-node/system-disk.ts'
import { isSame, testBlock } from '../support/blocks.ts'
import { ALICE, BOB, HandClock, shareBytesOf, TestNode } from '../support/storage-nodes.ts'
import { temporaryFolder } from '../support/temporary.ts'
import type { TestDrive } from '../contracts/share-store.ts'

const blocks = [
  testBlock(1, { required: 2, total: 4 }),
  testBlock(2, { required: 2, total: 4, ciphertextBytes: 40_000 }),
  testBlock(3, { required: 1, total: 3, ciphertextBytes: 9_000 }),
]
const SHARES = 3
const QUOTA_BYTES = 60_000
const CAPACITY_BYTES = 90_000

type Step =
  | { kind: 'put'; who: NodeKey; block: number; index: number; leaseS: number }
  | { kind: 'lease'; who: NodeKey; block: number; leaseS: number }
  | { kind: 'drop'; who: NodeKey; block: number }
  | { kind: 'advance'; seconds: number }
  | { kind: 'collect' | 'reopen' | 'sweep' | 'scrub' }

const who = fc.constantFrom(ALICE, BOB)
const block = fc.nat(blocks.length - 1)
const leaseS = fc.integer({ min: 0, max: 2 * GRACE_S })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      who,
      block,
      index: fc.nat(SHARES - 1),
      leaseS,
    }),
    weight: 4,
  },
  { arbitrary: fc.record({ kind: fc.constant('lease' as const), who, block, leaseS }), weight: 2 },
  { arbitrary: fc.record({ kind: fc.constant('drop' as const), who, block }), weight: 1 },
  {
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      seconds: fc.integer({ min: 1, max: GRACE_S }),
    }),
    weight: 2,
  },
  {
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'collect' as const,
        'reopen' as const,
        'sweep' as const,
        'scrub' as const,
      ),
    }),
    weight: 3,
  },
)

/** What the store has to be equivalent to: leases by share, and nothing else. */
class Model {
  /** `block/index` → caller → expiry; a share that is held has an entry, even if an empty one. */
  readonly shares = new Map<string, Map<NodeKey, number>>()
  nowS = Date.UTC(2026, 0, 1) / 1000

  usedBytes(who?: NodeKey): number {
    let sum = 0
    for (const [name, leases] of this.shares) {
      if (who === undefined || leases.has(who)) sum += shareBytesOf(blocks[Number(name[0])]!)
    }
    return sum
  }

  put({ who, block, index, leaseS }: Extract<Step, { kind: 'put' }>): string {
    const name = `${block}/${index}`
    const bytes = shareBytesOf(blocks[block]!)
    const leases = this.shares.get(name)
    const isNew = leases?.has(who) !== true
    if (isNew && this.usedBytes(who) + bytes > QUOTA_BYTES) return 'quota'
    if (leases === undefined && this.usedBytes() + bytes > CAPACITY_BYTES) return 'full'
    this.#lease(name, who, leaseS)
    return leases === undefined ? 'stored' : 'have'
  }

  lease({ who, block, leaseS }: Extract<Step, { kind: 'lease' }>): number[] {
    return this.held(block).filter((index) => {
      const name = `${block}/${index}`
      const isNew = !this.shares.get(name)!.has(who)
      if (isNew && this.usedBytes(who) + shareBytesOf(blocks[block]!) > QUOTA_BYTES) return false
      this.#lease(name, who, leaseS)
      return true
    })
  }

  drop({ who, block }: Extract<Step, { kind: 'drop' }>): number {
    return this.held(block).filter((index) => this.shares.get(`${block}/${index}`)!.delete(who))
      .length
  }

  collect(): void {
    for (const [name, leases] of this.shares) {
      for (const [who, expiry] of leases) if (expiry + GRACE_S <= this.nowS) leases.delete(who)
      if (leases.size === 0) this.shares.delete(name)
    }
  }

  held(block: number): number[] {
    return [...Array(SHARES).keys()].filter((index) => this.shares.has(`${block}/${index}`))
  }

  #lease(name: string, who: NodeKey, leaseS: number): void {
    const leases = this.shares.get(name) ?? new Map<NodeKey, number>()
    leases.set(who, Math.max(leases.get(who) ?? 0, this.nowS + leaseS))
    this.shares.set(name, leases)
  }
}

async function play(drive: TestDrive, steps: readonly Step[]): Promise<void> {
  const clock = new HandClock()
  const model = new Model()
  const openNode = async (): Promise<TestNode> =>
    TestNode.open({
      disk: await drive.open(),
      clock,
      quotaBytes: QUOTA_BYTES,
      capacityBytes: CAPACITY_BYTES,
    })
  let node = await openNode()
  try {
    for (const step of steps) {
      switch (step.kind) {
        case 'put':
          expect(await node.put(step.who, blocks[step.block]!, step.index, step.leaseS)).toBe(
            model.put(step),
          )
          break
        case 'lease':
          expect(await node.lease(step.who, [blocks[step.block]!.id], step.leaseS)).toEqual([
            model.lease(step),
          ])
          break
        case 'drop': {
          const { id } = blocks[step.block]!
          const { dropped } = await node.ask<'drop'>(step.who, { op: 'drop', ids: [id] })
          expect(dropped).toBe(model.drop(step))
          break
        }
        case 'advance':
          clock.advanceS(step.seconds)
          model.nowS += step.seconds
          break
        case 'collect':
          await node.node.collect()
          model.collect()
          break
        case 'reopen':
          await node[Symbol.asyncDispose]()
          node = await openNode()
          break
        case 'sweep':
          expect(await node.node.sweep()).toEqual({ strays: 0, missing: 0 })
          break
        case 'scrub':
          expect(await node.node.scrub()).toEqual({
            shares: model.shares.size,
            records: 0,
            lost: 0,
          })
          break
      }
      await expectLike(node, model)
    }
    expect(await node.node.recount()).toBe(true)
  } finally {
    await node[Symbol.asyncDispose]()
  }
}

async function expectLike(node: TestNode, model: Model): Promise<void> {
  for (const [at, { id, shards }] of blocks.entries()) {
    const held = model.held(at)
    expect(await node.held(id)).toEqual(held)
    for (const index of held) expect(isSame(await node.get(id, index), shards[index])).toBe(true)
  }
  for (const who of [ALICE, BOB]) {
    expect(await node.ask<'stat'>(who, { op: 'stat' })).toMatchObject({
      usedBytes: model.usedBytes(),
      shares: model.shares.size,
      account: { usedBytes: model.usedBytes(who) },
    })
  }
}

test('any sequence of steps leaves a store like the model, on a simulated drive', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const drive = new SimulatedDrive({
        clock: new HandClock(),
        randomness: new SeededRandomness(1),
      })
      await play({ open: async () => drive.open() }, steps)
    }),
    { numRuns: 150 },
  )
})

test('any sequence of steps leaves a store like the model, on level and files', async () => {
  const home = await temporaryFolder()
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 30 }), async (steps) => {
      const folder = `${home}/${run++}`
      await play({ open: () => openSystemDisk(folder) }, steps)
    }),
    { numRuns: 10 },
  )
})

test('a power cut at any moment costs nothing that was acknowledged', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(60), async (seed, turns) => {
      const randomness = new SeededRandomness(seed)
      const drive = new SimulatedDrive({ clock: new HandClock(), randomness })
      const node = await TestNode.open({ disk: drive.open() })
      const acknowledged = new Set<string>()
      const all = blocks.flatMap((block) => [0, 1, 2].map((index) => ({ block, index })))
      for (const { block, index } of all) {
        const note = (): unknown => acknowledged.add(`${blocks.indexOf(block)}-${index}`)
        void node.put(index === 0 ? BOB : ALICE, block, index).then(note, () => undefined)
      }
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      drive.cutPower()
      await using reopened = await TestNode.open({ disk: drive.open() })
      for (const { block, index } of all) {
        const bytes = await reopened.get(block.id, index)
        if (acknowledged.has(`${blocks.indexOf(block)}-${index}`) || bytes !== undefined) {
          expect(isSame(bytes, block.shards[index])).toBe(true)
        }
      }
      expect(await reopened.node.recount()).toBe(true)
      expect((await reopened.node.sweep()).missing).toBe(0)
      expect(await reopened.node.sweep()).toEqual({ strays: 0, missing: 0 })
    }),
    { numRuns: 200 },
  )
})

test('what rots or goes missing is found, reported, and replaced by the next good copy', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.boolean(), async (seed, scrubs) => {
      const drive = new SimulatedDrive({
        clock: new HandClock(),
        randomness: new SeededRandomness(seed),
      })
      await using node = await TestNode.open({ disk: drive.open() })
      for (const block of blocks) for (const i of [0, 1]) await node.put(ALICE, block, i)
      const rotten = drive.rot(3)
      if (scrubs) {
        expect((await node.node.scrub()).lost).toBe(rotten)
        expect(node.events.filter(({ kind }) => kind === 'share-lost')).toHaveLength(rotten)
      }
      const outcomes: string[] = []
      for (const block of blocks) {
        for (const i of [0, 1]) outcomes.push(await node.put(ALICE, block, i))
      }
      expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(rotten)
      for (const block of blocks) {
        for (const i of [0, 1])
          expect(isSame(await node.get(block.id, i), block.shards[i])).toBe(true)
      }
      expect(await node.node.scrub()).toEqual({ shares: 6, records: 0, lost: 0 })
      expect(await node.node.sweep()).toEqual({ strays: 0, missing: 0 })
      expect(await node.node.recount()).toBe(true)
    }),
    { numRuns: 50 },
  )
})

test('a proof is never made from rotten bytes', async () => {
  const drive = new SimulatedDrive({ clock: new HandClock(), randomness: new SeededRandomness(5) })
  await using node = await TestNode.open({ disk: drive.open() })
  const large = testBlock(9, { ciphertextBytes: 300_000 })
  await node.put(ALICE, large, 0)
  expect(drive.rot(1)).toBe(1)
  const leaves = { first: 0, count: 1 }
  const reply = await node.ask<'get'>(ALICE, { op: 'get', id: large.id, leaves })
  expect(reply.share).toBeUndefined()
  expect(node.events).toMatchObject([{ kind: 'share-lost', why: 'rotten' }])
})
