import { sleep } from '../src/foundation/clock.ts'
import { HayloftError } from '../src/foundation/error.ts'
import { equalBytes } from '../src/foundation/bytes.ts'
import { toVerify } from '../src/capabilities/capability.ts'
import { readAll, sourceOf } from './bytes.ts'
import { StuckError } from './clock.ts'
import { Judge, type StoredFile } from './judge.ts'
import { drawFileBytes, drawPlan, type Plan } from './plan.ts'
import { SeededRandomness } from './randomness.ts'
import { Trace } from './trace.ts'
import { Weather } from './weather.ts'
import { World, type Client } from './world.ts'

export interface ScenarioResult {
  readonly seed: number
  /** What went wrong; empty if nothing did. */
  readonly violations: readonly string[]
  /** Hash of all that happened: equal for equal seeds. */
  readonly digest: string
  readonly virtualMs: number
  /** How many operations ended how, to see that a seed did something: `put ok`, `get not-enough-shares`, … */
  readonly outcomes: ReadonlyMap<string, number>
}

/**
 * Plays one seed: lines of puts, gets, checks and repairs run side by side while mishaps strike, and everything that a
 * client is told is compared with the truth. At the end the weather clears, and what was promised must be there.
 */
export async function playScenario(
  seed: number,
  options: { readonly print?: (line: string) => void } = {},
): Promise<ScenarioResult> {
  const randomness = new SeededRandomness(seed)
  const plan = drawPlan(randomness.fork('plan'))
  const trace = new Trace(options.print)
  trace.note(0, describePlan(plan))
  const world = await World.open({ seed, ...plan, trace })
  plan.liars.forEach((lie, at) => {
    world.nodes[at]?.lie(lie)
  })
  const scenario = new Scenario(world, plan, randomness)
  const violations = await scenario.play()
  const virtualMs = world.clock.monotonicMs()
  for (const violation of violations) trace.note(virtualMs, `VIOLATION ${violation}`)
  return { seed, violations, digest: trace.digest(), virtualMs, outcomes: scenario.outcomes }
}

/** The most virtual time that one operation may take, with every timeout there is one after another. */
const OPERATION_LIMIT_MS = 30 * 60_000
/** How soon an operation must end that was told to. */
const ABORT_LIMIT_MS = 5_000

class Scenario {
  readonly outcomes = new Map<string, number>()
  readonly #world: World
  readonly #plan: Plan
  readonly #randomness: SeededRandomness
  readonly #judge: Judge
  readonly #files: StoredFile[] = []
  readonly #violations: string[] = []
  #fileCount = 0

  constructor(world: World, plan: Plan, randomness: SeededRandomness) {
    this.#world = world
    this.#plan = plan
    this.#randomness = randomness
    this.#judge = new Judge(world)
  }

