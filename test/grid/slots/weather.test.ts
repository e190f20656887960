import { describe, expect, it } from 'vitest'
import { HayloftError } from '../../../src/foundation/error.ts'
import type { SlotState, SlotUpdate } from '../../../src/grid/slots/client.ts'
import { StoredSlotMemory } from '../../../src/grid/slots/stored-memory.ts'
import { UnreachableError } from '../../../src/protocol/network.ts'
import { SeededRandomness } from '../../../simulations/randomness.ts'
import { MemoryStore, TestDevice, testSlot } from '../../support/devices.ts'
import { testGrid, type TestGrid } from '../../support/grid.ts'

const keys = testSlot()
/** Words are numbers, and a state is the set of those in it, a bit each. */
function wordsOf({ heads }: Pick<SlotState, 'heads'>): number[] {
  const bits = Array.from({ length: 1_024 }, (_, word) => word)
  return bits.filter((word) =>
    heads.some(({ contents }) => ((contents.capability?.[word >> 3] ?? 0) >> (word & 7)) & 1),
  )
}

const adding =
  (word: number): SlotUpdate =>
  ({ heads }) => {
    const capability = new Uint8Array(128)
    for (const each of [...wordsOf({ heads }), word]) capability[each >> 3]! |= 1 << (each & 7)
    return { contents: { kind: 'file', parents: [], capability }, dots: 40 }
  }

const DEVICES = 3
const TURNS = 40

/** Devices that write while nodes come and go; a run follows from its seed. */
class Storm {
  readonly grid: TestGrid
  readonly #randomness: SeededRandomness
  readonly #stores: MemoryStore[] = []
  readonly #backups: MemoryStore[] = []
  readonly devices: TestDevice[] = []
  readonly acknowledged = new Set<number>()
  #words = 0

  constructor(grid: TestGrid, seed: number) {
    this.grid = grid
    this.#randomness = new SeededRandomness(`storm ${seed}`)
    for (let client = 0; client < DEVICES; client++) {
      this.#stores.push(new MemoryStore())
      this.devices.push(this.#boot(client))
    }
  }

  async turn(): Promise<void> {
    const client = this.#randomness.below(DEVICES)
    const node = this.#randomness.pick(this.grid.nodes)
    const down = this.grid.nodes.filter(({ isUp }) => !isUp).length
    switch (this.#randomness.below(10)) {
      case 0:
        if (down < 3 && node.isUp) node.crash()
        return
      case 1:
        if (down < 3 && node.isUp) node.freeze()
        return
      case 2:
      case 3:
        node.thaw()
        if (!node.isRunning) await this.grid.run(() => node.start())
        return
      case 4:
        this.#cut(client)
        return
      case 5:
        await this.#reboot(client)
        return
      default:
        await Promise.all([this.#write(client), this.#write(this.#randomness.below(DEVICES))])
    }
  }

  async calm(): Promise<void> {
    for (const node of this.grid.nodes) {
      node.thaw()
      if (!node.isRunning) await this.grid.run(() => node.start())
    }
    for (const device of this.devices) device.liars.clear()
    await this.grid.run(() => this.grid.world.clock.advance(40 * 60_000))
  }

  async end(): Promise<void> {
    for (const device of this.devices) await device[Symbol.asyncDispose]()
  }

  /** Some nodes are out of this device's reach, or all are in it again. */
  #cut(client: number): void {
    const { liars } = this.devices[client]!
    liars.clear()
    for (const node of this.grid.nodes) {
      if (this.#randomness.below(10) < 7) continue
      liars.set(
        node.key,
        async () => await Promise.reject(new UnreachableError(node.key, 'cut off')),
      )
    }
  }

  /** A new process, now and then with the memory that was backed up before the last writes. */
  async #reboot(client: number): Promise<void> {
    await this.grid.run(() => this.devices[client]![Symbol.asyncDispose]())
    this.devices[client] = this.#boot(client)
  }

  #boot(client: number): TestDevice {
    const current = this.#stores[client]!
    const backup = this.#backups[client]
    if (backup !== undefined && this.#randomness.chance(0.3)) this.#stores[client] = backup.copy()
    else this.#backups[client] = current.copy()
    const memory = new StoredSlotMemory(this.#stores[client]!)
    return new TestDevice(this.grid, { client, memory })
  }

  async #write(client: number): Promise<void> {
    this.#words += 1
    const word = this.#words
    try {
      const { durability } = (await this.devices[client]!.write(keys, adding(word)))!
      if (durability === 'durable') this.acknowledged.add(word)
    } catch (error) {
      if (!(error instanceof HayloftError)) throw error
    }
  }
}

describe('devices that write while nodes come and go', () => {
  const seeds = Array.from({ length: 12 }, (_, seed) => seed)

  it.each(seeds)('lose nothing that was durable, and agree in the end (seed %i)', async (seed) => {
    await using grid = await testGrid({ clients: DEVICES, seed })
    const storm = new Storm(grid, seed)
    for (let turn = 0; turn < TURNS; turn++) await storm.turn()
    await storm.calm()
    const words: number[][] = []
    for (const device of storm.devices) {
      words.push(wordsOf(await device.read(keys)))
      await device.settle()
    }
    for (const device of storm.devices) {
      const now = wordsOf(await device.read(keys))
      expect(now).toEqual(expect.arrayContaining([...storm.acknowledged]))
      words.push(now)
    }
    const [agreed] = words.slice(-1)
    expect(words.slice(DEVICES)).toEqual([agreed, agreed, agreed])
    expect(storm.acknowledged.size).toBeGreaterThan(3)
    await storm.end()
  })
})
