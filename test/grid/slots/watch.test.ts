import { describe, expect, it } from 'vitest'
import { testGrid, type TestGrid } from '../../support/grid.ts'
import { adding, orderOf, TestDevice, testSlot, wordsOf } from '../../support/devices.ts'

const keys = testSlot()
const MINUTE_MS = 60_000

/** Follows a slot in the background of a test. */
class Follower {
  readonly seen: string[] = []
  readonly atMs: number[] = []
  readonly #ending = new AbortController()
  readonly #running: Promise<void>

  constructor(device: TestDevice, slot = keys) {
    this.#running = (async () => {
      for await (const state of device.slots.watch(slot, this.#ending.signal)) {
        this.seen.push(wordsOf(state).join(' '))
        this.atMs.push(device.grid.world.clock.monotonicMs())
      }
    })()
  }

  async end(grid: TestGrid): Promise<void> {
    this.#ending.abort()
    await grid.run(() => this.#running)
  }
}

const pass = async (grid: TestGrid, ms: number): Promise<void> => {
  await grid.run(() => grid.world.clock.advance(ms))
}

describe('a watch', () => {
  it('tells what is there and each change, within a round trip of it, once', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using writer = new TestDevice(grid)
    await using reader = new TestDevice(grid, { client: 1 })
    await writer.write(keys, adding('a'))
    const follower = new Follower(reader)
    await pass(grid, MINUTE_MS)
    await writer.write(keys, adding('b'))
    const writtenMs = grid.world.clock.monotonicMs()
    await pass(grid, 5 * MINUTE_MS)
    await writer.write(keys, adding('c'))
    await pass(grid, MINUTE_MS)
    await follower.end(grid)
    expect(follower.seen).toEqual(['a', 'a b', 'a b c'])
    expect(follower.atMs[1]! - writtenMs).toBeLessThanOrEqual(2)
  })

  it('costs three questions a minute or so while nothing happens', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using writer = new TestDevice(grid)
    await using reader = new TestDevice(grid, { client: 1 })
    await writer.write(keys, adding('a'))
    await writer.settle()
    const follower = new Follower(reader)
    await pass(grid, 1_000)
    const { traffic } = await grid.measure(() => pass(grid, 10 * MINUTE_MS))
    expect(traffic.calls('slot-watch')).toBeLessThanOrEqual(3 * 13)
    expect(traffic.calls('slot-get')).toBeLessThanOrEqual(10 * 10)
    expect(traffic.calls('slot-put')).toBe(0)
    await follower.end(grid)
  })

  it('goes on while the nodes that it listens to go away and come back', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using writer = new TestDevice(grid)
    await using reader = new TestDevice(grid, { client: 1 })
    const follower = new Follower(reader)
    await pass(grid, MINUTE_MS)
    const order = orderOf(grid, keys)
    const expected = ['']
    for (const [turn, at] of order.slice(0, 8).entries()) {
      grid.nodes[at]!.crash()
      await pass(grid, 5_000)
      await writer.write(keys, adding(`w${turn}`))
      expected.push([expected.at(-1), `w${turn}`].join(' ').trim())
      await pass(grid, MINUTE_MS)
      await grid.run(() => grid.nodes[at]!.start())
    }
    await follower.end(grid)
    expect(follower.seen).toEqual(expected)
  })

  it('falls back to reading while no node keeps its questions', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using writer = new TestDevice(grid)
    await using reader = new TestDevice(grid, { client: 1 })
    for (const node of grid.nodes) {
      reader.liars.set(node.key, async (request, honest) =>
        request.op === 'slot-watch' ? { op: 'slot-watch', changed: [] } : await honest(),
      )
    }
    const follower = new Follower(reader)
    await pass(grid, MINUTE_MS)
    await writer.write(keys, adding('a'))
    await pass(grid, 3 * MINUTE_MS)
    await follower.end(grid)
    expect(follower.seen).toEqual(['', 'a'])
  })

  it('does not hammer nodes that answer at once with nothing', async () => {
    await using grid = await testGrid()
    await using reader = new TestDevice(grid)
    let questions = 0
    for (const node of grid.nodes) {
      reader.liars.set(node.key, async (request, honest) => {
        if (request.op !== 'slot-watch') return await honest()
        questions += 1
        return { op: 'slot-watch', changed: [{ slot: keys.slot, heads: [] }] }
      })
    }
    const follower = new Follower(reader)
    await pass(grid, 5 * MINUTE_MS)
    await follower.end(grid)
    expect(questions).toBeLessThan(200)
  })

  it('ends with its client', async () => {
    await using grid = await testGrid()
    const reader = new TestDevice(grid)
    const follower = new Follower(reader)
    await pass(grid, MINUTE_MS)
    await grid.run(() => reader[Symbol.asyncDispose]())
    await follower.end(grid)
    expect(follower.seen).toEqual([''])
  })

  it('of many slots leaves few questions with each node, and tells of each slot alone', async () => {
    await using grid = await testGrid({ clients: 2 })
    await using writer = new TestDevice(grid)
    await using reader = new TestDevice(grid, { client: 1 })
    const slots = Array.from({ length: 24 }, (_, at) => testSlot(`slot ${at}`))
    for (const slot of slots.slice(0, 3)) await writer.write(slot, adding('a'))
    await writer.settle()
    const followers = slots.map((slot) => new Follower(reader, slot))
    await pass(grid, 2_000)
    const { traffic } = await grid.measure(() => pass(grid, 3 * MINUTE_MS))
    // Two at a time with each of ten nodes, for 50 s. One for each slot and listener would be 24 * 3 * 4.
    expect(traffic.calls('slot-watch')).toBeLessThanOrEqual(10 * 2 * 5)
    await writer.write(slots[0]!, adding('b'))
    await pass(grid, 1_000)
    await writer.write(slots[0]!, adding('c'))
    await writer.write(slots[23]!, adding('z'))
    await pass(grid, 1_000)
    for (const follower of followers) await follower.end(grid)
    expect(followers.slice(0, 3).map(({ seen }) => seen)).toEqual([
      ['a', 'a b', 'a b c'],
      ['a'],
      ['a'],
    ])
    expect(followers[23]!.seen).toEqual(['', 'z'])
  })
})
