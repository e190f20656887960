import { describe, expect, it } from 'vitest'
import { toVerify } from '../../../src/capabilities/capability.ts'
import { equalBytes } from '../../../src/foundation/bytes.ts'
import { erasureCode } from '../../../src/erasure/code.ts'
import type { CarerOptions } from '../../../src/grid/care/carer.ts'
import type { CareEvent } from '../../../src/grid/care/events.ts'
import { VolatileCareMemory } from '../../../src/grid/care/memory.ts'
import type { CareRoot } from '../../../src/grid/care/roots.ts'
import { someBytes, testGrid, type StoredTestFile, type TestGrid } from '../../support/grid.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const twoOfFive = erasureCode(2, 5)

/** A carer over a stored file, that runs until it is stopped. */
class Cared {
  readonly grid: TestGrid
  readonly file: StoredTestFile
  readonly memory = new VolatileCareMemory()
  readonly events: CareEvent[] = []
  readonly root: CareRoot
  #stop = new AbortController()
  #running: Promise<unknown> | undefined

  constructor(grid: TestGrid, file: StoredTestFile) {
    this.grid = grid
    this.file = file
    this.root = { name: 'file', capability: toVerify(file.capability), isOwn: true }
  }

  start({ budgetBytes, intervals }: Pick<CarerOptions, 'budgetBytes' | 'intervals'> = {}): void {
    this.#stop = new AbortController()
    const carer = this.grid.client.openCarer({
      memory: this.memory,
      roots: async () => await Promise.resolve([this.root]),
      onEvent: (event) => this.events.push(event),
      budgetBytes,
      intervals,
    })
    this.#running = carer.run(this.#stop.signal).catch((error: unknown) => {
      if (!this.#stop.signal.aborted) throw error
    })
  }

  async stop(): Promise<void> {
    await this.grid.run(async () => {
      this.#stop.abort(new Error('enough'))
      await this.#running
    })
  }

  async once(): Promise<void> {
    const carer = this.grid.client.openCarer({
      memory: this.memory,
      roots: async () => await Promise.resolve([this.root]),
      onEvent: (event) => this.events.push(event),
    })
    await this.grid.run(async () => {
      await carer.once(this.#stop.signal)
    })
  }

  async pass(ms: number): Promise<void> {
    await this.grid.world.clock.advance(ms)
  }

  of<K extends CareEvent['kind']>(kind: K): Extract<CareEvent, { kind: K }>[] {
    return this.events.filter(
      (event): event is Extract<CareEvent, { kind: K }> => event.kind === kind,
    )
  }

  placed(): number {
    return this.of('visited').reduce((sum, { sharesPlaced }) => sum + sharesPlaced, 0)
  }
}

