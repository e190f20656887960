import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sleep } from '../src/foundation/clock.ts'
import { systemClock } from '../src/foundation/system.ts'
import { measureConnectedRange } from './connected.ts'
import {
  costOfWorkload,
  getWorkload,
  putWorkload,
  readWorkload,
  repairWorkload,
  unchangedPutWorkload,
  type Workload,
} from './costs.ts'
import type { GridRun, PracticeGrid } from './practice-grid.ts'
import type { Cost, Primitives } from './primitives.ts'
import { rowOf, type MeasuredRun, type Row, type RowDescription } from './row.ts'
import { BLOCK_BYTES, NODES_LOST, SMALL_FILE_BYTES, type Scale } from './scale.ts'
import { requireSame, writeSample, writeSmallSamples } from './samples.ts'
import { median } from './statistics.ts'
import { judge } from './targets.ts'

const RANGE_BYTES = 1024
export const IDLE_MS = 3000
/** How far into its usual time a transfer is when a node freezes: past its start, before its end. */
const FREEZE_AT = 0.6

export interface Setting {
  readonly grid: PracticeGrid
  readonly scale: Scale
  /** For blocks of full size, and for those of small files. */
  readonly primitives: { readonly large: Primitives; readonly small: Primitives }
  readonly dir: string
  readonly signal: AbortSignal
}

/** A file that the grid holds: where it came from, and a file with its capability. */
interface Stored {
  readonly path: string
  readonly capability: string
}

/** The rows of the practice grid, each a command as people give it. */
export class Suite {
  readonly #setting: Setting
  readonly #stored = new Map<number, Stored>()
  readonly #medianWallS = new Map<string, number>()
  #files = 0

  constructor(setting: Setting) {
    this.#setting = setting
  }

  async version(name: string): Promise<Row> {
    return this.#row(await this.#repeat(() => this.#setting.grid.run(['--version'])), { name })
  }

