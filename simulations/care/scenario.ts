import { toVerify } from '../../src/capabilities/capability.ts'
import { erasureCode, type ErasureCode } from '../../src/erasure/code.ts'
import { fromHex } from '../../src/foundation/bytes.ts'
import { sleep } from '../../src/foundation/clock.ts'
import { assert } from '../../src/foundation/error.ts'
import type { CareEvent } from '../../src/grid/care/events.ts'
import { VolatileCareMemory, type CareMemory } from '../../src/grid/care/memory.ts'
import type { CareRoot } from '../../src/grid/care/roots.ts'
import { happinessThreshold } from '../../src/grid/placement/defaults.ts'
import { blockId, type BlockId } from '../../src/protocol/block-id.ts'
import { sourceOf } from '../bytes.ts'
import { StuckError } from '../clock.ts'
import type { SimulatedNode } from '../node.ts'
import { SeededRandomness } from '../randomness.ts'
import type { ScenarioResult } from '../scenario.ts'
import { Trace } from '../trace.ts'
import { World, type Client } from '../world.ts'

/**
 * Two months in which friends' machines nap, leave for good, join, lose their drives, rot and lie, and carers are killed
 * and started again. Leases of 45 days end in that time unless they are renewed. The judge looks at the drives themselves,
 * every day: whatever was stored must have k shares on them; in the end it must be back above the threshold; and all that
 * was sent must be within the budget.
 */
export async function playCare(
  seed: number,
  options: { readonly print?: (line: string) => void } = {},
): Promise<ScenarioResult> {
  const randomness = new SeededRandomness(`care ${seed}`)
  const trace = new Trace(options.print)
  const world = await World.open({ seed, nodes: NODES, link: { latencyMs: 5 }, maintains: true })
  const play = new CarePlay(world, randomness, trace)
  const violations = await play.run()
  const virtualMs = world.clock.monotonicMs()
  for (const violation of violations) trace.note(virtualMs, `VIOLATION ${violation}`)
  return { seed, violations, digest: trace.digest(), virtualMs, outcomes: play.outcomes }
}

const NODES = 12
/** Of the nodes, at first: the others join later. */
const FOUNDERS = 10
const DAYS = 68
/** So long after the last mishap all must be well. */
const CALM_DAYS = 16
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** What costs shares comes no faster than they can be made anew. */
const DAYS_BETWEEN_LOSSES = 5

interface Stored {
  readonly name: string
  readonly ids: readonly BlockId[]
  readonly root: CareRoot
}

class CarePlay {
  readonly outcomes = new Map<string, number>()
  readonly #world: World
  readonly #randomness: SeededRandomness
  readonly #trace: Trace
  readonly #code: ErasureCode
  readonly #budgetBytes: number
  /** Nothing befalls the nodes: then nothing may have to be made anew either, which it has if a lease lapses. */
  readonly #isQuiet: boolean
  readonly #files: Stored[] = []
  readonly #carers: SimulatedCarer[] = []
  readonly #left = new Set<SimulatedNode>()
  readonly #violations: string[] = []
  #rotten = 0

  constructor(world: World, randomness: SeededRandomness, trace: Trace) {
    this.#world = world
    this.#randomness = randomness
    this.#trace = trace
    this.#code = randomness.pick([erasureCode(2, 6), erasureCode(3, 8)])
    this.#isQuiet = randomness.chance(0.3)
    this.#budgetBytes = randomness.pick([4, 16, 64]) * 2 ** 20
  }

