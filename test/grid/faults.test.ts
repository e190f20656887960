import { describe, expect, it } from 'vitest'
import { toVerify } from '../../src/capabilities/capability.ts'
import { erasureCode } from '../../src/erasure/code.ts'
import { sleep } from '../../src/foundation/clock.ts'
import { NotEnoughSharesError, TooFewNodesError } from '../../src/grid/errors.ts'
import { readAll, sourceOf } from '../../simulations/bytes.ts'
import type { SimulatedNode } from '../../simulations/node.ts'
import { someBytes, testGrid, threeOfTen, type TestGrid } from '../support/grid.ts'

const SMALL = someBytes(30_000)
const LARGE = someBytes(5_000_000)
const n = threeOfTen.total
const k = threeOfTen.required
const full = { verify: 'full' } as const

describe('nodes that are gone', () => {
  it('are not missed while k holders are left, and are when one more goes', async () => {
    await using grid = await testGrid()
    const file = await grid.store(SMALL)
    const holders = grid.holders(file)
    for (const node of holders.slice(0, n - k)) node.crash()
    expect(same(await grid.get(file.capability), SMALL)).toBe(true)
    holders.at(-1)?.crash()
    const error = await grid.get(file.capability).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(NotEnoughSharesError)
    expect(error).toMatchObject({ found: k - 1, required: k })
  })

  it('and come back with all that they acknowledged, even if all lose power at once', async () => {
    await using grid = await testGrid({ drive: { writeMs: 5 } })
    const file = await grid.store(LARGE)
    for (const node of grid.nodes) node.crash()
    for (const node of grid.nodes) await grid.run(() => node.start())
    expect(await grid.check(file.capability, full)).toMatchObject({ healthy: true })
    expect(same(await grid.get(file.capability), LARGE)).toBe(true)
  })

  it('are told by a check, and made up for by a repair from the verify capability', async () => {
    await using grid = await testGrid({ nodes: 20 })
    const file = await grid.store(LARGE, { code: threeOfTen })
    for (const node of grid.holders(file).slice(0, n - k)) node.crash()
    const capability = toVerify(file.capability)
    const report = await grid.check(capability)
    expect(report).toMatchObject({ recoverable: true, healthy: false, sharesRequired: k })
    expect(report.nodesSilent).toHaveLength(n - k)
    expect(report.blocks[0]?.sharesFound).toBe(k)
    expect(await grid.repair(capability)).toMatchObject({ healthy: true, sharesMissing: 0 })
    expect(await grid.check(capability, full)).toMatchObject({ healthy: true })
    for (const node of grid.holders(file).slice(n - k)) node.crash()
    expect(same(await grid.get(file.capability), LARGE)).toBe(true)
  })

  it('leave a file lost where fewer than k shares remain, which repair and check say', async () => {
    await using grid = await testGrid()
    const file = await grid.store(SMALL)
    for (const node of grid.holders(file).slice(0, n - k + 1)) await grid.run(() => node.empty())
    expect(await grid.check(file.capability)).toMatchObject({ recoverable: false, healthy: false })
    await expect(grid.repair(file.capability)).rejects.toBeInstanceOf(NotEnoughSharesError)
  })

  it('make an upload fail where too few are left, and it says how many it needs', async () => {
    await using grid = await testGrid()
    for (const node of grid.nodes.slice(0, 4)) node.crash()
    const error = await grid.put(SMALL, { code: threeOfTen }).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(TooFewNodesError)
    expect(error).toMatchObject({ needed: 7, answered: 6 })
    await grid.run(() => (grid.nodes[0] as SimulatedNode).start())
    // The monitor leaves a node alone for a while that it could not reach.
    await grid.world.clock.advance(10_000)
    expect(await grid.put(SMALL, { code: threeOfTen })).toMatchObject({ health: 'degraded' })
  })
})

