import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { lstat, mkdir, mkdtemp, readFile, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TestGrid, until } from '../end-to-end/grid.ts'
import { hayloft, startHayloft, type Run } from '../support/hayloft.ts'
import { entriesBelow } from '../support/entries.ts'

export type Side = 'desk' | 'lap' | 'tab'
const PAIR: readonly Side[] = ['desk', 'lap']

/** Two or three computers of one person with a daemon each, on a practice grid, and directories that are synced with one folder. */
export class SyncedPair implements AsyncDisposable {
  readonly #grid: TestGrid
  readonly #dir: string
  readonly #daemons = new Map<Side, ChildProcess>()
  /** Where each side's directory is. */
  readonly #roots: Record<Side, string>
  readonly #sides: readonly Side[]

  private constructor(
    grid: TestGrid,
    dir: string,
    about: { readonly roots: Record<Side, string>; readonly sides: readonly Side[] },
  ) {
    this.#grid = grid
    this.#dir = dir
    this.#roots = about.roots
    this.#sides = about.sides
  }

  /** @param roots - directories to sync; by default new ones */
  static async start(
    roots: Partial<Record<Side, string>> = {},
    sides: readonly Side[] = PAIR,
  ): Promise<SyncedPair> {
    const grid = await TestGrid.start(4)
    const dir = await mkdtemp(join(tmpdir(), 'hayloft-pair-'))
    const all = {
      desk: join(dir, 'desk'),
      lap: join(dir, 'lap'),
      tab: join(dir, 'tab'),
      ...roots,
    }
    const pair = new SyncedPair(grid, dir, { roots: all, sides })
    for (const side of sides) {
      if (side !== 'desk') {
        const { word } = await grid.json<{ word: string }>(['device', 'add'])
        await pair.run(side, ['grid', 'join', '-'], word)
      }
      await mkdir(all[side], { recursive: true })
      await pair.run(side, ['sync', 'add', all[side], 'home:synced'])
      await pair.startDaemon(side)
    }
    return pair
  }

  at(side: Side, ...names: string[]): string {
    return join(this.#roots[side], ...names)
  }

  /** @throws Error with what the command said, if it failed */
  async run(side: Side, args: readonly string[], stdin?: string): Promise<Run> {
    const run = await hayloft(args, {
      home: this.#home(side),
      ...(stdin !== undefined && { stdin }),
    })
    if (run.status === 0) return run
    throw new Error(`hayloft ${args.join(' ')}: ${run.stdout}${run.stderr}`)
  }

  /** Of the only sync. */
  async status(
    side: Side,
  ): Promise<{ state: string; message?: string; degraded: string; problems: string[] }> {
    const { stdout } = await hayloft(['sync', 'status', '--json'], { home: this.#home(side) })
    const { syncs } = JSON.parse(stdout) as { syncs: [Awaited<ReturnType<SyncedPair['status']>>] }
    return syncs[0]
  }

  /** @param within - a command that runs it */
  async startDaemon(side: Side, within?: readonly string[]): Promise<void> {
    const { child } = startHayloft(['start'], { home: this.#home(side), within })
    this.#daemons.set(side, child)
    await until(async () => {
      if (child.exitCode !== null) throw new Error('The daemon ended at once.')
      const { stdout } = await hayloft(['sync', 'status', '--json'], { home: this.#home(side) })
      return (JSON.parse(stdout) as { isRunning: boolean }).isRunning
    })
  }

  async killDaemon(side: Side): Promise<void> {
    const daemon = this.#daemons.get(side)
    if (daemon === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return
    const ended = once(daemon, 'exit')
    daemon.kill('SIGKILL')
    await ended
  }

  /** Of a daemon over the storage protocol, in bytes since its start. */
  async traffic(side: Side): Promise<{ sent: number; received: number }> {
    const home = this.#home(side)
    const { port } = JSON.parse(await readFile(join(home, 'daemon.json'), 'utf8')) as {
      port: number
    }
    const token = (await readFile(join(home, 'api-token'), 'utf8')).trim()
    const headers = { authorization: `Bearer ${token}` }
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).text()
    const of = (name: string): number =>
      Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN)
    return { sent: of('hayloft_sent_bytes'), received: of('hayloft_received_bytes') }
  }

  /** The most memory that a daemon has had at once, in bytes. Linux only. */
  async peakMemory(side: Side): Promise<number> {
    const status = await readFile(`/proc/${this.#daemons.get(side)?.pid ?? 0}/status`, 'utf8')
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN) * 1024
  }

  get grid(): TestGrid {
    return this.#grid
  }

  /** Path → content, link or nothing; the program's own directory is left out. */
  async listing(side: Side): Promise<Record<string, string>> {
    const found: Record<string, string> = {}
    const root = this.at(side)
    const entries = await entriesBelow(root)
    const paths = entries.map(({ parentPath, name }) =>
      join(parentPath, name).slice(root.length + 1),
    )
    for (const path of paths.sort()) {
      if (path === '.hayloft' || path.startsWith('.hayloft/')) continue
      const stats = await lstat(join(root, path))
      if (stats.isDirectory()) found[`${path}/`] = ''
      else if (stats.isSymbolicLink()) found[path] = `→ ${await readlink(join(root, path))}`
      else if (stats.isFile()) found[path] = await readFile(join(root, path), 'latin1')
    }
    return found
  }

  /** Until all have the same, and that is as it should be. */
  async settle(check: (files: Record<string, string>) => boolean = () => true): Promise<void> {
    for (const side of this.#sides) await this.run(side, ['sync', 'status', '--wait'])
    await until(async () => {
      // What moves while it is looked at is looked at again.
      const looks = this.#sides.map(async (side) => await this.listing(side).catch(() => undefined))
      const [desk, ...others] = await Promise.all(looks)
      if (desk === undefined) return false
      const text = JSON.stringify(desk)
      return others.every((other) => JSON.stringify(other) === text) && check(desk)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const side of this.#sides) await this.killDaemon(side)
    await this.#grid.end()
    await rm(this.#dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }

  #home(side: Side): string {
    return side === 'desk' ? this.#grid.home : join(this.#dir, `${side} home`)
  }
}