  async run(): Promise<readonly string[]> {
    try {
      for (const node of this.#world.nodes.slice(FOUNDERS)) node.crash()
      await this.#store()
      const before = this.#world.network.traffic.snapshot()
      this.#carers.push(this.#openCarer(this.#world.client))
      if (this.#randomness.chance(0.3)) this.#carers.push(this.#openCarer(this.#world.client))
      for (let day = 0; day < DAYS && this.#violations.length === 0; day++) await this.#playDay(day)
      await this.#judgeEnd()
      const placed = this.outcomes.get('share placed') ?? 0
      if (this.#isQuiet && placed > 0)
        this.#violations.push(`${placed} shares were made anew or moved`)
      if (this.#isQuiet) this.#count('quiet')
      const sent = this.#world.network.traffic.since(before).requestBytes('put')
      const allowed = (DAYS + 2) * this.#budgetBytes * this.#carers.length
      if (sent > allowed) this.#violations.push(`sent ${sent} bytes of ${allowed} that may be`)
      for (const carer of this.#carers) await this.#world.run(async () => await carer.kill())
    } catch (error) {
      if (!(error instanceof StuckError)) throw error
      this.#violations.push(`hangs: ${error.message}`)
    }
    return [...this.#violations, ...this.#world.bugs]
  }

  async #store(): Promise<void> {
    const count = this.#randomness.between(1, 3)
    for (let at = 1; at <= count; at++) {
      const bytes = this.#randomness.bytes(this.#randomness.between(20_000, 1_500_000))
      const put = this.#world.client.grid.put(sourceOf(bytes), { code: this.#code })
      const { capability, placements } = await this.#world.run(async () => await put)
      assert(capability.kind === 'file-read', 'the file is no literal')
      const name = `file-${at}`
      const root = { name, capability: toVerify(capability), isOwn: true }
      this.#files.push({ name, ids: placements.map(({ id }) => blockIdOfHex(id)), root })
    }
  }

  async #playDay(day: number): Promise<void> {
    const { clock } = this.#world
    const isCalm = this.#isQuiet || day >= DAYS - CALM_DAYS
    if (!isCalm && day % DAYS_BETWEEN_LOSSES === 2) await this.#strike()
    if (!isCalm && day === 9)
      for (const node of this.#world.nodes.slice(FOUNDERS)) await this.#start(node)
    if (this.#randomness.chance(0.2)) await this.#restartCarer()
    if (!this.#isQuiet && this.#randomness.chance(0.5)) await this.#nap()
    const restMs = (day + 1) * DAY_MS - (clock.monotonicMs() % (DAYS * DAY_MS))
    await clock.advance(Math.max(HOUR_MS, Math.min(restMs, DAY_MS)))
    await this.#judgeDay(day)
  }

  async #strike(): Promise<void> {
    const node = this.#pickNode()
    if (node === undefined) return
    const mishap = this.#randomness.pick(['leave', 'lose drive', 'rot', 'lie'] as const)
    if (mishap === 'leave' && this.#left.size >= 2) return
    if (mishap === 'rot' && this.#rotten > 0) return
    this.#note(`${mishap} ${node.info.name}`)
    this.#count(mishap)
    switch (mishap) {
      case 'leave':
        this.#left.add(node)
        node.crash()
        return
      case 'lose drive':
        await this.#world.run(async () => {
          await node.empty()
        })
        return
      case 'rot':
        this.#rotten += node.rot(1)
        return
      case 'lie':
        // One liar is enough for two months.
        if (this.#world.nodes.some(({ isHonest }) => !isHonest)) return
        node.lie(this.#randomness.pick(['claims all', 'forgets', 'fakes audits'] as const))
    }
  }

  async #nap(): Promise<void> {
    const node = this.#pickNode()
    if (node === undefined) return
    this.#count('nap')
    node.crash()
    await this.#world.clock.advance(this.#randomness.between(1, 9) * HOUR_MS)
    await this.#start(node)
  }

  async #restartCarer(): Promise<void> {
    const carer = this.#randomness.pick(this.#carers)
    this.#count('carer killed')
    await this.#world.run(async () => {
      await carer.kill()
      await sleep(this.#world.clock, this.#randomness.between(1, 12) * HOUR_MS)
      carer.start()
    }, Infinity)
  }

  #pickNode(): SimulatedNode | undefined {
    const running = this.#world.nodes.filter((node) => node.isRunning && node.isHonest)
    return running.length === 0 ? undefined : this.#randomness.pick(running)
  }

  async #start(node: SimulatedNode): Promise<void> {
    await this.#world.run(async () => {
      await node.start()
    })
  }

  /** What the drives of honest nodes really hold. */
  async #goodShares(id: BlockId): Promise<number> {
    const shares = new Set<number>()
    for (const node of this.#world.nodes) {
      if (node.isHonest) for (const index of await node.goodShares(id)) shares.add(index)
    }
    return shares.size
  }

  async #judgeDay(day: number): Promise<void> {
    await this.#eachBlock((good, name) => {
      if (good < this.#code.required) {
        this.#violations.push(`day ${day}: a block of ${name} has ${good} shares`)
      }
    })
  }

  async #judgeEnd(): Promise<void> {
    // One bad leaf among many is found when it is drawn, or when its node scrubs, which may be later than this.
    const enough = happinessThreshold(this.#code) - this.#rotten
    await this.#eachBlock((good, name) => {
      if (good < enough) this.#violations.push(`at the end a block of ${name} has ${good} shares`)
    })
  }

  async #eachBlock(judge: (good: number, name: string) => void): Promise<void> {
    for (const { name, ids } of this.#files) {
      for (const id of ids) {
        const good = await this.#world.run(async () => await this.#goodShares(id))
        judge(good, name)
      }
    }
  }

  #openCarer(client: Client): SimulatedCarer {
    const carer = new SimulatedCarer(client, {
      roots: this.#files.map(({ root }) => root),
      budgetBytes: this.#budgetBytes,
      onEvent: (event) => {
        if (event.kind === 'probed' || event.kind === 'audited') return
        this.#count(event.kind)
        const root = 'root' in event ? event.root : ''
        const placed = event.kind === 'visited' ? event.sharesPlaced + event.sharesMoved : 0
        if (placed > 0) this.#count('share placed', placed)
        this.#note(`${event.kind} ${root} ${placed}`)
      },
    })
    carer.start()
    return carer
  }

  #count(what: string, times = 1): void {
    this.outcomes.set(what, (this.outcomes.get(what) ?? 0) + times)
  }

  #note(text: string): void {
    this.#trace.note(this.#world.clock.monotonicMs(), text)
  }
}

