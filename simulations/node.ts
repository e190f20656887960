import type { Clock } from '../src/foundation/clock.ts'
import { assert } from '../src/foundation/error.ts'
import { shareIndices } from '../src/protocol/bitmap.ts'
import type { BlockId } from '../src/protocol/block-id.ts'
import { isShard, MalformedManifestError, openManifest } from '../src/protocol/manifest.ts'
import type { Reply, Request } from '../src/protocol/messages.ts'
import type { Refusal, StorageService } from '../src/protocol/network.ts'
import type { NodeKey } from '../src/protocol/node-key.ts'
import type { StorageNodeInfo } from '../src/grid/view.ts'
import { openStorageNode, type StorageNode } from '../src/storage-node/storage-node.ts'
import type { Corruptor, Share } from './corruptors.ts'
import { PERFECT_DRIVE, type SimulatedDrive } from './disk.ts'
import type { SimulatedEndpoint } from './endpoint.ts'
import { corruptingService, lyingService, type Lie, type SeenShares } from './liars.ts'
import type { SeededRandomness } from './randomness.ts'

/** A machine that runs the real storage node on a simulated drive and network, and everything that may befall it. */
export class SimulatedNode {
  readonly info: StorageNodeInfo
  readonly drive: SimulatedDrive
  readonly endpoint: SimulatedEndpoint
  readonly #clock: Clock
  readonly #randomness: SeededRandomness
  readonly #seen: SeenShares
  readonly #maintains: boolean
  readonly #onBug: (what: string) => void
  /** The life of its process; it has a service once the drive is read. */
  #process: ProcessLife | undefined
  /** What stands between the honest service and the network. */
  #mask: StorageService | undefined
  /** The drive has lost or spoilt acknowledged shares through no fault of the node's. */
  #hasLostData = false
  #hasLied = false
  #handsOutDecoys = false

  constructor(options: {
    info: StorageNodeInfo
    drive: SimulatedDrive
    endpoint: SimulatedEndpoint
    clock: Clock
    randomness: SeededRandomness
    seen: SeenShares
    /** Whether it sweeps, collects and scrubs in the background, as real nodes do. */
    maintains: boolean
    onBug: (what: string) => void
  }) {
    this.info = options.info
    this.drive = options.drive
    this.endpoint = options.endpoint
    this.#clock = options.clock
    this.#randomness = options.randomness
    this.#seen = options.seen
    this.#maintains = options.maintains
    this.#onBug = options.onBug
  }

  get key(): NodeKey {
    return this.info.key
  }

  /** Whether there is a process, frozen or not. */
  get isRunning(): boolean {
    return this.#process !== undefined
  }

  get isUp(): boolean {
    return this.#process?.service !== undefined && !this.endpoint.isFrozen
  }

  get isHonest(): boolean {
    return this.#mask === undefined
  }

  /** Whether whatever this node ever acknowledged must still be on its drive. */
  get isLoyal(): boolean {
    return !this.#hasLied && !this.#hasLostData
  }

  /** Whether it may have shown shares that its drive does not hold: good ones, as it happens, where all are alike. */
  get handsOutDecoys(): boolean {
    return this.#handsOutDecoys
  }

