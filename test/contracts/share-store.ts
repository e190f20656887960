import { describe, expect, test } from 'vitest'
import { LEAF_BYTES } from '../../src/crypto/merkle.ts'
import { hasShare } from '../../src/protocol/bitmap.ts'
import {
  areLeaves,
  decodeManifest,
  openManifest,
  shardLeavesOf,
} from '../../src/protocol/manifest.ts'
import { NodeAlreadyRunningError, type Disk } from '../../src/storage-node/disk.ts'
import { GRACE_S } from '../../src/storage-node/leases.ts'
import { isSame, testBlock } from '../support/blocks.ts'
import {
  ALICE,
  BOB,
  HandClock,
  shareBytesOf,
  STRANGER,
  TestNode,
  type TestNodeOptions,
} from '../support/storage-nodes.ts'

/** A drive that can be opened again after it was closed. */
export interface TestDrive {
  open(): Promise<Disk>
}

const small = testBlock(1)
const large = testBlock(2, { ciphertextBytes: 300_000 })
const mixed = [small, large, testBlock(3), testBlock(4, { ciphertextBytes: 60_000 })]

/** What every store of shares keeps to, whatever disk it lies on. */
export function shareStoreContract(name: string, makeDrive: () => Promise<TestDrive>): void {
  const openNode = async (options: Omit<TestNodeOptions, 'disk'> = {}): Promise<TestNode> => {
    const drive = await makeDrive()
    return TestNode.open({ ...options, disk: await drive.open() })
  }

  describe(`share store on ${name}: keeping`, () => {
    test('gives back exactly what was put, also after it was opened again', async () => {
      const drive = await makeDrive()
      {
        await using node = await TestNode.open({ disk: await drive.open() })
        for (const block of mixed) expect(await node.put(ALICE, block, 1)).toBe('stored')
        expect(await node.put(ALICE, large, 7)).toBe('stored')
        for (const block of mixed)
          expect(isSame(await node.get(block.id), block.shards[1])).toBe(true)
      }
      await using node = await TestNode.open({ disk: await drive.open() })
      for (const block of mixed)
        expect(isSame(await node.get(block.id), block.shards[1])).toBe(true)
      expect(isSame(await node.get(large.id, 7), large.shards[7])).toBe(true)
      expect(await node.held(large.id)).toEqual([1, 7])
      expect(await node.node.recount()).toBe(true)
    })

    test('takes a share once, and leases it to everyone who brings it', async () => {
      await using node = await openNode()
      for (const block of [small, large]) {
        expect(await node.put(ALICE, block, 0)).toBe('stored')
        expect(await node.put(ALICE, block, 0)).toBe('have')
        expect(await node.put(BOB, block, 0)).toBe('have')
      }
      const bytes = shareBytesOf(small) + shareBytesOf(large)
      const stat = await node.ask<'stat'>(BOB, { op: 'stat' })
      expect(stat).toMatchObject({ usedBytes: bytes, shares: 2, account: { usedBytes: bytes } })
    })

    test('the same share put by many at once is stored once', async () => {
      await using node = await openNode()
      for (const block of [small, large]) {
        const callers = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? ALICE : BOB))
        const outcomes = await Promise.all(callers.map((caller) => node.put(caller, block, 3)))
        expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(1)
        expect(outcomes.filter((outcome) => outcome === 'have')).toHaveLength(19)
        expect(isSame(await node.get(block.id), block.shards[3])).toBe(true)
      }
      expect(await node.node.sweep()).toEqual({ strays: 0, missing: 0 })
      expect(await node.node.recount()).toBe(true)
    })

    test('refuses a share that is not the one its manifest names', async () => {
      await using node = await openNode()
      const shard = small.shards[0]!
      const flipped = shard.with(5, shard[5]! ^ 1)
      const bad = [
        { manifest: small.manifest, index: 1, shard },
        { manifest: small.manifest, index: 10, shard },
        { manifest: small.manifest, index: 0, shard: flipped },
        { manifest: small.manifest, index: 0, shard: shard.subarray(1) },
        { manifest: small.manifest.subarray(1), index: 0, shard },
        { manifest: new Uint8Array(0), index: 0, shard: new Uint8Array(0) },
      ]
      for (const put of bad) {
        const reply = await node.ask<'put'>(ALICE, { op: 'put', leaseS: 1, ...put })
        expect(reply.outcome).toBe('bad')
      }
      expect(await node.ask<'stat'>(ALICE, { op: 'stat' })).toMatchObject({ shares: 0 })
    })

    test('serves nobody it does not know', async () => {
      await using node = await openNode()
      const reply = await node.node.handle(STRANGER, { op: 'hello' })
      expect(reply).toMatchObject({ op: 'refused', reason: 'unserved' })
    })
  })

  describe(`share store on ${name}: reading`, () => {
    test('proves any range of leaves against the id', async () => {
      await using node = await openNode()
      await node.put(ALICE, large, 2)
      const manifest = decodeManifest(large.manifest)
      const leaves = shardLeavesOf(manifest)
      for (const [first, count] of [
        [0, 1],
        [leaves - 1, 1],
        [1, 3],
        [0, leaves],
      ] as const) {
        const request = { op: 'get', id: large.id, leaves: { first, count } } as const
        const { share } = await node.ask<'get'>(ALICE, request)
        expect(areLeaves(manifest, { ...share!, firstLeaf: first })).toBe(true)
      }
    })

    test('has nothing to say of shares and leaves that it does not hold', async () => {
      await using node = await openNode()
      await node.put(ALICE, large, 2)
      expect(await node.get(small.id)).toBeUndefined()
      expect(await node.get(large.id, 1)).toBeUndefined()
      for (const leaves of [
        { first: 7, count: 1 },
        { first: 0, count: 8 },
        { first: Number.MAX_SAFE_INTEGER, count: 1 },
      ]) {
        const reply = await node.ask<'get'>(ALICE, { op: 'get', id: large.id, leaves })
        expect(reply.share).toBeUndefined()
      }
      expect(await node.held(large.id)).toEqual([2])
    })

    test('answers an audit leaf by leaf', async () => {
      await using node = await openNode()
      await node.put(ALICE, large, 2)
      const { proofs } = await node.ask<'audit'>(ALICE, {
        op: 'audit',
        leaves: [
          { id: large.id, index: 2, leaf: 3 },
          { id: large.id, index: 1, leaf: 0 },
          { id: large.id, index: 2, leaf: 99 },
          { id: small.id, index: 0, leaf: 0 },
        ],
      })
      const leaf = proofs[0]!
      const shard = large.shards[2]!
      expect(new Uint8Array(leaf.bytes)).toEqual(shard.slice(3 * LEAF_BYTES, 4 * LEAF_BYTES))
      const manifest = decodeManifest(large.manifest)
      expect(areLeaves(manifest, { index: 2, firstLeaf: 3, ...leaf })).toBe(true)
      expect(proofs.slice(1)).toEqual([undefined, undefined, undefined])
      expect(leaf.manifest).toBeUndefined()
    })

    test('gives manifests along with leaves if asked for them', async () => {
      await using node = await openNode()
      await node.put(ALICE, large, 2)
      const leaves = [{ id: large.id, index: 2, leaf: 3 }]
      const request = { op: 'audit' as const, leaves, manifests: true as const }
      const { proofs } = await node.ask<'audit'>(ALICE, request)
      const { manifest: encoded = new Uint8Array(), ...leaf } = proofs[0]!
      const manifest = openManifest(large.id, encoded)
      expect(areLeaves(manifest, { index: 2, firstLeaf: 3, ...leaf })).toBe(true)
    })
  })

  describe(`share store on ${name}: leases`, () => {
    test('leases a full request of ids in one step, present or not', async () => {
      await using node = await openNode()
      const blocks = Array.from({ length: 200 }, (_, i) => testBlock(100 + i))
      await Promise.all(blocks.map((block) => node.put(ALICE, block, 4)))
      const ids = Array.from(
        { length: 1900 },
        (_, i) => testBlock(100 + (i % 400), { total: 5 }).id,
      )
      blocks.forEach((block, i) => (ids[i * 9] = block.id))
      const { holdings } = await node.ask<'lease'>(BOB, { op: 'lease', ids, leaseS: 5 })
      expect(holdings.filter((bitmap) => hasShare(bitmap, 4))).toHaveLength(200)
      expect(await node.usedBytesOf(BOB)).toBe(200 * shareBytesOf(blocks[0]!))
      expect(await node.node.recount()).toBe(true)
    })

    test('nothing goes before its lease and grace are over, and then it goes', async () => {
      const clock = new HandClock()
      await using node = await openNode({ clock })
      for (const block of [small, large]) await node.put(ALICE, block, 0, 100)
      clock.advanceS(100 + GRACE_S - 1)
      expect(await node.node.collect()).toEqual({ shares: 0, records: 0, bytes: 0 })
      clock.advanceS(1)
      const bytes = shareBytesOf(small) + shareBytesOf(large)
      expect(await node.node.collect()).toEqual({ shares: 2, records: 0, bytes })
      expect(await node.get(large.id)).toBeUndefined()
      expect(await node.usedBytesOf(ALICE)).toBe(0)
      expect(await node.node.sweep()).toEqual({ strays: 0, missing: 0 })
    })

    test('only an owner drops its lease', async () => {
      await using node = await openNode()
      await node.put(ALICE, small, 0)
      const drop = { op: 'drop', ids: [small.id, large.id] } as const
      expect(await node.ask<'drop'>(BOB, drop)).toEqual({ op: 'drop', dropped: 0 })
      await node.node.collect()
      expect(await node.held(small.id)).toEqual([0])
      expect(await node.ask<'drop'>(ALICE, drop)).toEqual({ op: 'drop', dropped: 1 })
      expect(await node.usedBytesOf(ALICE)).toBe(0)
      expect(await node.held(small.id)).toEqual([0])
      await node.node.collect()
      expect(await node.held(small.id)).toEqual([])
    })

    test('renewing does not cut a lease short', async () => {
      const clock = new HandClock()
      await using node = await openNode({ clock })
      await node.put(ALICE, small, 0, 1000)
      await node.lease(ALICE, [small.id], 1)
      clock.advanceS(999 + GRACE_S)
      await node.node.collect()
      expect(await node.held(small.id)).toEqual([0])
    })
  })

  describe(`share store on ${name}: limits`, () => {
    test('a quota bounds what an account leases, by PUT and by LEASE', async () => {
      const quotaBytes = 2 * shareBytesOf(small)
      await using node = await openNode({ quotaBytes })
      expect(await node.put(ALICE, small, 0)).toBe('stored')
      expect(await node.put(ALICE, large, 0)).toBe('quota')
      expect(await node.put(ALICE, small, 1)).toBe('stored')
      expect(await node.put(ALICE, small, 2)).toBe('quota')
      expect(await node.put(ALICE, small, 1)).toBe('have')
      expect(await node.put(BOB, small, 2)).toBe('stored')
      expect(await node.lease(BOB, [small.id])).toEqual([[0, 2]])
      expect(await node.usedBytesOf(BOB)).toBe(quotaBytes)
      expect(await node.put(BOB, small, 1)).toBe('quota')
      expect(await node.node.recount()).toBe(true)
    })

    test('capacity bounds what all keep together, however they race', async () => {
      for (const block of [small, large]) {
        await using node = await openNode({ capacityBytes: 3 * shareBytesOf(block) + 5 })
        const outcomes = await Promise.all(block.shards.map((_, i) => node.put(ALICE, block, i)))
        expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(3)
        expect(outcomes.filter((outcome) => outcome === 'full')).toHaveLength(7)
        expect(await node.ask<'stat'>(ALICE, { op: 'stat' })).toMatchObject({ freeBytes: 5 })
        expect(await node.node.sweep()).toEqual({ strays: 0, missing: 0 })
      }
    })
  })

  describe(`share store on ${name}: opening`, () => {
    test('one process at a time', async () => {
      const drive = await makeDrive()
      await using _node = await TestNode.open({ disk: await drive.open() })
      await expect(drive.open()).rejects.toThrow(NodeAlreadyRunningError)
    })

    test('leases and usage outlive a restart', async () => {
      const drive = await makeDrive()
      const clock = new HandClock()
      {
        await using node = await TestNode.open({ disk: await drive.open(), clock })
        await node.put(ALICE, large, 0, 100)
        await node.put(BOB, large, 0, 5000)
        await node.put(ALICE, small, 0, 100)
      }
      await using node = await TestNode.open({ disk: await drive.open(), clock })
      expect(await node.usedBytesOf(ALICE)).toBe(shareBytesOf(large) + shareBytesOf(small))
      clock.advanceS(100 + GRACE_S)
      await node.node.collect()
      expect(await node.usedBytesOf(ALICE)).toBe(0)
      expect(await node.usedBytesOf(BOB)).toBe(shareBytesOf(large))
      expect(await node.held(small.id)).toEqual([])
      expect(await node.held(large.id)).toEqual([0])
    })
  })
}
