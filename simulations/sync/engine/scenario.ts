import { SimulatedClock } from '../../clock.ts'
import { SeededRandomness } from '../../randomness.ts'
import { Trace } from '../../trace.ts'
import { SharedFolder } from '../folder.ts'
import { Contents } from './contents.ts'
import { CALM, EngineDevice } from './device.ts'
import { ROOT } from './places.ts'
import { EngineUser } from './user.ts'
import type { VolumeKind } from './volume.ts'

export interface EngineResult {
  readonly seed: number
  /** Sentences; empty if every promise was kept. */
  readonly violations: readonly string[]
  readonly story: readonly string[]
  readonly conflicts: number
  /** Of all that happened. */
  readonly digest: string
}

/**
 * The real engine on two or three devices: it scans, plans, pushes and pulls over simulated disks and a real folder, while
 * users work at any moment, the grid is late, old or away, disks fail and fill up, are unmounted, and processes die or lose
 * their power between any two steps. In the end all directories must be equal; what nobody gave up who had it must be
 * there, every content of the folder be readable, no temporary left, nothing outside touched; and where devices took turns,
 * there must be no conflict copy and nothing that was given up.
 */
export async function playEngine(seed: number): Promise<EngineResult> {
  const clock = new SimulatedClock()
  const play = new Play(seed, { clock, shared: await SharedFolder.create() })
  try {
    await clock.run(async () => await play.run(), { limitMs: LIMIT_MS })
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    return { ...play.result, violations: [error.message, ...play.result.violations] }
  }
  return play.result
}

class Violation extends Error {}

/** In one of so many, directories are moved. */
const MOVING_SEEDS = 5
const LIMIT_MS = 48 * 3_600_000
const DEVICES = ['Ann', 'Ben', 'Cleo']
/** Looks at devices that have peace, until nothing changes; far more than any need. */
const MAX_LOOKS = 120
const LOOK_MS = 20_000

class Play {
  readonly #seed: number
  readonly #randomness: SeededRandomness
  readonly #clock: SimulatedClock
  readonly #devices: readonly EngineDevice[]
  readonly #users: readonly EngineUser[]
  readonly #shared: SharedFolder
  readonly #story: string[] = []
  readonly #trace = new Trace()
  readonly #contents = new Contents()
  readonly #violations: string[] = []
  readonly #isSequential: boolean
  readonly #isHarsh: boolean
  /** Users move directories more than anything else. */
  readonly #isMoving: boolean
  #isOver = false
  #number = 0
  #conflicts = 0

