import { readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ParcelDirectory } from '../../../src/storage-node/parcels/directory.ts'
import type { ImportReport } from '../../../src/storage-node/parcels/import.ts'
import {
  decodeParcel,
  encodeParcel,
  MalformedParcelError,
} from '../../../src/storage-node/parcels/parcel.ts'
import { isSame, testBlock, type TestBlock } from '../../support/blocks.ts'
import { testRecord, testSlot } from '../../support/slot-records.ts'
import { HandClock, shareBytesOf } from '../../support/storage-nodes.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { accountBytes, accounts, Nodes } from '../drain/nodes.ts'

const { ada, bert } = accounts
const DAY_S = 24 * 3600
const { signal } = new AbortController()
const block = (seed: number): TestBlock =>
  testBlock(seed, { required: 1, total: 2, ciphertextBytes: seed % 2 === 0 ? 900 : 40_000 })

describe('a parcel', () => {
  const { manifest, shards } = block(2)
  const leases = [{ account: accountBytes(ada), leaseS: 77 }]
  const share = { op: 'transfer', manifest, index: 1, leases, shard: shards[1]! } as const
  const record = { op: 'slot-transfer', leases, record: testRecord(testSlot(1), { a: 1 }) } as const

  it('is read as it was written', () => {
    for (const parcel of [share, record]) expect(decodeParcel(encodeParcel(parcel))).toEqual(parcel)
  })

  it('with any byte changed, cut off or added is none', () => {
    const bytes = encodeParcel(share)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        expect(() => decodeParcel(bytes.with(at, bytes[at]! ^ flip))).toThrow(MalformedParcelError)
        expect(() => decodeParcel(bytes.subarray(0, at))).toThrow(MalformedParcelError)
      }),
    )
    expect(() => decodeParcel(new Uint8Array([...bytes, 0]))).toThrow(MalformedParcelError)
  })
})

/** A node with shares and slots, and an empty one that may have what the other exports. */
async function twoNodes(): Promise<{
  nodes: Nodes
  clock: HandClock
  blocks: TestBlock[]
  bytes: number
}> {
  const clock = new HandClock()
  const nodes = await Nodes.open({ count: 2, clock })
  const blocks = [1, 2, 3, 4].map(block)
  for (const { manifest, shards } of blocks) {
    const put = { op: 'put', manifest, index: 0, leaseS: 9 * DAY_S, shard: shards[0]! } as const
    await nodes.ask<'put'>(0, ada, put)
  }
  const [first] = blocks
  await nodes.ask<'lease'>(0, bert, { op: 'lease', ids: [first!.id], leaseS: 2 * DAY_S })
  const record = testRecord(testSlot(1), { a: 1 })
  await nodes.ask<'slot-put'>(0, ada, { op: 'slot-put', record, leaseS: 9 * DAY_S })
  const bytes = blocks.reduce((sum, each) => sum + shareBytesOf(each), record.length)
  return { nodes, clock, blocks, bytes }
}

const exported = async (nodes: Nodes, dir: string, isWanted?: () => boolean) =>
  await nodes.nodes[0]!.export({
    to: new ParcelDirectory(dir),
    ...(isWanted && { isWanted }),
    onProgress: () => undefined,
    signal,
  })
const imported = async (nodes: Nodes, dir: string): Promise<ImportReport> =>
  await nodes.nodes[1]!.import({
    from: new ParcelDirectory(dir),
    onProgress: () => undefined,
    signal,
  })

async function filesIn(dir: string): Promise<string[]> {
  const files = await readdir(dir, { recursive: true, withFileTypes: true })
  return files.filter((file) => file.isFile()).map(({ parentPath, name }) => join(parentPath, name))
}

