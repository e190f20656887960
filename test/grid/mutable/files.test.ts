import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MutableWriteCapability } from '../../../src/capabilities/capability.ts'
import { toRead } from '../../../src/capabilities/capability.ts'
import {
  NoMutableFileError,
  type MutableFiles,
  type WrittenFile,
} from '../../../src/grid/mutable/files.ts'
import { FileChangedError, type FileVersion } from '../../../src/grid/mutable/version.ts'
import { slotWriteKey } from '../../../src/capabilities/slot-keys.ts'
import { TooFewNodesError } from '../../../src/grid/errors.ts'
import { UnreachableError } from '../../../src/protocol/network.ts'
import { sourceOf } from '../../../simulations/bytes.ts'
import { isSame } from '../../support/blocks.ts'
import { TestDevice } from '../../support/devices.ts'
import { someBytes, testGrid, type TestGrid } from '../../support/grid.ts'

const ROUND_TRIP_MS = 2
const MIB = 2 ** 20
const n = 10

/** A device with mutable files, and shorthands that run the clock. */
class FileDevice extends TestDevice {
  readonly files: MutableFiles

  constructor(grid: TestGrid, client = 0, name = `device ${client}`) {
    super(grid, { client })
    this.files = this.own.openMutableFiles({ slots: this.slots, device: name })
  }

  async create(bytes: Uint8Array): Promise<MutableWriteCapability> {
    return (await this.grid.run(() => this.files.create(sourceOf(bytes)))).capability
  }

  async put(
    capability: MutableWriteCapability,
    bytes: Uint8Array,
    options?: Parameters<MutableFiles['write']>[2],
  ): Promise<WrittenFile> {
    return await this.grid.run(() => this.files.write(capability, sourceOf(bytes), options))
  }

  async bytesOf(version: FileVersion): Promise<Uint8Array> {
    return await this.grid.run(async () => {
      const parts: Uint8Array[] = []
      for await (const part of (await this.files.read(version)).chunks) parts.push(part)
      return new Uint8Array(Buffer.concat(parts))
    })
  }

  async current(capability: MutableWriteCapability): Promise<Uint8Array> {
    const { current } = await this.grid.run(() => this.files.look(capability))
    return await this.bytesOf(current)
  }

  async history(capability: MutableWriteCapability): Promise<Uint8Array[]> {
    const versions = await this.grid.run(async () => {
      const found: FileVersion[] = []
      for await (const version of this.files.history(capability)) found.push(version)
      return found
    })
    const contents: Uint8Array[] = []
    for (const version of versions) contents.push(await this.bytesOf(version))
    return contents
  }
}