describe('nodes that freeze', () => {
  const LIMIT_MS = 3_000

  it.each(['before', 'during'])('%s a download cost at most three seconds', async (when) => {
    await using grid = await slowGrid()
    const file = await grid.store(LARGE)
    const { tookMs: usualMs } = await grid.measure(() => grid.get(file.capability))
    const victim = grid.holders(file)[1] as SimulatedNode
    freezeAfter(grid, victim, when === 'before' ? 0 : usualMs / 2)
    const { result, tookMs } = await grid.measure(() => grid.get(file.capability))
    expect(same(result, LARGE)).toBe(true)
    expect(victim.endpoint.isFrozen).toBe(true)
    expect(tookMs - usualMs).toBeLessThanOrEqual(LIMIT_MS)
  })

  it.each(['before', 'during'])('%s an upload cost at most three seconds', async (when) => {
    await using grid = await slowGrid({ nodes: 12 })
    const { tookMs: usualMs } = await grid.measure(() =>
      grid.put(someBytes(LARGE.length, 2), { code: threeOfTen }),
    )
    const victim = grid.nodes[1] as SimulatedNode
    freezeAfter(grid, victim, when === 'before' ? 0 : usualMs / 2)
    const { result, tookMs } = await grid.measure(() => grid.store(LARGE, { code: threeOfTen }))
    expect(tookMs - usualMs).toBeLessThanOrEqual(LIMIT_MS)
    expect(same(await grid.get(result.capability), LARGE)).toBe(true)
  })

  it('all of them, end every operation with a sentence', async () => {
    await using grid = await testGrid()
    const file = await grid.store(SMALL)
    for (const node of grid.nodes) node.freeze()
    await expect(grid.get(file.capability)).rejects.toBeInstanceOf(NotEnoughSharesError)
    await expect(grid.put(LARGE)).rejects.toBeInstanceOf(TooFewNodesError)
    await expect(grid.repair(file.capability)).rejects.toBeInstanceOf(NotEnoughSharesError)
    const report = await grid.check(file.capability)
    expect(report).toMatchObject({ recoverable: 'unknown', nodesAnswered: [] })
    expect(report.nodesSilent).toHaveLength(n)
  })

  it('and thaw are there again for the next check', async () => {
    await using grid = await testGrid()
    const file = await grid.store(SMALL)
    const [first, second] = grid.nodes
    first?.freeze()
    second?.freeze()
    expect(await grid.check(file.capability)).toMatchObject({ recoverable: true, healthy: false })
    first?.thaw()
    second?.thaw()
    for (const verify of ['none', 'audit', 'full'] as const) {
      expect(await grid.check(file.capability, { verify })).toMatchObject({ healthy: true })
    }
  })
})

describe('connections', () => {
  it('that break now and then do not hurt', async () => {
    await using grid = await testGrid({ link: { latencyMs: 5, breakChance: 0.01 } })
    for (let seed = 1; seed <= 20; seed++) {
      const bytes = someBytes(20_000, seed)
      const { capability } = await grid.put(bytes)
      expect(same(await grid.get(capability), bytes)).toBe(true)
    }
  })

  it('that are cut hide nodes only until they are back', async () => {
    await using grid = await testGrid()
    const file = await grid.store(SMALL)
    grid.world.network.partition(grid.nodes.slice(0, 8).map(({ key }) => key))
    await expect(grid.get(file.capability)).rejects.toBeInstanceOf(NotEnoughSharesError)
    grid.world.network.heal()
    await grid.world.clock.advance(60_000)
    expect(same(await grid.get(file.capability), SMALL)).toBe(true)
  })

  it('that are slow are left to rest when others are fast', async () => {
    await using grid = await testGrid()
    const file = await grid.store(LARGE)
    const slow = grid.holders(file)[0] as SimulatedNode
    grid.world.network.setLink(slow.key, { latencyMs: 2_000 })
    const { result, tookMs } = await grid.measure(() => grid.get(file.capability))
    expect(same(result, LARGE)).toBe(true)
    expect(tookMs).toBeLessThan(4_000)
    const { traffic } = await grid.measure(() => grid.get(file.capability))
    expect(traffic.calls('get', slow.key)).toBe(0)
  })
})

describe('drives', () => {
  it('that are full pass their shares on to the next nodes', async () => {
    await using grid = await testGrid({ nodes: 13 })
    const fullNodes = grid.nodes.slice(0, 3)
    for (const { drive } of fullNodes) {
      drive.conditions = { ...drive.conditions, capacityBytes: drive.usedBytes }
    }
    const file = await grid.store(SMALL, { code: threeOfTen })
    expect(file.health).toBe('healthy')
    expect(grid.holders(file).some((node) => fullNodes.includes(node))).toBe(false)
  })

  it('that fail to write are as good as full', async () => {
    await using grid = await testGrid({ nodes: 13 })
    for (const { drive } of grid.nodes.slice(0, 3)) {
      drive.conditions = { ...drive.conditions, writeFailureChance: 1 }
    }
    const file = await grid.store(SMALL, { code: threeOfTen })
    expect(file.health).toBe('healthy')
    expect(same(await grid.get(file.capability), SMALL)).toBe(true)
  })

  it('that fail to read are not missed while k others work', async () => {
    await using grid = await testGrid()
    const file = await grid.store(SMALL)
    for (const { drive } of grid.nodes.slice(0, n - k)) {
      drive.conditions = { ...drive.conditions, readFailureChance: 1 }
    }
    expect(same(await grid.get(file.capability), SMALL)).toBe(true)
  })
})