describe('a carer', () => {
  it('lets a nap move nothing, and brings back what a node that is gone had', async () => {
    await using grid = await testGrid({ nodes: 8 })
    const file = await grid.store(someBytes(100_000), { code: twoOfFive })
    const cared = new Cared(grid, file)
    cared.start()
    await cared.pass(2 * HOUR_MS)
    expect(cared.of('visited')[0]?.state).toMatchObject({ healthy: true, mayVanish: 3 })
    const [first, second] = grid.holders(file)
    first!.crash()
    second!.crash()
    await cared.pass(8 * HOUR_MS)
    await grid.run(async () => {
      await first!.start()
      await second!.start()
    })
    await cared.pass(40 * HOUR_MS)
    expect(cared.placed()).toBe(0)
    first!.crash()
    second!.crash()
    await cared.pass(3 * DAY_MS)
    expect(cared.of('gone')).toHaveLength(2)
    expect(cared.placed()).toBe(2)
    const last = cared.of('visited').at(-1)
    expect(last?.state).toMatchObject({ healthy: true, sharesMissing: 0, mayVanish: 3 })
    await cared.stop()
    expect(await grid.get(file.capability)).toEqual(someBytes(100_000))
  })

  it('finds a node that lies, moves shares away from it and asks it last', async () => {
    await using grid = await testGrid({ nodes: 8 })
    const file = await grid.store(someBytes(3_000_000), { code: twoOfFive })
    const cared = new Cared(grid, file)
    const liar = grid.holders(file)[0]!
    liar.lie('claims all')
    await cared.once()
    expect(cared.of('distrusted').map(({ node }) => node)).toEqual([liar.key])
    expect(cared.of('visited')).toHaveLength(2)
    expect(cared.placed()).toBeGreaterThan(0)
    expect(cared.of('visited').at(-1)?.state).toMatchObject({ healthy: true })
    const before = grid.world.network.traffic.snapshot()
    await grid.store(someBytes(200_000, 5), { code: twoOfFive })
    expect(grid.world.network.traffic.since(before).calls('put', liar.key)).toBe(0)
  })

  it('finds a node that acknowledges shares and throws them away', async () => {
    await using grid = await testGrid({ nodes: 5 })
    const forgetful = grid.nodes[1]!
    forgetful.lie('forgets')
    const file = await grid.store(someBytes(4_000_000), { code: twoOfFive })
    const cared = new Cared(grid, file)
    cared.start()
    await cared.pass(2 * DAY_MS)
    await cared.stop()
    expect(cared.of('distrusted').map(({ node }) => node)).toEqual([forgetful.key])
  })

  it('spends no more than its budget, most pressing repairs first, and goes on the next day', async () => {
    await using grid = await testGrid({ nodes: 12 })
    const file = await grid.store(someBytes(12 * 2 ** 20), { code: twoOfFive })
    const cared = new Cared(grid, file)
    const budget = 2.2 * 2 ** 20
    await cared.once()
    const emptied = new Set<string>()
    for (const { key } of grid.nodes) {
      const isBearable = file.placements.every(({ shares }) => {
        const lost = shares.filter(({ node }) => node === key || emptied.has(node)).length
        return shares.length - lost >= 2
      })
      if (isBearable && emptied.size < 5) emptied.add(key)
    }
    for (const node of grid.nodes) if (emptied.has(node.key)) await grid.run(() => node.empty())
    const before = grid.world.network.traffic.snapshot()
    // Drills read too, and are not repairs.
    cared.start({
      budgetBytes: budget,
      intervals: { probeMs: 3 * HOUR_MS, drillMs: 1000 * DAY_MS },
    })
    await cared.pass(2 * DAY_MS)
    const spent = grid.world.network.traffic.since(before)
    // Links are read on the way, a leaf a block.
    const found = cared.of('visited').length * 14 * 20_000
    const moved = spent.requestBytes('put') + spent.replyBytes('get')
    expect(moved).toBeLessThan((2 + 2) * budget + found)
    expect(cared.of('visited').some(({ deferredBytes }) => deferredBytes > 0)).toBe(true)
    await cared.pass(12 * DAY_MS)
    const last = cared.of('visited').at(-1)
    expect(last).toMatchObject({ deferredBytes: 0, state: { lost: 0 } })
    // The threshold, 4 of 5, is what repairs are for; the rest comes with spare traffic.
    expect(last?.state.mayVanish).toBeGreaterThanOrEqual(2)
    await cared.stop()
  })

  it('renews leases long before they end, and nothing of it is lost while it runs', async () => {
    await using grid = await testGrid({ nodes: 6, maintains: true })
    const file = await grid.store(someBytes(50_000), { code: twoOfFive })
    const cared = new Cared(grid, file)
    cared.start({ intervals: { probeMs: 6 * HOUR_MS, auditMs: 24 * HOUR_MS } })
    await cared.pass(70 * DAY_MS)
    const renewals = cared.of('visited').filter(({ renewed }) => renewed)
    expect(renewals.length).toBeGreaterThan(4)
    expect(renewals.length).toBeLessThan(12)
    expect(cared.of('drilled').length).toBeGreaterThan(1)
    expect(cared.of('drilled').every(({ tried, whole }) => tried > 0 && whole === tried)).toBe(true)
    await cared.stop()
    expect(cared.placed()).toBe(0)
    expect(await grid.check(file.capability, { verify: 'full' })).toMatchObject({ healthy: true })
    // And what nobody renews goes.
    await cared.pass(60 * DAY_MS)
    expect((await grid.check(file.capability)).recoverable).toBe(false)
  })

  it('moves to a new node what belongs there, little by little, and nothing else', async () => {
    await using grid = await testGrid({ nodes: 7 })
    const newcomer = grid.nodes[6]!
    newcomer.crash()
    const file = await grid.store(someBytes(6 * 2 ** 20), { code: twoOfFive })
    await grid.run(() => newcomer.start())
    const cared = new Cared(grid, file)
    const own = file.placements.filter(({ shares }) => shares.length === 5).length
    await cared.once()
    const [visited] = cared.of('visited')
    expect(visited!.sharesMoved).toBeGreaterThan(0)
    expect(visited!.sharesMoved).toBeLessThanOrEqual(own)
    expect(visited!.state).toMatchObject({ healthy: true, mayVanish: 3 })
    const report = await grid.check(file.capability, { verify: 'full' })
    expect(report.healthy).toBe(true)
    const there = report.blocks.flatMap(({ holders }) =>
      holders.filter(({ node }) => node === newcomer.key),
    )
    expect(there).toHaveLength(visited!.sharesMoved)
    // Where everything is where it belongs, nothing moves.
    cared.start()
    await cared.pass(8 * DAY_MS)
    await cared.stop()
    expect(
      cared
        .of('visited')
        .slice(1)
        .every(({ sharesMoved }) => sharesMoved === 0),
    ).toBe(true)
  })

  it('gives up what is kept twice once a node is back that was made up for, and nothing else', async () => {
    await using grid = await testGrid({ nodes: 8 })
    const file = await grid.store(someBytes(100_000), { code: twoOfFive })
    const cared = new Cared(grid, file)
    cared.start()
    await cared.pass(2 * HOUR_MS)
    const [away] = grid.holders(file)
    away!.crash()
    await cared.pass(5 * DAY_MS)
    expect(cared.placed()).toBe(1)
    const dropped = (): number =>
      cared.of('visited').reduce((sum, { surplusDropped }) => sum + surplusDropped, 0)
    expect(dropped()).toBe(0)
    await grid.run(() => away!.start())
    await cared.pass(5 * DAY_MS)
    expect(dropped()).toBe(1)
    expect(cared.placed()).toBe(1)
    await cared.stop()
    const report = await grid.check(file.capability, { verify: 'full' })
    expect(report).toMatchObject({ healthy: true })
    expect(cared.of('visited').at(-1)?.state).toMatchObject({ healthy: true, mayVanish: 3 })
  })

  it('goes on where it was cut short, and two of them do no harm', async () => {
    await using grid = await testGrid({ nodes: 9, link: { latencyMs: 40 } })
    const file = await grid.store(someBytes(8 * 2 ** 20), { code: twoOfFive })
    for (const node of grid.holders(file).slice(0, 3)) await grid.run(() => node.empty())
    const [one, other] = [new Cared(grid, file), new Cared(grid, file)]
    one.start()
    other.start()
    await one.pass(400)
    await one.stop()
    one.start()
    await one.pass(DAY_MS)
    await one.stop()
    await other.stop()
    const report = await grid.check(file.capability, { verify: 'full' })
    expect(report.healthy).toBe(true)
    expect(equalBytes(await grid.get(file.capability), someBytes(8 * 2 ** 20))).toBe(true)
  })

  it('concludes nothing from its own line being down', async () => {
    await using grid = await testGrid({ nodes: 6 })
    const file = await grid.store(someBytes(50_000), { code: twoOfFive })
    const cared = new Cared(grid, file)
    cared.start()
    await cared.pass(HOUR_MS)
    grid.world.network.partition(grid.nodes.map(({ key }) => key))
    await cared.pass(3 * DAY_MS)
    grid.world.network.heal()
    await cared.pass(2 * DAY_MS)
    await cared.stop()
    expect(cared.of('gone')).toHaveLength(0)
    expect(cared.placed()).toBe(0)
    expect(cared.of('visited').at(-1)?.state.healthy).toBe(true)
  })
})