function blockIdOfHex(hex: string): BlockId {
  const bytes = fromHex(hex)
  assert(bytes !== undefined, 'an id is hexadecimal')
  return blockId(bytes)
}

/** A carer that can be killed at any moment; what it remembers stays. */
class SimulatedCarer {
  readonly #client: Client
  readonly #options: {
    readonly roots: readonly CareRoot[]
    readonly budgetBytes: number
    readonly onEvent: (event: CareEvent) => void
  }
  readonly #memory: CareMemory = new VolatileCareMemory()
  #stop = new AbortController()
  #running: Promise<unknown> = Promise.resolve()

  constructor(
    client: Client,
    options: {
      readonly roots: readonly CareRoot[]
      readonly budgetBytes: number
      readonly onEvent: (event: CareEvent) => void
    },
  ) {
    this.#client = client
    this.#options = options
  }

  start(): void {
    const { roots, budgetBytes, onEvent } = this.#options
    this.#stop = new AbortController()
    const carer = this.#client.grid.openCarer({
      memory: this.#memory,
      roots: async () => await Promise.resolve(roots),
      budgetBytes,
      onEvent,
      // Virtual hours cost real time for each question.
      intervals: { probeMs: 6 * HOUR_MS, auditMs: 12 * HOUR_MS },
    })
    this.#running = carer.run(this.#stop.signal).catch((error: unknown) => {
      if (!this.#stop.signal.aborted) throw error
    })
  }

  async kill(): Promise<void> {
    this.#stop.abort(new Error('killed'))
    await this.#running
  }
}