  async play(): Promise<readonly string[]> {
    const weather = new Weather(this.#world, this.#plan, this.#randomness.fork('weather'))
    try {
      await this.#world.run(async () => {
        weather.start()
        const lines = Array.from({ length: this.#plan.lines }, async (_, at) => {
          await this.#playLine(this.#randomness.fork(`line ${at}`))
        })
        await Promise.all(lines)
        await weather.clear()
      }, Infinity)
      // Time for the nodes to sweep, collect and scrub: none of it may cost what was promised.
      if (this.#plan.maintains) await this.#world.clock.advance(MAINTENANCE_MS)
      await this.#world.run(async () => {
        await this.#audit()
      }, Infinity)
    } catch (error) {
      if (!(error instanceof StuckError)) throw error
      this.#violations.push(`hangs: ${error.message}`)
    }
    return [...this.#violations, ...this.#world.bugs]
  }

  async #playLine(randomness: SeededRandomness): Promise<void> {
    for (let step = 0; step < this.#plan.operations; step++) {
      const client = randomness.pick(this.#world.clients)
      const file = randomness.pick([undefined, ...this.#files])
      const draw = randomness.fraction()
      if (file === undefined || draw < 0.25) await this.#put(client, randomness)
      else if (draw < 0.6) await this.#get(client, file, randomness)
      else if (draw < 0.8) await this.#check(client, file, randomness)
      else await this.#repair(client, file, randomness)
      if (randomness.chance(0.3)) await sleep(this.#world.clock, randomness.below(20_000))
    }
  }

  async #put(client: Client, randomness: SeededRandomness): Promise<void> {
    // Every fourth time the bytes of an earlier file, so that uploads meet shares that are there already.
    const again = randomness.chance(0.25) ? randomness.pick([undefined, ...this.#files]) : undefined
    const bytes = again?.bytes ?? randomness.bytes(drawFileBytes(randomness))
    const name = `file-${++this.#fileCount}`
    const randomKey = randomness.chance(0.1)
    const result = await this.#try(`put ${name} (${bytes.length})`, randomness, (signal) =>
      client.grid.put(sourceOf(bytes), { code: this.#plan.code, randomKey, signal }),
    )
    if (result !== undefined) this.#files.push(this.#judge.accept(name, bytes, result))
    // An upload that failed may have left shares, but nobody was promised anything.
  }

  async #get(client: Client, file: StoredFile, randomness: SeededRandomness): Promise<void> {
    const { length } = file.bytes
    const offset = randomness.chance(0.5) ? 0 : randomness.below(length + 1)
    const range = { offset, length: randomness.chance(0.5) ? length : randomness.below(length + 1) }
    const expected = file.bytes.subarray(offset, offset + range.length)
    const before = await this.#judge.look(file)
    let isAborted = false
    const bytes = await this.#try(`get ${file.name}`, randomness, (signal) => {
      signal.addEventListener('abort', () => {
        isAborted = true
      })
      return readAll(client.grid, file.capability, { range, signal })
    })
    if (bytes === undefined) {
      const after = await this.#judge.look(file)
      if (!isAborted && this.#judge.mustBeReadable(file, before, after)) {
        this.#violations.push(`${file.name} is readable and was not read`)
      }
    } else if (!equalBytes(bytes, expected)) {
      this.#violations.push(`${file.name} was read wrong`)
    }
  }

  async #check(client: Client, file: StoredFile, randomness: SeededRandomness): Promise<void> {
    const { capability } = file
    if (capability.kind === 'literal') return
    const verify = randomness.pick(['none', 'audit', 'full'] as const)
    const power = randomness.chance(0.5) ? capability : toVerify(capability)
    const before = await this.#judge.look(file)
    const report = await this.#try(`check ${file.name} ${verify}`, randomness, (signal) =>
      client.grid.check(power, { verify, signal }),
    )
    if (report === undefined) return
    const after = await this.#judge.look(file)
    const isFull = verify === 'full'
    const contradictions = this.#judge.contradictions(file, report, { before, after, isFull })
    this.#violations.push(...contradictions.map((text) => `${file.name}: ${text}`))
  }

  async #repair(client: Client, file: StoredFile, randomness: SeededRandomness): Promise<void> {
    const { capability } = file
    if (capability.kind === 'literal') return
    await this.#try(`repair ${file.name}`, randomness, (signal) =>
      client.grid.repair(toVerify(capability), { signal }),
    )
  }

  /** After the weather has cleared: promises kept, and whatever they suffice for can be read. */
  async #audit(): Promise<void> {
    this.#violations.push(...(await this.#judge.brokenPromises()))
    const calm = new SeededRandomness('calm')
    for (const file of this.#files) await this.#get(this.#world.client, file, calm)
  }

  /** Runs an operation, now and then aborting it. @returns undefined if it failed as operations may */
  async #try<T>(
    name: string,
    randomness: SeededRandomness,
    operation: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    const { clock, network } = this.#world
    const controller = new AbortController()
    const reason = new Error('the user has changed their mind')
    const cancels: (() => void)[] = []
    const overdue = new Promise<never>((_, reject) => {
      const limit = (delayMs: number): (() => void) =>
        clock.after(delayMs, () => {
          reject(new StuckError(`${name} takes too long`))
        })
      cancels.push(limit(OPERATION_LIMIT_MS))
      if (!randomness.chance(ABORT_CHANCE)) return
      const abort = (): void => {
        controller.abort(reason)
        cancels.push(limit(ABORT_LIMIT_MS))
      }
      cancels.push(clock.after(randomness.pick([0, 30, 300, 3_000]), abort))
    })
    network.note(`begin ${name}`)
    let outcome = 'ok'
    try {
      return await Promise.race([operation(controller.signal), overdue])
    } catch (error) {
      outcome = this.#judgeError(name, error, reason)
      return undefined
    } finally {
      for (const cancel of cancels) cancel()
      network.note(`end ${name}: ${outcome}`)
      const verb = `${name.split(' ', 1)[0]} ${outcome}`
      this.outcomes.set(verb, (this.outcomes.get(verb) ?? 0) + 1)
    }
  }

  #judgeError(name: string, error: unknown, abortReason: Error): string {
    if (error === abortReason) return 'aborted'
    if (error instanceof HayloftError) return error.code
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#violations.push(`${name}: ${text}`)
    return 'failed'
  }
}

/** Three of the nodes' hourly rounds. */
const MAINTENANCE_MS = 3.5 * 3_600_000
const ABORT_CHANCE = 0.08

function describePlan(plan: Plan): string {
  return JSON.stringify(plan, (_, value: unknown) => (value === Infinity ? 'Infinity' : value))
}