  constructor(seed: number, { clock, shared }: { clock: SimulatedClock; shared: SharedFolder }) {
    this.#seed = seed
    this.#clock = clock
    this.#shared = shared
    const randomness = new SeededRandomness(`engine/${seed}`)
    this.#randomness = randomness
    this.#isSequential = randomness.chance(0.25)
    this.#isHarsh = randomness.chance(0.6)
    this.#isMoving = seed % MOVING_SEEDS === 0
    const note = (text: string): void => this.#note(text)
    this.#devices = DEVICES.slice(0, randomness.between(2, DEVICES.length)).map((name) => {
      return new EngineDevice({
        name,
        kind: kindOf(randomness),
        clock,
        randomness: randomness.fork(name),
        shared,
        note,
        onViolation: (what) => this.#violations.push(what),
        onStep: (device) => this.#disturb(device),
        onReplacing: (device) => {
          const mayWrite = !this.#isOver && !this.#isSequential
          if (mayWrite && this.#randomness.chance(0.3)) this.#userOf(device)?.endOne()
        },
      })
    })
    this.#users = this.#devices.map((device) => {
      const contents = this.#contents
      const options = { device, clock, note, isMoving: this.#isMoving, contents }
      const nextNumber = (): number => ++this.#number
      return new EngineUser({ ...options, nextNumber, randomness: randomness.fork('user') })
    })
  }

  get result(): EngineResult {
    const [seed, story, conflicts] = [this.#seed, this.#story, this.#conflicts]
    return { seed, violations: this.#violations, story, conflicts, digest: this.#trace.digest() }
  }

  async run(): Promise<void> {
    for (const device of this.#devices) device.start()
    const steps = this.#randomness.between(3, 16)
    if (this.#randomness.chance(0.1)) this.#users[0]?.fill(15)
    if (this.#isMoving) {
      this.#users[0]?.furnish()
      await this.#settle()
    }
    for (let step = 0; step < steps; step++) {
      const at = this.#randomness.below(this.#devices.length)
      if (this.#isSequential) await this.#takeTurn(at)
      else await this.#moveOn(at)
    }
    this.#isOver = true
    await this.#settle()
    await this.#judge()
    for (const { life } of this.#devices) life?.die()
  }

  /** All are in sync, then one acts; the others may crash on the way. */
  async #takeTurn(at: number): Promise<void> {
    await this.#settle()
    const count = this.#randomness.between(1, 3)
    for (let action = 0; action < count; action++) this.#users[at]?.act()
    this.#users[at]?.finish()
    for (const device of this.#devices) {
      if (this.#isHarsh && this.#randomness.chance(0.3))
        device.life?.doom(this.#randomness.below(60))
    }
  }

  async #moveOn(at: number): Promise<void> {
    const device = this.#devices[at] as EngineDevice
    const what = this.#randomness.below(10)
    if (what < 6 || !this.#isHarsh) this.#users[at]?.act()
    else if (what < 7) this.#changeWeather(device)
    else if (what < 8) device.life?.doom(this.#randomness.below(80))
    else if (what < 9) this.#cutPowerSoon(device)
    else this.#unmount(device)
    const pause = this.#randomness.pick([0, 100, 600, 3_000, 20_000])
    await this.#wait(this.#randomness.below(pause + 1))
    for (const other of this.#devices) if (this.#randomness.chance(0.5)) other.start()
  }

  /** Before any step of an engine: its user may act right then. */
  #disturb(device: EngineDevice): void {
    if (this.#isOver || this.#isSequential || !this.#randomness.chance(0.02)) return
    this.#userOf(device)?.act()
  }

  #userOf(device: EngineDevice): EngineUser | undefined {
    return this.#users[this.#devices.indexOf(device)]
  }

  #changeWeather(device: EngineDevice): void {
    const { chance, pick } = {
      chance: (odds: number) => this.#randomness.chance(odds),
      pick: <T>(items: readonly T[]) => this.#randomness.pick(items),
    }
    device.weather = {
      failing: pick([0, 0, 0.1, 1]),
      stale: pick([0, 0.3, 1]),
      disk: pick([0, 0, 0.005, 0.05]),
      isFull: chance(0.1),
    }
    this.#note(`${device.name}'s weather: ${JSON.stringify(device.weather)}`)
  }

  #cutPowerSoon(device: EngineDevice): void {
    this.#clock.after(this.#randomness.below(4_000), () => {
      if (this.#isOver) return
      this.#note(`${device.name} loses power`)
      if (device.isMounted) device.cutPower()
    })
  }

  /** The disk is taken away, which leaves an empty directory, and comes back. */
  #unmount(device: EngineDevice): void {
    if (!device.isMounted) return
    device.isMounted = false
    this.#note(`${device.name}'s disk is taken away`)
    const { volume } = device
    volume.rename(ROOT, '/away')
    volume.add(ROOT, volume.make('directory'))
    volume.settle()
    device.changed()
    this.#clock.after(this.#randomness.between(10_000, 60_000), () => this.#mount(device))
  }

  #mount(device: EngineDevice): void {
    const { volume } = device
    this.#note(`${device.name}'s disk comes back`)
    volume.rename(ROOT, `/mount point ${++this.#number}`)
    volume.rename('/away', ROOT)
    volume.settle()
    device.isMounted = true
    device.changed()
  }

  /** Until all is well and nothing changes any more. */
  async #settle(): Promise<void> {
    for (const user of this.#users) user.finish()
    let before = ''
    for (let look = 0; look < MAX_LOOKS; look++) {
      for (const device of this.#devices) {
        device.weather = CALM
        device.start()
        // Its user is asked, and says that they meant it.
        if (device.status?.state === 'held') device.mayRemove = true
      }
      await this.#wait(LOOK_MS)
      const isCalm = this.#devices.every(({ status, life, isMounted }) => {
        return life !== undefined && isMounted && status?.state === 'in-sync'
      })
      const listings = this.#devices.map(shownBy)
      const now = listings.join('\n--\n')
      if (isCalm && now === before && new Set(listings).size === 1) return
      before = now
    }
    const states = this.#devices.map(({ name, status }) => `${name} ${JSON.stringify(status)}`)
    throw new Violation(`The devices never come to rest:\n${before}\n${states.join('\n')}`)
  }

  async #judge(): Promise<void> {
    const [device] = this.#devices
    const texts = device?.texts() ?? new Set()
    const isSequential = this.#isSequential
    for (const text of this.#contents.due({ isSequential })) {
      this.#require(texts.has(text), `"${text}" is lost`)
    }
    const conflicts = [...(device?.listing().keys() ?? [])].filter((path) => {
      return path.includes('(conflict') || path.includes('(changed meanwhile')
    })
    this.#conflicts += conflicts.length
    for (const { volume, name } of this.#devices) {
      const left = volume.list(`${ROOT}/.hayloft/tmp`)
      this.#require(left.length === 0, `${name} has temporaries left: ${left.join(', ')}`)
    }
    const view = await this.#shared.view(this.#shared.heads)
    for await (const shown of view.walk([])) {
      if (shown.entry.kind === 'file') this.#shared.read(shown)
    }
    const rescued = [...(device?.listing().keys() ?? [])].filter((path) => path.includes('Rescued'))
    if (!isSequential) return
    const copies = [...conflicts, ...rescued]
    this.#require(copies.length === 0, `a conflict without any: ${copies.join(', ')}`)
    for (const text of texts) {
      const isContent = text.startsWith('content')
      this.#require(!isContent || this.#contents.isKept(text), `"${text}" is back`)
    }
  }

  #require(holds: boolean, otherwise: string): void {
    if (!holds) throw new Violation(otherwise)
  }

  async #wait(durationMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#clock.after(durationMs, resolve)
    })
  }

  #note(text: string): void {
    const atMs = this.#clock.monotonicMs()
    this.#trace.note(atMs, text)
    this.#story.push(`${(atMs / 1000).toFixed(3)} ${text}`)
  }
}

function kindOf(randomness: SeededRandomness): VolumeKind {
  return {
    names: randomness.pick(['exact', 'exact', 'folding', 'normalizing']),
    timeStepNs: randomness.pick([1n, 1_000n, 10_000_000n, 2_000_000_000n]),
    hasLinks: randomness.chance(0.75),
  }
}

/** As far as disks can be alike: symbolic links and contents, under the grid's names. */
function shownBy(device: EngineDevice): string {
  return [...device.listing()]
    .map(([path, text]) => `${path}: ${text}`)
    .sort()
    .join('\n')
}
