import { sleep } from '../src/foundation/clock.ts'
import { HayloftError, systemCodeOf } from '../src/foundation/error.ts'
import type { SimulatedNode } from './node.ts'
import type { Lie } from './liars.ts'
import { drawLie, type Mishap, type Plan } from './plan.ts'
import type { SeededRandomness } from './randomness.ts'
import type { World } from './world.ts'

const MAX_START_ATTEMPTS = 200
/** After these what a node has promised need not be so. */
export const COSTS_TRUST: ReadonlySet<Mishap> = new Set(['rot', 'replace drive', 'lie'])

/** Lets mishaps befall the nodes of a world, one after another, and undoes each after a while. */
export class Weather {
  readonly #world: World
  readonly #plan: Pick<Plan, 'mishapEveryMs' | 'mishaps' | 'drive'>
  readonly #randomness: SeededRandomness
  readonly #mends = new Set<() => Promise<void>>()
  readonly #unreliable: readonly SimulatedNode[]
  readonly #drawLie: (randomness: SeededRandomness) => Lie
  #isOver = false

  /** @param options.unreliable the nodes that may lose what they keep, or lie; by default all */
  constructor(
    world: World,
    plan: Pick<Plan, 'mishapEveryMs' | 'mishaps' | 'drive'>,
    randomness: SeededRandomness,
    options: {
      unreliable?: readonly SimulatedNode[]
      drawLie?: (randomness: SeededRandomness) => Lie
    } = {},
  ) {
    this.#world = world
    this.#plan = plan
    this.#randomness = randomness
    this.#unreliable = options.unreliable ?? world.nodes
    this.#drawLie = options.drawLie ?? drawLie
  }

  start(): void {
    if (this.#plan.mishapEveryMs === Infinity) return
    const delayMs = this.#plan.mishapEveryMs * 2 * this.#randomness.fraction()
    this.#world.clock.after(delayMs, () => {
      if (this.#isOver) return
      const node = this.#randomness.pick(this.#world.nodes)
      const mishap = this.#randomness.pick(this.#plan.mishaps)
      if (!COSTS_TRUST.has(mishap) || this.#unreliable.includes(node)) {
        void this.#strike(mishap, node)
      }
      this.start()
    })
  }

  /** Ends all mishaps: nodes run, are connected and have good drives again. What is lost stays lost, liars lie on. */
  async clear(): Promise<void> {
    this.#isOver = true
    for (const mend of this.#mends) await mend()
    this.#world.network.heal()
    for (const node of this.#world.nodes) {
      this.#world.network.setLink(node.key, { breakChance: 0, stallChance: 0 })
      node.drive.conditions = this.#plan.drive
      // One last power cut for all: what was acknowledged must survive it.
      node.thaw()
      await node.restart()
    }
  }

  async #strike(mishap: Mishap, node: SimulatedNode): Promise<void> {
    this.#world.network.note(`! ${mishap} ${node.key.slice(0, 6)}`)
    const { drive, key } = node
    const setDrive = (conditions: Partial<Plan['drive']>): void => {
      drive.conditions = { ...this.#plan.drive, ...conditions }
      node.endpoint.disturb()
    }
    const mendDrive = (): void => {
      setDrive({})
    }
    switch (mishap) {
      case 'crash':
        if (!node.isRunning) return
        node.crash()
        this.#mendLater(async () => {
          await this.#startAgain(node)
        })
        return
      case 'restart':
        node.crash()
        await this.#startAgain(node)
        return
      case 'freeze':
        node.freeze()
        this.#mendLater(() => {
          node.thaw()
        })
        return
      case 'partition':
        this.#world.network.partition([key])
        this.#mendLater(() => {
          this.#world.network.heal()
        })
        return
      case 'rot':
        node.rot(this.#randomness.between(1, 3))
        return
      case 'replace drive':
        node.replaceDrive()
        await this.#startAgain(node)
        return
      case 'read errors':
        setDrive({ readFailureChance: 0.2 })
        this.#mendLater(mendDrive)
        return
      case 'write errors':
        setDrive({ writeFailureChance: 0.3 })
        this.#mendLater(mendDrive)
        return
      case 'slow drive':
        setDrive({ readMs: 2_000, writeMs: 4_000 })
        this.#mendLater(mendDrive)
        return
      case 'full drive':
        setDrive({ capacityBytes: drive.usedBytes + this.#randomness.below(10_000) })
        this.#mendLater(mendDrive)
        return
      case 'slow link':
        this.#world.network.setLink(key, { latencyMs: 3_000, bytesPerMs: 50 })
        node.endpoint.disturb()
        this.#mendLater(() => {
          this.#world.network.setLink(key, {})
          node.endpoint.disturb()
        })
        return
      case 'lie':
        node.lie(this.#drawLie(this.#randomness))
        this.#mendLater(() => {
          node.repent()
        })
    }
  }

  #mendLater(action: () => void | Promise<void>): void {
    const mend = async (): Promise<void> => {
      if (!this.#mends.delete(mend)) return
      await action()
    }
    this.#mends.add(mend)
    const afterMs = this.#randomness.pick([100, 2_000, 20_000, 120_000])
    this.#world.clock.after(afterMs, () => {
      void mend()
    })
  }

  async #startAgain(node: SimulatedNode): Promise<void> {
    for (let attempt = 0; attempt < MAX_START_ATTEMPTS && !node.isRunning; attempt++) {
      try {
        await node.start()
      } catch (error) {
        // A drive with read errors: the operator tries again.
        if (systemCodeOf(error) === undefined && !(error instanceof HayloftError)) throw error
        await sleep(this.#world.clock, 1_000)
      }
    }
  }
}