describe('a mutable file', () => {
  it.each([0, 64, 1_023, 1_024, 65_536, 65_537, MIB + 1])(
    'of %i bytes is read as it was written',
    async (size) => {
      await using grid = await testGrid({ clients: 2 })
      await using ours = new FileDevice(grid)
      await using theirs = new FileDevice(grid, 1)
      const capability = await ours.create(someBytes(size))
      expect(isSame(await theirs.current(capability), someBytes(size))).toBe(true)
      await ours.put(capability, someBytes(size + 1, 2))
      expect(isSame(await theirs.current(capability), someBytes(size + 1, 2))).toBe(true)
      const reader = toRead(capability)
      const { current } = await grid.run(() => theirs.files.look(reader))
      expect(current).toMatchObject({ sizeBytes: size + 1, device: 'device 0' })
      const [before] = await theirs.history(capability)
      expect(isSame(before, someBytes(size))).toBe(true)
    },
  )

  it('keeps what it was before, the newest first', async () => {
    await using grid = await testGrid()
    await using device = new FileDevice(grid)
    const capability = await device.create(someBytes(100, 1))
    for (const seed of [2, 3, 4, 5]) await device.put(capability, someBytes(100, seed))
    const expected = [4, 3, 2, 1].map((seed) => someBytes(100, seed))
    expect(await device.history(capability)).toEqual(expected)
  })

  it('keeps all that it was, small or large, in whatever order, and each state once', async () => {
    const sizes = fc.array(fc.constantFrom(0, 1, 200, 1_024, 1_025, 3_000), {
      minLength: 1,
      maxLength: 14,
    })
    await fc.assert(
      fc.asyncProperty(sizes, async (all) => {
        await using grid = await testGrid({ clients: 2 })
        await using device = new FileDevice(grid)
        await using other = new FileDevice(grid, 1)
        const contents = all.map((size, at) => someBytes(size, at))
        const written: Uint8Array[] = []
        const capability = await device.create(someBytes(500, 99))
        written.unshift(someBytes(500, 99))
        for (const bytes of contents) {
          const { durability } = await device.put(capability, bytes)
          if (durability !== 'unchanged') written.unshift(bytes)
        }
        await device.settle()
        expect(await other.current(capability)).toEqual(written[0])
        expect(await other.history(capability)).toEqual(written.slice(1))
      }),
      { numRuns: 12 },
    )
  })

  it('is not written where it would not change', async () => {
    await using grid = await testGrid()
    await using device = new FileDevice(grid)
    const capability = await device.create(someBytes(100))
    const again = await device.put(capability, someBytes(100))
    expect(again.durability).toBe('unchanged')
    expect(await device.history(capability)).toEqual([])
  })

  it('written by two at once has both versions, until the next one replaces both', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using ours = new FileDevice(grid)
    await using theirs = new FileDevice(grid, 1)
    const capability = await ours.create(someBytes(100))
    await theirs.current(capability)
    await ours.settle()
    await grid.run(async () => {
      // Each half of the nodes hears of one of them only.
      const cut = (device: FileDevice, from: number): void => {
        for (const node of grid.nodes.slice(from, from + 5)) {
          device.liars.set(node.key, async (request, honest) => {
            if (request.op.startsWith('slot')) throw new UnreachableError(node.key, 'it is cut off')
            return await honest()
          })
        }
      }
      cut(ours, 0)
      cut(theirs, 5)
      await ours.files.write(capability, sourceOf(someBytes(100, 2)), { modifiedMs: 5e12 })
      await theirs.files.write(capability, sourceOf(someBytes(100, 3)), { modifiedMs: 6e12 })
    })
    ours.liars.clear()
    const state = await grid.run(() => ours.files.look(capability))
    expect(await ours.bytesOf(state.current)).toEqual(someBytes(100, 3))
    expect(state.conflicts).toHaveLength(1)
    expect(await ours.bytesOf(state.conflicts[0]!)).toEqual(someBytes(100, 2))
    await ours.put(capability, someBytes(100, 4))
    const after = await grid.run(() => ours.files.look(capability))
    expect(after.conflicts).toEqual([])
    const past = [3, 2, 1].map((seed) => someBytes(100, seed))
    expect(await ours.history(capability)).toEqual(past)
  })

  it('is not overwritten by who has not seen its newest version and says so', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using ours = new FileDevice(grid)
    await using theirs = new FileDevice(grid, 1)
    const capability = await ours.create(someBytes(100))
    const { current } = await grid.run(() => theirs.files.look(capability))
    await ours.put(capability, someBytes(100, 2))
    await ours.settle()
    await expect(theirs.put(capability, someBytes(100, 3), { ifVersion: current })).rejects.toThrow(
      FileChangedError,
    )
    expect(await ours.current(capability)).toEqual(someBytes(100, 2))
  })

  it('that was never written is told from one that is empty', async () => {
    await using grid = await testGrid()
    await using device = new FileDevice(grid)
    const capability = { kind: 'mutable-write' as const, writeKey: slotWriteKey(someBytes(32)) }
    await expect(device.current(capability)).rejects.toThrow(NoMutableFileError)
  })
})

describe('slow nodes', () => {
  it('are not waited for, and get their shares', async () => {
    await using grid = await testGrid()
    await using device = new FileDevice(grid)
    const capability = await device.create(someBytes(2_000))
    await device.settle()
    for (const at of [2, 6]) grid.world.network.setLink(grid.nodes[at]!.key, { latencyMs: 200 })
    const { traffic, tookMs } = await grid.measure(() =>
      device.put(capability, someBytes(2_000, 2)),
    )
    expect(tookMs).toBe(2 * ROUND_TRIP_MS)
    const rest = await grid.measure(() => grid.run(() => device.files.settle()))
    expect(rest.tookMs).toBeGreaterThan(300)
    expect(traffic.calls('put') + rest.traffic.calls('put')).toBe(2 * n)
  })
})

