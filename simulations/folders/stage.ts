import type { FolderWriteCapability } from '../../src/capabilities/capability.ts'
import { slotKeyOf, slotWriteKey } from '../../src/capabilities/slot-keys.ts'
import { sleep } from '../../src/foundation/clock.ts'
import { assert } from '../../src/foundation/error.ts'
import type { SeededRandomness } from '../randomness.ts'
import type { SlotKey } from '../../src/protocol/slot-key.ts'
import type { World } from '../world.ts'
import { Actor, type Sight } from './actor.ts'
import { befall } from './device-mishaps.ts'
import type { SimulatedDevice } from './device.ts'
import type { FolderLedger } from './ledger.ts'
import { follow, lossesIn } from './follow.ts'
import { copiesShown, type FolderJudges } from './judge.ts'
import { doLarger, revisit, type Common } from './larger-deeds.ts'
import { ownNodesOf } from './own-nodes.ts'
import { isLoyal, type FolderPlan } from './plan.ts'
import { Watcher } from './watcher.ts'

/** Who works in the folder when, what befalls their devices, and what must be true in the end. */
export class Stage {
  readonly outcomes = new Map<string, number>()
  readonly #world: World
  readonly #plan: FolderPlan
  readonly #judges: FolderJudges
  readonly #devices: readonly SimulatedDevice[]
  readonly #randomness: SeededRandomness
  readonly #violations: string[] = []
  #actors: readonly Actor[] = []
  #watchers: readonly Watcher[] = []
  #newcomer: Actor | undefined
  #slot: SlotKey | undefined
  readonly #common: Common = { folders: [], snapshots: [] }
  #lastMs = 0
  #isRollingBack = false
  #times = 0
  #isCalm = false

  /** @param options.devices the last of them is a newcomer, who has never seen the folder */
  constructor(options: {
    world: World
    plan: FolderPlan
    judges: FolderJudges
    devices: readonly SimulatedDevice[]
    randomness: SeededRandomness
  }) {
    this.#world = options.world
    this.#plan = options.plan
    this.#judges = options.judges
    this.#devices = options.devices
    this.#randomness = options.randomness
  }