describe('what is carried by hand', () => {
  it('arrives whole, with its leases, and the first node keeps what it has', async () => {
    const dir = await temporaryFolder()
    const { nodes, clock, blocks, bytes } = await twoNodes()
    await using _ = nodes
    const all = { shares: 4, records: 1, bytes, there: 0 }
    expect(await exported(nodes, dir)).toEqual({ ...all, lost: 0 })
    expect(await imported(nodes, dir)).toEqual({
      ...all,
      skipped: [],
      skippedFiles: 0,
      leasesLost: 0,
    })
    for (const { id, shards } of blocks) {
      expect(await nodes.holdings(id)).toEqual([[0], [0]])
      const { share } = await nodes.ask<'get'>(1, ada, { op: 'get', id })
      expect(isSame(share?.bytes, shards[0])).toBe(true)
    }
    expect(await nodes.usage(1, ada)).toEqual([0, bytes])
    expect(await nodes.usage(1, bert)).toEqual([0, shareBytesOf(blocks[0]!)])
    // Once more: nothing is copied or taken twice.
    expect(await exported(nodes, dir)).toMatchObject({ shares: 0, records: 0, there: 5 })
    expect(await imported(nodes, dir)).toMatchObject({ shares: 0, records: 0, there: 5 })
    clock.advanceS(9 * DAY_S + 7 * DAY_S)
    expect(await nodes.nodes[1]!.collect()).toMatchObject({ shares: 4, records: 1 })
  })

  it('is only what is wanted', async () => {
    const dir = await temporaryFolder()
    const { nodes } = await twoNodes()
    await using _ = nodes
    let at = 0
    expect(await exported(nodes, dir, () => at++ % 2 === 1)).toMatchObject({
      shares: 2,
      records: 0,
    })
    expect(await filesIn(dir)).toHaveLength(2)
  })

  it('is skipped and told where it was damaged, and the rest is taken', async () => {
    const dir = await temporaryFolder()
    const { nodes } = await twoNodes()
    await using _ = nodes
    await exported(nodes, dir)
    const [flipped, cut, ...others] = (await filesIn(dir)).filter((file) => file.endsWith('.share'))
    const bytes = await readFile(flipped!)
    bytes[bytes.length - 50]! ^= 1
    await writeFile(flipped!, bytes)
    await truncate(cut!, 100)
    const folder = join(dir, others[0]!.slice(dir.length + 1, dir.length + 3))
    // What is not ours is left alone; what only looks so is skipped.
    await writeFile(join(folder, 'notes.txt'), 'hello')
    await writeFile(join(folder, `${'ab'.repeat(32)}-1.share.part`), 'half')
    await writeFile(join(folder, `${'ab'.repeat(32)}-1.share`), new Uint8Array(3 * 1024 * 1024))
    await symlink('/etc', join(dir, 'ff')).catch(() => undefined)
    const report = await imported(nodes, dir)
    expect(report).toMatchObject({ shares: 2, records: 1, skippedFiles: 3 })
    expect(new Set(report.skipped.map(({ why }) => why))).toEqual(new Set(['damaged']))
    // Repaired by exporting anew what was thrown away.
    for (const file of [flipped!, cut!]) await rm(file)
    expect(await exported(nodes, dir)).toMatchObject({ shares: 2, there: 3 })
    expect(await imported(nodes, dir)).toMatchObject({ shares: 2, there: 3 })
  })

  it('goes on where it was interrupted, and a full disk leaves nothing half written', async () => {
    const dir = await temporaryFolder()
    const { nodes } = await twoNodes()
    await using _ = nodes
    const controller = new AbortController()
    const directory = new ParcelDirectory(dir)
    let written = 0
    const interrupted = nodes.nodes[0]!.export({
      to: directory,
      onProgress: () => {
        if (++written === 3) controller.abort(new Error('enough'))
      },
      signal: controller.signal,
    })
    await expect(interrupted).rejects.toThrow('enough')
    expect(await filesIn(dir)).toHaveLength(3)
    expect(await exported(nodes, dir)).toMatchObject({ there: 3 })
    // A file stands where the directory of another parcel belongs: its writing fails as on a broken disk.
    const broken = await temporaryFolder()
    await writeFile(join(broken, '00'), '')
    await expect(
      new ParcelDirectory(broken).write('00/a.share', Uint8Array.of(1)),
    ).rejects.toThrow()
    expect(await readdir(broken)).toEqual(['00'])
  })

  it('is taken for members within their quotas only', async () => {
    const dir = await temporaryFolder()
    const { nodes } = await twoNodes()
    await using _ = nodes
    await exported(nodes, dir)
    nodes.quotaBytes = 3000
    const report = await imported(nodes, dir)
    expect(report.shares).toBe(2)
    expect(report.skipped.every(({ why }) => why === 'quota')).toBe(true)
    expect(report.skippedFiles).toBe(2)
  })
})