describe('an upload', () => {
  it('that was interrupted sends only what is missing when it is done again', async () => {
    await using grid = await slowGrid()
    const bytes = someBytes(12_000_000)
    const controller = new AbortController()
    const reason = new Error('enough for today')
    grid.world.clock.after(100, () => {
      controller.abort(reason)
    })
    const { signal } = controller
    const { traffic: before } = await grid.measure(async () => {
      await expect(grid.put(bytes, { signal })).rejects.toBe(reason)
    })
    // What was on its way arrives, though nobody waits for it any more.
    await grid.world.clock.advance(60_000)
    const arrived = before.calls('put')
    expect(arrived).toBeGreaterThan(0)
    const { result, traffic } = await grid.measure(() => grid.store(bytes))
    const total = result.blocks * n
    expect(arrived).toBeLessThan(total)
    expect(traffic.calls('put')).toBe(total - arrived)
    expect(same(await grid.get(result.capability), bytes)).toBe(true)
  })

  it('fails with the error of its source', async () => {
    await using grid = await testGrid()
    const failure = new Error('the disk was pulled out')
    async function* source(): AsyncGenerator<Uint8Array> {
      yield LARGE.subarray(0, 3_000_000)
      await sleep(grid.world.clock, 10)
      throw failure
    }
    await expect(grid.run(() => grid.client.put(source()))).rejects.toBe(failure)
  })

  it('of the same file by two at once stores it once', async () => {
    await using grid = await testGrid({ clients: 2 })
    const [one, other] = await grid.run(() =>
      Promise.all(grid.world.clients.map(({ grid }) => grid.put(sourceOf(SMALL)))),
    )
    expect(other?.capability).toEqual(one?.capability)
    const { capability } = await grid.store(SMALL)
    const report = await grid.check(capability, full)
    expect(report).toMatchObject({ healthy: true })
    expect(report.blocks[0]?.holders).toHaveLength(n)
  })

  it('never counts two shares on one node as two', async () => {
    await using grid = await testGrid({ nodes: 4 })
    const error = await grid.put(SMALL, { code: erasureCode(3, 10) }).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'too-few-nodes', needed: 7, answered: 4 })
  })
})

describe('an operation that is given up', () => {
  it.each(['put', 'get', 'check', 'repair'] as const)('ends at once: %s', async (operation) => {
    await using grid = await slowGrid()
    const file = await grid.store(SMALL)
    // Whatever answers there would be are a long time coming.
    for (const node of grid.nodes) node.freeze()
    const controller = new AbortController()
    const reason = new Error('no longer wanted')
    grid.world.clock.after(100, () => {
      controller.abort(reason)
    })
    const { signal } = controller
    const { client } = grid
    const run = {
      put: () => client.put(sourceOf(LARGE), { signal }),
      get: () => readAll(client, file.capability, { signal }),
      check: () => client.check(file.capability, { signal }),
      repair: () => client.repair(file.capability, { signal }),
    }
    const { tookMs } = await grid.measure(async () => {
      await expect(grid.run<unknown>(run[operation])).rejects.toBe(reason)
    })
    expect(tookMs).toBe(100)
    await expect(grid.run<unknown>(run[operation])).rejects.toBe(reason)
  })
})

/** A grid where a transfer of some megabytes takes some tenths of a second. */
async function slowGrid(options: { nodes?: number } = {}): Promise<TestGrid> {
  return await testGrid({ ...options, link: { latencyMs: 5, bytesPerMs: 10_000 } })
}

function freezeAfter(grid: TestGrid, node: SimulatedNode, delayMs: number): void {
  if (delayMs === 0) node.freeze()
  else {
    grid.world.clock.after(delayMs, () => {
      node.freeze()
    })
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
