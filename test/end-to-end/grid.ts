import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/foundation/system.ts'
import { GRIDS_VARIABLE } from '../support/global-setup.ts'
import { hayloft, type Run, type RunOptions } from '../support/hayloft.ts'

export interface PracticeJson {
  readonly dir: string
  readonly client: { readonly home: string }
  readonly nodes: readonly NodeJson[]
}

export interface NodeJson {
  readonly name: string
  readonly pid: number
  readonly home: string
  readonly peerId: string
  readonly addresses: readonly string[]
}

export interface StoredJson {
  readonly file: string
  readonly capability: string
  readonly size: number
  readonly shares: { readonly required: number; readonly total: number }
  readonly health: string
  readonly sentBytes: number
}

export interface CheckJson {
  readonly recoverable: boolean
  readonly healthy: boolean
  readonly sharesRequired: number
  readonly sharesTotal: number
  readonly blocks: readonly { id: string; sharesFound: number; sharesGood: number }[]
}

/**
 * A practice grid as a user starts one: processes of their own, under a folder of its own. Whatever a test does, no
 * process of it outlives the tests.
 */
export class TestGrid {
  readonly dir: string
  /** Of every process ever started here; the system reuses pids too slowly for one to be another's by the end. */
  readonly #pids = new Set<number>()
  #practice: PracticeJson | undefined

  constructor(dir: string) {
    this.dir = dir
    process.once('exit', () => {
      this.#killAll()
    })
  }

  static async start(nodes: number): Promise<TestGrid> {
    const grid = new TestGrid(await mkdtemp(join(process.env[GRIDS_VARIABLE] ?? tmpdir(), 'grid-')))
    await grid.startNodes(['--nodes', String(nodes)])
    return grid
  }

  get nodes(): readonly NodeJson[] {
    return this.#practice?.nodes ?? []
  }

  get home(): string {
    return join(this.dir, 'me')
  }

  /** Whatever was stopped, killed or frozen runs again. */
  async startNodes(args: readonly string[] = []): Promise<PracticeJson> {
    for (const { pid } of this.nodes) this.#signal(pid, 'SIGCONT')
    const run = await hayloft(['practice', 'start', '--dir', this.dir, '--json', ...args])
    if (run.status !== 0) throw new Error(`practice start ended with ${run.status}: ${run.stderr}`)
    const practice = JSON.parse(run.stdout) as PracticeJson
    for (const { pid } of practice.nodes) this.#pids.add(pid)
    this.#practice = practice
    return practice
  }

  async stopNodes(names: readonly string[]): Promise<void> {
    const run = await hayloft(['practice', 'stop', '--dir', this.dir, ...names])
    if (run.status !== 0) throw new Error(`practice stop ended with ${run.status}: ${run.stderr}`)
  }

  signalNode(name: string, signal: NodeJS.Signals): void {
    const node = this.nodes.find((each) => each.name === name)
    if (node === undefined) throw new Error(`no node ${name}`)
    this.#signal(node.pid, signal)
  }

  /** Runs a command as the grid's client. */
  async run(args: readonly string[], options: Omit<RunOptions, 'home'> = {}): Promise<Run> {
    return await hayloft(args, { ...options, home: this.home })
  }

  /** The same, for a command that prints JSON; any of `statuses` will do. */
  async json<T>(args: readonly string[], statuses: readonly number[] = [0]): Promise<T> {
    const run = await this.run([...args, '--json'])
    if (!statuses.includes(run.status ?? -1)) {
      throw new Error(`hayloft ${args[0] ?? ''} ended with ${run.status}: ${run.stderr}`)
    }
    return JSON.parse(run.stdout) as T
  }

  async put(file: string, args: readonly string[] = []): Promise<StoredJson> {
    const [stored] = await this.json<StoredJson[]>(['put', file, ...args])
    if (stored === undefined) throw new Error('nothing was stored')
    return stored
  }

  async logs(): Promise<string> {
    const logs = this.nodes.map(async ({ home }) => await readFile(join(home, 'node.log'), 'utf8'))
    return (await Promise.all(logs)).join('\n')
  }

  async end(): Promise<void> {
    this.#killAll()
    await rm(this.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }

  #killAll(): void {
    for (const pid of this.#pids) this.#signal(pid, 'SIGKILL')
    this.#pids.clear()
  }

  #signal(pid: number, signal: NodeJS.Signals): void {
    try {
      process.kill(pid, signal)
    } catch {
      // It is gone, as it should be.
    }
  }
}

/** The command lines of all processes, as any user of the machine may see them. */
export function commandLines(): string {
  return execFileSync('ps', ['-eww', '-o', 'args='], { encoding: 'utf8' })
}

/** Waits for a condition that another process brings about. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) {
    const tick = new AbortController()
    systemClock.after(10, () => {
      tick.abort()
    })
    await once(tick.signal, 'abort')
  }
}