  /** What ten nodes cost that nobody asks anything; part of every other row. */
  async idle(name: string): Promise<Row> {
    const { grid, signal } = this.#setting
    const runs = await this.#repeat(async () => {
      const work = (): Promise<void> => sleep(systemClock, IDLE_MS, signal)
      const { nodesCpuS, largestNodeBytes } = await grid.measureNodes(work)
      const wallS = IDLE_MS / 1000
      return { wallS, cpuS: 0, peakBytes: undefined, nodesCpuS, largestNodeBytes }
    })
    return this.#row(runs, { name })
  }

  async put(name: string, bytes: number): Promise<Row> {
    const runs = await this.#repeat(async () => await this.#storeNew(bytes), bytes)
    this.#medianWallS.set(`PUT ${bytes}`, median(runs.map(({ wallS }) => wallS)))
    return this.#row(runs, { name, bytes, primitives: this.#cost(putWorkload(bytes)) })
  }

  async get(name: string, bytes: number): Promise<Row> {
    const stored = await this.#storedOf(bytes)
    const runs = await this.#repeat(async () => await this.#fetch(stored), bytes)
    this.#medianWallS.set(`GET ${bytes}`, median(runs.map(({ wallS }) => wallS)))
    return this.#row(runs, { name, bytes, primitives: this.#cost(getWorkload(bytes)) })
  }

  async putAgain(name: string, bytes: number): Promise<Row> {
    const { path } = await this.#storedOf(bytes)
    const runs = await this.#repeat(() => this.#setting.grid.run(['put', path, '--json']), bytes)
    return this.#row(runs, { name, bytes, primitives: this.#cost(unchangedPutWorkload(bytes)) })
  }

  async range(name: string): Promise<Row> {
    const { fileBytes } = this.#setting.scale
    const { capability } = await this.#storedOf(fileBytes)
    const range = `${fileBytes / 2}:${RANGE_BYTES}`
    const args = ['get', `@${capability}`, '--range', range]
    const runs = await this.#repeat(() => this.#setting.grid.run(args))
    return this.#row(runs, { name, primitives: this.#cost(readWorkload(BLOCK_BYTES)) })
  }

  async connectedRange(name: string): Promise<Row> {
    const { grid, scale, signal } = this.#setting
    const { capability } = await this.#storedOf(scale.fileBytes)
    const { result, nodesCpuS, largestNodeBytes } = await grid.measureNodes(() =>
      measureConnectedRange(grid.clientHome, {
        capabilityPath: capability,
        offset: scale.fileBytes / 2,
        length: RANGE_BYTES,
        reads: scale.connectedReads,
        signal,
      }),
    )
    const eachNodesCpuS = nodesCpuS === undefined ? undefined : nodesCpuS / result.length
    return this.#row(
      result.map(({ wallS, cpuS }) => ({
        wallS,
        cpuS,
        peakBytes: undefined,
        nodesCpuS: eachNodesCpuS,
        largestNodeBytes,
      })),
      { name, primitives: this.#cost(readWorkload(BLOCK_BYTES)) },
    )
  }

  async putSmall(name: string): Promise<Row> {
    const { grid, scale, primitives } = this.#setting
    const runs = await this.#repeat(async () => {
      const dir = this.#newPath()
      const names = await writeSmallSamples(dir, {
        count: scale.smallFiles,
        sizeBytes: SMALL_FILE_BYTES,
      })
      const run = await grid.run(['put', ...names, '--json'], { cwd: dir })
      await rm(dir, { recursive: true })
      return run
    })
    const workload = putWorkload(scale.smallFiles * SMALL_FILE_BYTES)
    const cost = costOfWorkload(workload, primitives.small)
    return this.#row(runs, { name, files: scale.smallFiles, primitives: cost })
  }

  async frozenPut(name: string, when: FreezeTime): Promise<Row> {
    const { fileBytes } = this.#setting.scale
    const undisturbedS = await this.#undisturbed('PUT')
    const runs = await this.#repeat(async (round) => {
      return await this.#freezing(round, { when, undisturbedS }, () =>
        this.#storeNew(fileBytes, false),
      )
    })
    const primitives = this.#cost(putWorkload(fileBytes))
    return this.#row(runs, { name, bytes: fileBytes, primitives, undisturbedS })
  }

  async frozenGet(name: string, when: FreezeTime): Promise<Row> {
    const { fileBytes } = this.#setting.scale
    const stored = await this.#storedOf(fileBytes)
    const undisturbedS = await this.#undisturbed('GET')
    const runs = await this.#repeat(async (round) => {
      return await this.#freezing(round, { when, undisturbedS }, () => this.#fetch(stored))
    })
    const primitives = this.#cost(getWorkload(fileBytes))
    return this.#row(runs, { name, bytes: fileBytes, primitives, undisturbedS })
  }

  /** Runs `work` while one node, another each round, holds still from the start or from its midst. */
  async #freezing(
    round: number,
    { when, undisturbedS }: { when: FreezeTime; undisturbedS: number },
    work: () => Promise<GridRun>,
  ): Promise<GridRun> {
    const { grid, signal } = this.#setting
    const names = grid.nodeNames
    // Not the first one, which others find each other through: that would be another measurement.
    const name = names[1 + ((round * 3) % (names.length - 1))] ?? ''
    try {
      if (when === 'before') {
        grid.freeze(name)
        return await work()
      }
      const freezeLater = async (): Promise<void> => {
        await sleep(systemClock, undisturbedS * FREEZE_AT * 1000, signal)
        grid.freeze(name)
      }
      const [run] = await Promise.all([work(), freezeLater()])
      return run
    } finally {
      grid.thaw()
    }
  }

  async repair(name: string): Promise<Row> {
    const { grid, scale } = this.#setting
    const runs = await this.#repeat(async (round) => {
      const stored = await this.#keep(await this.#newSample(scale.fileBytes))
      const names = grid.nodeNames
      const lost = names.filter((_, at) => (at + round) % names.length < NODES_LOST)
      await grid.empty(lost)
      const check = ['check', `@${stored.capability}`, '--json']
      const degraded = await grid.run(check, { accept: [DEGRADED] })
      const { healthy } = JSON.parse(degraded.stdout) as { healthy: boolean }
      if (healthy) throw new Error('no share was lost, so there is no repair to measure')
      const run = await grid.run(['repair', `@${stored.capability}`, '--json'])
      await grid.run(check)
      await rm(stored.path)
      return run
    })
    const primitives = this.#cost(repairWorkload(scale.fileBytes, NODES_LOST))
    return this.#row(runs, { name, bytes: scale.fileBytes, primitives })
  }

  /** Stores a file that the grid never saw; the latest of each size is kept for the rows that read. */
  async #storeNew(bytes: number, isKept = true): Promise<GridRun> {
    const { grid } = this.#setting
    const path = await this.#newSample(bytes)
    const run = await grid.run(['put', path, '--json'])
    if (isKept) {
      const before = this.#stored.get(bytes)
      if (before !== undefined) await rm(before.path)
      this.#stored.set(bytes, await this.#remember(path, run.stdout))
    } else {
      await rm(path)
    }
    return run
  }

  async #storedOf(bytes: number): Promise<Stored> {
    if (!this.#stored.has(bytes)) await this.#storeNew(bytes)
    return this.#stored.get(bytes) as Stored
  }

  async #keep(path: string): Promise<Stored> {
    const { stdout } = await this.#setting.grid.run(['put', path, '--json'])
    return await this.#remember(path, stdout)
  }

  /** In a file, so that the capability stands in no list of processes. */
  async #remember(path: string, putOutput: string): Promise<Stored> {
    const [{ capability }] = JSON.parse(putOutput) as [{ capability: string }]
    await writeFile(`${path}.capability`, capability, { mode: 0o600 })
    return { path, capability: `${path}.capability` }
  }

  async #fetch({ path, capability }: Stored): Promise<GridRun> {
    const output = this.#newPath()
    const run = await this.#setting.grid.run(['get', `@${capability}`, '-o', output, '--json'])
    await requireSame(path, output)
    await rm(output)
    return run
  }

  /** Median wall time without anything amiss, measured now if no row has done so. */
  async #undisturbed(operation: 'PUT' | 'GET'): Promise<number> {
    const { fileBytes } = this.#setting.scale
    const known = this.#medianWallS.get(`${operation} ${fileBytes}`)
    if (known !== undefined) return known
    const stored = await this.#storedOf(fileBytes)
    const runs = await this.#repeat(async () =>
      operation === 'PUT' ? await this.#storeNew(fileBytes, false) : await this.#fetch(stored),
    )
    const wallS = median(runs.map((run) => run.wallS))
    this.#medianWallS.set(`${operation} ${fileBytes}`, wallS)
    return wallS
  }

  async #repeat<Run extends MeasuredRun>(
    measure: (round: number) => Promise<Run>,
    bytes = 0,
  ): Promise<Run[]> {
    const { scale, signal } = this.#setting
    const runs: Run[] = []
    const rounds = bytes === scale.largeFileBytes ? 1 : scale.runs
    for (let round = 0; round < rounds; round++) {
      signal.throwIfAborted()
      runs.push(await measure(round))
    }
    return runs
  }

  #cost(workload: Workload): Cost {
    return costOfWorkload(workload, this.#setting.primitives.large)
  }

  #row(runs: readonly MeasuredRun[], description: RowDescription): Row {
    return judge(rowOf(runs, description))
  }

  async #newSample(bytes: number): Promise<string> {
    const path = this.#newPath()
    await writeSample(path, bytes)
    return path
  }

  #newPath(): string {
    return join(this.#setting.dir, `sample-${this.#files++}`)
  }
}

export type FreezeTime = 'before' | 'during'

/** The status of `hayloft check` for a file that lacks shares. */
const DEGRADED = 1