describe('what it costs', () => {
  it('to audit a share: less than 64 KiB', async () => {
    await using grid = await testGrid({ nodes: 5 })
    const file = await grid.store(someBytes(5 * 2 ** 20), { code: twoOfFive })
    const cared = new Cared(grid, file)
    const { traffic } = await grid.measure(async () => {
      await Promise.resolve()
    })
    expect(traffic.calls()).toBe(0)
    const before = grid.world.network.traffic.snapshot()
    await cared.once()
    const spent = grid.world.network.traffic.since(before)
    const audits = cared.of('audited').reduce((sum, { good }) => sum + good, 0)
    expect(audits).toBeGreaterThanOrEqual(5)
    const bytes = spent.requestBytes('audit') + spent.replyBytes('audit')
    expect(bytes / audits).toBeLessThan(18 * 1024)
  })

  it.each([0, 1, 4])('to repair lost share %i: k shares read, one sent', async (index) => {
    await using grid = await testGrid({ nodes: 10 })
    const code = erasureCode(3, 5)
    const file = await grid.store(someBytes(2 ** 20 - 1000), { code })
    await grid.run(() => grid.holders(file)[index]!.empty())
    const shareBytes = Math.ceil(2 ** 20 / 3)
    const before = grid.world.network.traffic.snapshot()
    const cared = new Cared(grid, file)
    await cared.once()
    expect(cared.placed()).toBe(1)
    const spent = grid.world.network.traffic.since(before)
    // Beside k shares there is one leaf, which tells what the block leads to.
    expect(spent.replyBytes('get')).toBeLessThan(3 * shareBytes + 2 * 20_000)
    expect(spent.requestBytes('put')).toBeLessThan(shareBytes + 5_000)
  })
})
