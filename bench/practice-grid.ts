import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { assert } from '../src/foundation/error.ts'
import { homeFiles } from '../src/home/layout.ts'
import { runHayloft, type CommandOptions, type CommandRun } from './command.ts'
import { cpuSecondsOf, peakBytesOf, resetPeak } from './process-usage.ts'

export const NODES = 10

/** A command against the grid, with what the nodes did meanwhile; undefined where the system does not tell. */
export interface GridRun extends CommandRun {
  readonly nodesCpuS: number | undefined
  readonly largestNodeBytes: number | undefined
}

interface PracticeNode {
  readonly name: string
  readonly pid: number
  readonly home: string
}

/** Ten nodes as `hayloft practice start` makes them: processes of their own, stopped when this is disposed. */
export class PracticeGrid implements AsyncDisposable {
  readonly #dir: string
  readonly #signal: AbortSignal
  readonly #frozen = new Set<number>()
  #nodes: readonly PracticeNode[] = []
  #clientHome = ''

  private constructor(dir: string, signal: AbortSignal) {
    this.#dir = dir
    this.#signal = signal
  }

  static async start(dir: string, signal: AbortSignal): Promise<PracticeGrid> {
    const grid = new PracticeGrid(dir, signal)
    try {
      await grid.#start()
      return grid
    } catch (thrown) {
      await grid[Symbol.asyncDispose]()
      throw thrown
    }
  }

  /** Where the grid's client lives: what `HAYLOFT_HOME` is for every command here. */
  get clientHome(): string {
    return this.#clientHome
  }

  get nodeHomes(): string[] {
    return this.#nodes.map(({ home }) => home)
  }

  get nodeNames(): string[] {
    return this.#nodes.map(({ name }) => name)
  }

  async run(
    args: readonly string[],
    options: Pick<CommandOptions, 'cwd' | 'accept'> = {},
  ): Promise<GridRun> {
    const { result, ...nodes } = await this.measureNodes(() =>
      runHayloft(args, { home: this.#clientHome, signal: this.#signal, ...options }),
    )
    return { ...result, ...nodes }
  }

  /** Does any work, and tells what the nodes spent on it. */
  async measureNodes<T>(
    work: () => Promise<T>,
  ): Promise<{ result: T } & Pick<GridRun, 'nodesCpuS' | 'largestNodeBytes'>> {
    await Promise.all(this.#nodes.map(({ pid }) => resetPeak(pid)))
    const before = await this.#cpuSeconds()
    const result = await work()
    const after = await this.#cpuSeconds()
    const peaks = await Promise.all(this.#nodes.map(({ pid }) => peakBytesOf(pid)))
    const known = peaks.filter((peak) => peak !== undefined)
    return {
      result,
      nodesCpuS: before === undefined || after === undefined ? undefined : after - before,
      largestNodeBytes: known.length === 0 ? undefined : Math.max(...known),
    }
  }

  /** From here until {@link thaw} the node holds still: its connections stay open and nothing is answered. */
  freeze(name: string): void {
    const { pid } = this.#named(name)
    process.kill(pid, 'SIGSTOP')
    this.#frozen.add(pid)
  }

  thaw(): void {
    for (const pid of this.#frozen) process.kill(pid, 'SIGCONT')
    this.#frozen.clear()
  }

  /** Stops nodes, destroys all they keep, and starts them again empty. */
  async empty(names: readonly string[]): Promise<void> {
    await this.#practice('stop', names)
    await Promise.all(
      names.map((name) =>
        rm(homeFiles(this.#named(name).home).store, { recursive: true, force: true }),
      ),
    )
    await this.#start()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw()
    // No signal: this is what is left to be done after Ctrl-C.
    await runHayloft(['practice', 'stop', '--dir', this.#dir, '--json'], {
      home: join(this.#dir, 'me'),
      detached: true,
      accept: [NO_GRID],
    })
  }

  async #start(): Promise<void> {
    // Waited for even when interrupted: a start that is cut short could leave nodes that nobody knows.
    const { stdout } = await this.#practice('start', ['--nodes', String(NODES)])
    const started = JSON.parse(stdout) as { client: { home: string }; nodes: PracticeNode[] }
    this.#clientHome = started.client.home
    this.#nodes = started.nodes
    this.#signal.throwIfAborted()
  }

  async #practice(verb: string, args: readonly string[]): Promise<CommandRun> {
    return await runHayloft(['practice', verb, ...args, '--dir', this.#dir, '--json'], {
      home: join(this.#dir, 'me'),
      detached: true,
    })
  }

  async #cpuSeconds(): Promise<number | undefined> {
    const each = await Promise.all(this.#nodes.map(({ pid }) => cpuSecondsOf(pid)))
    return each.reduce<number | undefined>(
      (sum, one) => (sum === undefined || one === undefined ? undefined : sum + one),
      0,
    )
  }

  #named(name: string): PracticeNode {
    const node = this.#nodes.find((one) => one.name === name)
    assert(node !== undefined, 'the practice grid has a node of that name')
    return node
  }
}

/** `hayloft practice stop` where no grid was made. */
const NO_GRID = 66
