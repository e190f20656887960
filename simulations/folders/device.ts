import type { FolderWriteCapability } from '../../src/capabilities/capability.ts'
import type { ErasureEngine } from '../../src/erasure/engine.ts'
import type { Op, ReplyOf, RequestOf } from '../../src/protocol/messages.ts'
import type { Caller } from '../../src/protocol/network.ts'
import type { NodeKey } from '../../src/protocol/node-key.ts'
import { deferred, type Deferred } from '../../src/foundation/concurrency.ts'
import { assert } from '../../src/foundation/error.ts'
import type { FolderWriter } from '../../src/folders/service/folder.ts'
import { openFolders, type Folders } from '../../src/folders/service/folders.ts'
import { openGrid, type Grid } from '../../src/grid/grid.ts'
import type { SlotClient } from '../../src/grid/slots/client.ts'
import { StoredSlotMemory } from '../../src/grid/slots/stored-memory.ts'
import { mortalClock } from '../node.ts'
import { clockOfDeeds } from './deed.ts'
import type { SeededRandomness } from '../randomness.ts'
import type { Client, World } from '../world.ts'
import { MemoryDisk } from './memory-disk.ts'

/** Puts something between the folders of a device and its slots, to see what they do. */
export type SlotsObserver = (slots: SlotClient) => SlotClient

/** One member's device with the real client, whose process may end at any moment and whose memory outlives it. */
export class SimulatedDevice {
  readonly name: string
  readonly disk: MemoryDisk
  readonly #world: World
  readonly #client: Client
  readonly #randomness: SeededRandomness
  readonly #erasure: ErasureEngine
  readonly #observe: SlotsObserver
  #life: Life | undefined
  #lives = 0

  constructor(options: {
    name: string
    world: World
    client: Client
    randomness: SeededRandomness
    erasure: ErasureEngine
    observe: SlotsObserver
    diskFailureChance: number
  }) {
    const { name, world, client, randomness, erasure, observe, diskFailureChance } = options
    this.name = name
    this.#world = world
    this.#client = client
    this.#randomness = randomness
    this.#erasure = erasure
    this.#observe = observe
    this.disk = new MemoryDisk(randomness.fork('memory'), diskFailureChance)
  }

  get key(): NodeKey {
    return this.#client.endpoint.self
  }

  get isRunning(): boolean {
    return this.#life !== undefined
  }

  get folders(): Folders {
    return this.#running.folders
  }

  get slots(): SlotClient {
    return this.#running.slots
  }

  /** Starts a process on what is remembered. */
  start(): void {
    assert(this.#life === undefined, 'a device runs once')
    if (!this.#client.endpoint.isUp) this.#client.endpoint.restart()
    this.#lives += 1
    const death = deferred<never>()
    death.promise.catch(() => undefined)
    const mortality = { isOver: false }
    const clock = mortalClock(this.#world.clock, mortality)
    const randomness = this.#randomness.fork(`life ${this.#lives}`)
    const grid = openGrid({
      caller: mortalCaller(this.#client.endpoint, mortality),
      view: this.#world.view,
      clock,
      randomness,
      erasure: this.#erasure,
      convergence: new Uint8Array(32),
    })
    const memory = new StoredSlotMemory(this.disk.open(clock))
    const slots = grid.openSlotClient({ memory })
    const observed = this.#observe(slots)
    const folders = openFolders(grid, {
      slots: observed,
      clock: clockOfDeeds(clock),
      randomness,
      device: this.name,
    })
    this.#life = { mortality, death, grid, slots, folders }
  }

  /** The power fails: nothing that goes on ever ends. */
  crash(): void {
    const life = this.#running
    this.#life = undefined
    life.mortality.isOver = true
    this.#client.endpoint.crash()
    this.disk.cutPower()
    life.death.reject(new DeviceCrash())
  }

  /** Loses its memory for an older copy of it. */
  restoreBackup(): void {
    this.crash()
    this.disk.restoreBackup()
  }

  /** Ends the process in an orderly way. */
  async stop(): Promise<void> {
    const life = this.#running
    const ending = async (): Promise<void> => {
      await life.folders[Symbol.asyncDispose]()
      await life.slots[Symbol.asyncDispose]()
      life.grid[Symbol.dispose]()
    }
    await Promise.race([ending(), life.death.promise.catch(() => undefined)])
    // Its power may have failed in the meantime.
    if (this.#life !== life) return
    this.#life = undefined
    life.mortality.isOver = true
    life.death.reject(new DeviceCrash())
  }

  /** Does something with the folder for as long as the process lives. @throws DeviceCrash */
  async use<T>(
    capability: FolderWriteCapability,
    work: (folder: FolderWriter) => Promise<T>,
  ): Promise<T> {
    if (this.#life === undefined) throw new DeviceCrash()
    const { folders, death } = this.#life
    const working = folders.open(capability).then(work)
    working.catch(() => undefined)
    return await Promise.race([working, death.promise])
  }

  get #running(): Life {
    assert(this.#life !== undefined, 'the device runs')
    return this.#life
  }
}

/** The device's process has ended in the middle of something. */
export class DeviceCrash extends Error {
  override readonly name = 'DeviceCrash'
}

interface Life {
  readonly mortality: { isOver: boolean }
  readonly death: Deferred<never>
  readonly grid: Grid
  readonly slots: SlotClient
  readonly folders: Folders
}

/** A network that is silent for a process which has died. */
function mortalCaller(caller: Caller, life: { readonly isOver: boolean }): Caller {
  return {
    call: async <O extends Op>(
      node: NodeKey,
      request: RequestOf<O>,
      options?: { readonly signal?: AbortSignal | undefined },
    ): Promise<ReplyOf<O>> => {
      const pending = life.isOver ? never() : caller.call<O>(node, request, options)
      try {
        return await pending
      } finally {
        if (life.isOver) await never()
      }
    },
  }
}

async function never(): Promise<never> {
  return await new Promise<never>(() => {})
}