  /** Starts the node's process on whatever its drive holds. Never resolves if the power is cut meanwhile. */
  async start(): Promise<void> {
    assert(this.#process === undefined, 'a node runs once')
    if (!this.endpoint.isUp) this.endpoint.restart()
    const life: ProcessLife = { isOver: false, service: undefined }
    this.#process = life
    try {
      const service = await openStorageNode({
        disk: this.drive.open(),
        clock: mortalClock(this.#clock, life),
        randomness: this.#randomness,
        capacityBytes: this.info.capacityBytes,
        accountOf: (caller) => ({ account: caller, quotaBytes: this.info.capacityBytes }),
        reserveBytes: 0,
      })
      life.service = service
      if (this.#maintains) service.startMaintenance()
      this.endpoint.serve({
        handle: async (caller, request, signal) =>
          await this.#handle({ caller, request, signal }, service),
      })
    } catch (error) {
      this.crash()
      throw error
    }
  }

  /** Power is cut in the middle of whatever goes on. */
  crash(): void {
    if (this.#process !== undefined) this.#process.isOver = true
    this.#process = undefined
    if (this.endpoint.isUp) this.endpoint.crash()
    this.drive.cutPower()
  }

  /** Stopped in an orderly way. */
  async stop(): Promise<void> {
    const life = this.#process
    this.#process = undefined
    if (this.endpoint.isUp) this.endpoint.crash()
    await life?.service?.[Symbol.asyncDispose]()
    if (life !== undefined) life.isOver = true
  }

  /** Crashes and comes back at once. */
  async restart(): Promise<void> {
    this.crash()
    await this.start()
  }

  /** Takes requests and answers none until it thaws. */
  freeze(): void {
    this.endpoint.freeze()
  }

  thaw(): void {
    this.endpoint.thaw()
  }

  /** Crashes and gets an empty drive in place of its own. */
  replaceDrive(): void {
    this.#hasLostData = true
    this.crash()
    this.drive.wipe()
  }

  /** Has lost everything and goes on with an empty drive. */
  async empty(): Promise<void> {
    this.replaceDrive()
    await this.start()
  }

  /** Flips bits in some of its shares, on the drive. Returns how many. */
  rot(count: number): number {
    this.#hasLostData = true
    this.endpoint.disturb()
    return this.drive.rot(count)
  }

  /** Answers with lies from now on. */
  lie(lie: Lie): void {
    this.endpoint.note(`lies: ${lie}`)
    this.#handsOutDecoys ||= lie.includes(' of another ')
    this.#wear((service) =>
      lyingService(service, { lie, randomness: this.#randomness, seen: this.#seen }),
    )
  }

  /** Spoils every share that it hands out from now on; what it keeps stays good. */
  corrupt(corruptor: Corruptor): void {
    this.#wear((service) =>
      corruptingService(service, { corruptor, randomness: this.#randomness, seen: this.#seen }),
    )
  }

  /** Answers as it should again. */
  repent(): void {
    this.#mask = undefined
    this.endpoint.disturb()
  }

  /**
   * The truth, past network, lies and slow drives: which good shares of a block this node's drive holds. Nothing if it
   * does not run.
   */
  async goodShares(id: BlockId): Promise<number[]> {
    const service = this.#process?.service
    if (service === undefined) return []
    const conditions = this.drive.conditions
    this.drive.conditions = { ...PERFECT_DRIVE, capacityBytes: conditions.capacityBytes }
    try {
      const reply = await service.handle(this.key, { op: 'have', ids: [id] })
      if (reply.op !== 'have') return []
      const good: number[] = []
      for (const index of shareIndices(reply.holdings[0] ?? new Uint8Array())) {
        const { share } = await getOf(service, { op: 'get', id, index }, this.key)
        if (share !== undefined && isGood(id, share)) good.push(index)
      }
      return good
    } finally {
      this.drive.conditions = conditions
    }
  }

  #wear(mask: (service: StorageService) => StorageService): void {
    this.#hasLied = true
    this.endpoint.disturb()
    this.#mask = mask({
      handle: async (caller, request, signal) => {
        const service = this.#process?.service
        if (service === undefined) return await new Promise<never>(() => {})
        return await service.handle(caller, request, signal)
      },
    })
  }

  async #handle(
    {
      caller,
      request,
      signal,
    }: { caller: NodeKey; request: Request; signal: AbortSignal | undefined },
    service: StorageNode,
  ): Promise<Reply | Refusal> {
    this.#seen.remember(request)
    const reply = await (this.#mask ?? service).handle(caller, request, signal)
    if (this.#mask === undefined && reply.op === 'refused' && reply.message.includes('a bug')) {
      this.#onBug(`node ${this.info.name}: ${reply.message}`)
    }
    return reply
  }
}

function isGood(id: BlockId, { manifest, index, bytes }: Share): boolean {
  try {
    return isShard(openManifest(id, manifest), index, bytes)
  } catch (error) {
    if (error instanceof MalformedManifestError) return false
    throw error
  }
}

async function getOf(
  service: StorageService,
  request: Request & { op: 'get' },
  caller: NodeKey,
): Promise<Reply & { op: 'get' }> {
  const reply = await service.handle(caller, request)
  return reply.op === 'get' ? reply : { op: 'get' }
}

interface ProcessLife {
  isOver: boolean
  service: StorageNode | undefined
}

/** A clock that stops for a process when it dies, so that its timers do nothing any more. */
export function mortalClock(clock: Clock, life: { readonly isOver: boolean }): Clock {
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    after: (delayMs, action) =>
      clock.after(delayMs, () => {
        if (!life.isOver) action()
      }),
  }
}