  get violations(): readonly string[] {
    const actors = this.#newcomer ? [...this.#actors, this.#newcomer] : this.#actors
    return [...actors.flatMap(({ violations }) => violations), ...this.#violations]
  }

  /** Makes the folder. */
  async open(): Promise<void> {
    const [first] = this.#devices
    assert(first !== undefined, 'there is a device')
    first.start()
    const capability = {
      kind: 'folder-write' as const,
      writeKey: slotWriteKey(this.#randomness.bytes(32)),
    }
    this.#slot = slotKeyOf(capability.writeKey)
    this.#common.folders.push(capability)
    const actors = this.#devices.map((device) => this.#actorAt(device, capability))
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if ((await actors[0]?.make()) === true) break
    }
    this.#newcomer = actors.at(-1)
    this.#actors = actors.slice(0, -1)
    for (const { device } of this.#actors.slice(1)) device.start()
    if (this.#plan.watches) this.#watchers = this.#actors.map((actor) => new Watcher(actor))
    for (const watcher of this.#watchers) watcher.start()
  }

  /** All devices work on, whatever the others do. */
  async playAtOnce(): Promise<void> {
    const { steps, devices, lines } = this.#plan
    const played = this.#actors.flatMap((actor) =>
      Array.from({ length: lines }, async (_, line) => {
        const randomness = this.#randomness.fork(`${actor.device.name} ${line}`)
        for (let step = 0; step < Math.ceil(steps / devices / lines); step++) {
          await this.#befall(actor.device, randomness)
          await this.#startAgain(actor.device, randomness)
          if (randomness.chance(0.35)) await actor.look()
          else await actor.change(randomness)
          await this.#doLarger(actor, randomness)
          if (randomness.chance(0.5)) await sleep(this.#world.clock, randomness.below(PAUSE_MS))
        }
      }),
    )
    await Promise.all(played)
  }

  /** One device works until what it did is durable; only then another one looks, and goes on. */
  async playInTurn(): Promise<void> {
    for (let step = 0; step < this.#plan.steps; step++) {
      const randomness = this.#randomness.fork(`turn ${step}`)
      const actor = randomness.pick(this.#actors)
      const promised = this.#ledger.acknowledged
      await this.#befall(actor.device, randomness)
      let isDurable = false
      for (let attempt = 0; attempt < MAX_ATTEMPTS && !isDurable; attempt++) {
        if (attempt > 0) await sleep(this.#world.clock, PAUSE_MS)
        await this.#startAgain(actor.device, randomness)
        const sight = await actor.look()
        if (sight?.state.freshness !== 'settled') continue
        this.#checkSequence(actor, sight, promised)
        // What one did oneself must be seen, too, by whoever replaces it.
        const hasDone = await this.#doLarger(actor, randomness)
        if (hasDone && (await actor.look())?.state.freshness !== 'settled') continue
        isDurable = (await actor.change(randomness)) === 'durable'
      }
      // The weather is too bad for this to be a sequence any longer.
      if (!isDurable) return
    }
  }

  /** All devices run and reach all nodes. */
  async calm(): Promise<void> {
    this.#isCalm = true
    this.#world.network.heal()
    for (const { key, disk } of this.#devices) {
      this.#world.network.setLink(key, { breakChance: 0, stallChance: 0 })
      disk.writeFailureChance = 0
    }
    for (const { device } of this.#actors) if (!device.isRunning) device.start()
  }

  /** Somebody writes once more while many of the folder's own nodes are away, and they are back a while later. */
  async writeElsewhere(): Promise<void> {
    assert(this.#slot !== undefined, 'there is a folder')
    const { view, network, clock } = this.#world
    const randomness = this.#randomness.fork('elsewhere')
    const actor = randomness.pick(this.#actors)
    network.partition(ownNodesOf(view, this.#slot).mostAway())
    clock.after(AWAY_MS, () => {
      network.heal()
    })
    await actor.look()
    if ((await actor.change(randomness)) === 'degraded') this.#count('degraded elsewhere')
  }

  /** Who remembers nothing is shown all that was promised, before anybody else looks. */
  async welcome(): Promise<void> {
    const slot = this.#slot
    assert(slot !== undefined, 'there is a folder')
    // A device that went back to an old copy of its memory has forgotten what it owes: then a friend who may only
    // verify has to see to it.
    const isCarerNeeded = this.#plan.deviceMishaps.includes('restore backup')
    const sight = await this.#newcomerSees(async (newcomer) => {
      if (isCarerNeeded) await newcomer.device.slots.repair(slot)
    })
    if (sight === undefined) return
    for (const loss of this.#ledger.losses(sight.state.heads)) {
      this.#violate(`a newcomer is shown less: ${loss}`)
    }
  }

  /** Whoever watches has been told of all that was promised; from now on they look. */
  endWatching(): void {
    const { isScarce, deviceMishaps } = this.#plan
    for (const watcher of this.#watchers) {
      watcher.stop()
      // Who has forgotten what it owes leaves it to others to bring it to where they look.
      if (isScarce || deviceMishaps.includes('restore backup')) continue
      const heads = watcher.told?.heads ?? []
      for (const commit of this.#ledger.unseen(this.#ledger.acknowledged, heads)) {
        this.#violate(`${watcher.actor.device.name} watches, and was not told of commit ${commit}`)
      }
    }
  }

  /** All devices come to the same folders, which have all that was promised. */
  async agree(): Promise<void> {
    for (const folder of this.#common.folders) await this.#agreeOn(folder)
    for (const actor of this.#actors) {
      const randomness = this.#randomness.fork(`follow ${actor.device.name}`)
      const deed = await follow(actor, randomness, { mayLack: false })
      if (deed === undefined) this.#violate(`${actor.device.name} cannot follow links in the end`)
      else for (const loss of lossesIn(deed, this.#judges)) this.#violate(`beyond a link, ${loss}`)
    }
    for (const snapshot of this.#common.snapshots) {
      const isThere = await revisit(this.#randomness.pick(this.#actors), snapshot)
      if (isThere === undefined) this.#violate('a snapshot cannot be read in the end')
    }
  }

  async #agreeOn(folder: FolderWriteCapability): Promise<void> {
    const { ledger } = this.#judges.of(slotKeyOf(folder.writeKey))
    // What only slow nodes or one device know is brought to all by the first looks.
    for (const actor of [...this.#actors, ...this.#actors]) {
      await this.#mustLook(actor, folder)
      await actor.device.slots.settle()
    }
    const [first] = this.#actors
    assert(first !== undefined, 'there is a device')
    const joined = await first.join(folder)
    if (joined === undefined && !this.#plan.isScarce) this.#violate('nobody can write in the end')
    await first.device.slots.settle()
    const digests = new Set<string>()
    for (const actor of this.#actors) {
      const sight = await this.#mustLook(actor, folder)
      if (sight === undefined) continue
      digests.add(sight.digest)
      for (const loss of ledger.losses(sight.state.heads)) this.#violate(loss)
      const isRoot = folder === this.#common.folders[0]
      if (this.#plan.isSequential && isRoot) this.#checkSequence(actor, sight, [])
    }
    if (digests.size > 1) this.#violate('devices do not agree in the end')
    if ((await first.readAll(folder)) === undefined) this.#violate('not all can be read in the end')
  }

  /** All nodes go back to an old state, for one device after another: who has state tells, and gives it back. */
  async rollBack(): Promise<void> {
    this.#isRollingBack = true
    for (const actor of this.#actors) {
      const { device } = actor
      const before = await this.#mustLook(actor)
      // Whoever still brings the newest state to slow nodes would undo what follows.
      for (const other of this.#actors) await other.device.slots.settle()
      await sleep(this.#world.clock, PAUSE_MS)
      for (const node of this.#world.nodes) node.lie('rolls slots back')
      // What a process knows, the next one remembers.
      if (this.#randomness.chance(0.5)) {
        await device.stop()
        device.start()
      }
      const after = await this.#mustLook(actor)
      if (after?.state.rollback === undefined) this.#violate(`${device.name} was told no rollback`)
      else this.#count('rollback told')
      if (!this.#contains(after, before)) this.#violate(`${device.name} forgot what it had seen`)
      await device.slots.settle()
      if (!this.#contains(await this.#newcomerSees(), before)) {
        this.#violate(`what ${device.name} remembers was not given back to the nodes`)
      }
      for (const node of this.#world.nodes) node.repent()
    }
  }

  async end(): Promise<void> {
    for (const { device } of this.#actors) await device.stop()
  }

  #actorAt(device: SimulatedDevice, root: FolderWriteCapability): Actor {
    return new Actor({
      world: this.#world,
      judges: this.#judges,
      device,
      root,
      onOutcome: (outcome) => {
        this.#count(outcome)
      },
      // No two alike, or what is shown first would be for dots to decide that no oracle knows.
      isCalm: this.#plan.isCalm,
      mayTellRollback: () => this.#isRollingBack || !isLoyal(this.#plan),
      timeMs: () => FIRST_MS + 1_000 * (((this.#times += 1) * 7_919) % 100_000),
      // Nor do files and links have the same time.
      nowMs: () => (this.#lastMs = Math.max(this.#world.clock.nowMs(), this.#lastMs + 1_000)),
    })
  }

  get #ledger(): FolderLedger {
    assert(this.#slot !== undefined, 'there is a folder')
    return this.#judges.of(this.#slot).ledger
  }

  /** @returns whether the folders may be others than before */
  async #doLarger(actor: Actor, randomness: SeededRandomness): Promise<boolean> {
    if (!randomness.chance(this.#plan.largerChance)) return false
    if (randomness.chance(0.3)) await follow(actor, randomness, { mayLack: !this.#plan.isCalm })
    else await doLarger(actor, randomness, this.#common)
    return true
  }

  async #befall(device: SimulatedDevice, randomness: SeededRandomness): Promise<void> {
    assert(this.#slot !== undefined, 'there is a folder')
    const [world, plan, slot] = [this.#world, this.#plan, this.#slot]
    await befall(device, randomness, { world, plan, slot, isCalm: () => this.#isCalm })
  }

  async #startAgain(device: SimulatedDevice, randomness: SeededRandomness): Promise<void> {
    if (device.isRunning) return
    if (randomness.chance(0.5)) await sleep(this.#world.clock, randomness.below(PAUSE_MS))
    // Another of its lines may have been faster.
    if (!device.isRunning) device.start()
  }

  /** What is read while nobody else writes is all that was promised, and no conflict. */
  #checkSequence({ device }: Actor, { state, visible }: Sight, promised: readonly string[]): void {
    for (const name of this.#ledger.unseen(promised, state.heads)) {
      this.#violate(
        `${device.name} was not shown commit ${name}, which was durable before it looked`,
      )
    }
    const [copy] = copiesShown(visible)
    if (copy !== undefined) this.#violate(`${device.name} sees "${copy}", which nobody made`)
  }

  async #mustLook(actor: Actor, folder = actor.root): Promise<Sight | undefined> {
    const sight = await actor.look(folder)
    if (sight === undefined) this.#violate(`${actor.device.name} cannot look in good weather`)
    else if (
      sight.state.freshness !== 'settled' &&
      this.#world.nodes.every((node) => node.isHonest)
    ) {
      this.#violate(`${actor.device.name} is shown a folder that may be stale in good weather`)
    }
    return sight
  }

  /** What somebody is shown who remembers nothing. */
  async #newcomerSees(before?: (newcomer: Actor) => Promise<void>): Promise<Sight | undefined> {
    const newcomer = this.#newcomer
    assert(newcomer !== undefined, 'there is a newcomer')
    newcomer.device.start()
    await before?.(newcomer)
    const sight = await this.#mustLook(newcomer)
    await newcomer.device.stop()
    newcomer.device.disk.wipe()
    return sight
  }

  /** Whether all that one sight shows is part of the other; a write that had failed may have come up besides. */
  #contains(sight: Sight | undefined, part: Sight | undefined): boolean {
    if (sight === undefined || part === undefined) return false
    const ledger = this.#ledger
    return ledger.unseen(ledger.seen(part.state.heads), sight.state.heads).length === 0
  }

  #count(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1)
  }

  #violate(what: string): void {
    this.#violations.push(what)
  }
}

const FIRST_MS = Date.UTC(2025, 0, 2, 3, 4, 5)
const PAUSE_MS = 15_000
const MAX_ATTEMPTS = 12
/** Longer than until a device tries again first to bring a state where it should be. */
const AWAY_MS = 60_000
