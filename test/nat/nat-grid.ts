import { execFile, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { systemClock } from '../../src/foundation/system.ts'
import { sleep } from '../../src/foundation/clock.ts'
import { makeHomes, type HomeWish } from './homes.ts'
import { Testbed, type House } from './testbed.ts'

const PROGRAM = fileURLToPath(new URL('../../bin/hayloft.js', import.meta.url))

/** What `hayloft doctor --json` prints, as far as the tests look at it. */
export interface DoctorJson {
  readonly reachable: boolean | null
  readonly why: string | null
  readonly seenHosts: readonly string[]
  readonly router: string
  readonly portMapping: string
  readonly relays: readonly string[]
  readonly members: readonly {
    readonly name: string
    readonly path: string
    readonly open: readonly string[]
    readonly roundTripMs: number | null
  }[]
  readonly findings: readonly {
    readonly about: string
    readonly verdict: string
    readonly advice?: string
  }[]
}

/** A grid of real programs on the little internet: each home on the machine of its name. */
export class NatGrid implements AsyncDisposable {
  readonly bed: Testbed
  readonly dir: string
  readonly #homes: ReadonlyMap<string, string>
  readonly #nodes = new Map<string, ChildProcess>()

  private constructor(bed: Testbed, dir: string, homes: ReadonlyMap<string, string>) {
    this.bed = bed
    this.dir = dir
    this.#homes = homes
  }

  /** @param publicHosts - machines on the internet: name → last byte of 5.5.0.x. The first is the grid's way in. */
  static async build(options: {
    readonly publicHosts: Readonly<Record<string, number>>
    readonly houses: readonly House[]
    readonly homes: readonly HomeWish[]
  }): Promise<NatGrid> {
    const bed = await Testbed.build(options)
    const dir = await mkdtemp(join(tmpdir(), 'hayloft-nat-homes-'))
    const [first] = Object.entries(options.publicHosts)
    if (first === undefined) throw new Error('a grid needs a way in')
    const [hub, byte] = first
    const hubAddress = `5.5.0.${byte}`
    return new NatGrid(bed, dir, await makeHomes(dir, options.homes, { hub, hubAddress }))
  }

  async startNode(name: string): Promise<void> {
    const log = join(this.dir, `${name}.log`)
    const command = [process.execPath, PROGRAM, 'node', 'start']
    const env = { HAYLOFT_HOME: this.homeOf(name), HAYLOFT_DEBUG: '1' }
    const child = this.bed.start(name, command, { env, log: openSync(log, 'w') })
    this.#nodes.set(name, child)
    while (!readFileSync(log, 'utf8').includes(' started ')) {
      if (child.exitCode !== null) throw new Error(`node ${name}: ${readFileSync(log, 'utf8')}`)
      await sleep(systemClock, 50)
    }
  }

  /** As a power cut ends it. */
  async killNode(name: string): Promise<void> {
    const child = this.#nodes.get(name)
    if (child === undefined || child.exitCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  /** Runs a command on its home's machine. @throws if it ends with another status than these */
  async run(
    name: string,
    args: readonly string[],
    statuses: readonly number[] = [0],
  ): Promise<string> {
    const { command, rest } = this.bed.enter(name, [process.execPath, PROGRAM, ...args])
    const env = { ...process.env, HAYLOFT_HOME: this.homeOf(name), NO_COLOR: '1' }
    const options = { env, maxBuffer: 64 * 1024 * 1024, timeout: COMMAND_TIMEOUT_MS }
    try {
      return (await promisify(execFile)(command, rest, options)).stdout
    } catch (error) {
      const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string }
      if (statuses.includes(Number(code))) return stdout
      throw new Error(
        `hayloft ${args.join(' ')} on ${name} ended with ${String(code)}: ${stderr}`,
        { cause: error },
      )
    }
  }

  async doctor(name: string): Promise<DoctorJson> {
    return JSON.parse(await this.run(name, ['doctor', '--json'], [0, 1])) as DoctorJson
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bed[Symbol.asyncDispose]()
    await rm(this.dir, { recursive: true, force: true })
  }

  homeOf(name: string): string {
    const home = this.#homes.get(name)
    if (home === undefined) throw new Error(`there is no home ${name}`)
    return home
  }
}

const COMMAND_TIMEOUT_MS = 90_000

/** Repeats until nothing is thrown any more. @throws what was thrown last, once the time is over */
export async function eventually<T>(attempt: () => Promise<T>, limitMs = PATIENCE_MS): Promise<T> {
  const until = performance.now() + limitMs
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > until) throw error
      await sleep(systemClock, 500)
    }
  }
}

/** Less than a test's own limit, so that it ends with what was still wrong. */
const PATIENCE_MS = 4 * 60_000