describe('what it costs', () => {
  it('to create or overwrite a small one: a record, in one round trip', async () => {
    await using grid = await testGrid()
    await using device = new FileDevice(grid)
    const created = await grid.measure(() => device.create(someBytes(1_024)))
    await device.settle()
    expect(created.traffic.byOp()).toEqual({ 'slot-put': n })
    expect(created.tookMs).toBe(ROUND_TRIP_MS)
    // The record of the third has room for no further one, so the history that the fourth needs is sent beside it.
    const blocks = [0, n, 0, n, 0, n]
    for (const [at, put] of blocks.entries()) {
      const { traffic, tookMs } = await grid.measure(async () => {
        await device.put(created.result, someBytes(1_024, at + 2))
        await device.files.settle()
      })
      expect(traffic.byOp()).toEqual({ ...(put > 0 && { put }), 'slot-put': n })
      expect(tookMs).toBe(ROUND_TRIP_MS)
    }
  })

  it('to overwrite a small one that another device wrote last: its history first, where records are full', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using ours = new FileDevice(grid)
    await using theirs = new FileDevice(grid, 1)
    const capability = await ours.create(someBytes(1_024))
    for (const seed of [2, 3]) await ours.put(capability, someBytes(1_024, seed))
    await ours.settle()
    await theirs.current(capability)
    const { traffic, tookMs } = await grid.measure(() =>
      theirs.put(capability, someBytes(1_024, 4)),
    )
    expect(traffic.calls('put')).toBe(n)
    expect(tookMs).toBeLessThanOrEqual(3 * ROUND_TRIP_MS)
    const expected = [3, 2].map((seed) => someBytes(1_024, seed))
    expect(await theirs.history(capability)).toEqual([...expected, someBytes(1_024)])
  })

  it('a history that could not be sent ahead is sent before the next record, and none is lost', async () => {
    await using grid = await testGrid()
    await using device = new FileDevice(grid)
    const capability = await device.create(someBytes(1_024))
    await device.put(capability, someBytes(1_024, 2))
    for (const node of grid.nodes.slice(0, 8)) {
      device.liars.set(node.key, async (request, honest) => {
        if (request.op === 'put') throw new UnreachableError(node.key, 'it is cut off')
        return await honest()
      })
    }
    const third = await device.put(capability, someBytes(1_024, 3))
    expect(third.durability).toBe('durable')
    await device.settle()
    await expect(device.put(capability, someBytes(1_024, 4))).rejects.toThrow(TooFewNodesError)
    expect(await device.current(capability)).toEqual(someBytes(1_024, 3))
    device.liars.clear()
    await device.put(capability, someBytes(1_024, 4))
    const expected = [3, 2].map((seed) => someBytes(1_024, seed))
    expect(await device.history(capability)).toEqual([...expected, someBytes(1_024)])
  })

  it('to create a larger one: a block and a record, two round trips', async () => {
    await using grid = await testGrid()
    await using device = new FileDevice(grid)
    const { traffic, tookMs } = await grid.measure(() => device.create(someBytes(1_025)))
    await device.settle()
    expect(traffic.byOp()).toEqual({ put: n, 'slot-put': n })
    expect(tookMs).toBe(2 * ROUND_TRIP_MS)
  })

  it('to overwrite a larger one: a block of content and one of history at once, then a record', async () => {
    await using grid = await testGrid()
    await using device = new FileDevice(grid)
    const capability = await device.create(someBytes(2_000))
    await device.settle()
    const { traffic, tookMs } = await grid.measure(() =>
      device.put(capability, someBytes(2_000, 2)),
    )
    expect(traffic.byOp()).toEqual({ put: 2 * n, 'slot-put': n })
    expect(tookMs).toBe(2 * ROUND_TRIP_MS)
  })

  it('to change one MiB of several: that block, the index, and a block of history', async () => {
    await using grid = await testGrid()
    await using device = new FileDevice(grid)
    const before = someBytes(6 * MIB)
    const capability = await device.create(before)
    await device.settle()
    const after = before.slice()
    after.fill(7, 3 * MIB + 5, 4 * MIB - 5)
    const { traffic, result } = await grid.measure(() => device.put(capability, after))
    expect(traffic.byOp()).toMatchObject({ put: 3 * n, 'slot-put': n })
    expect(result.sentBytes).toBeLessThan(1.2 * MIB * (n / 3))
  })
})
