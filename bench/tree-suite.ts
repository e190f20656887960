import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { GridRun, PracticeGrid } from './practice-grid.ts'
import { rowOf, type Row } from './row.ts'
import { requireSameTree, writeSmallSamples } from './samples.ts'
import { SMALL_FILE_BYTES } from './scale.ts'
import { judge } from './targets.ts'

/** Files of one directory of a tree. */
const FILES_A_DIRECTORY = 200

/** The rows of whole trees of small files, each a command as people give it. Each runs once. */
export class TreeSuite {
  readonly #grid: PracticeGrid
  readonly #dir: string
  /** Files → the directory that holds them here, once it is on the grid too. */
  readonly #trees = new Map<number, string>()

  constructor(grid: PracticeGrid, dir: string) {
    this.#grid = grid
    this.#dir = dir
  }

  async put(name: string, files: number): Promise<Row> {
    const dir = join(this.#dir, `tree-${files}`)
    for (let made = 0; made < files; made += FILES_A_DIRECTORY) {
      const subdirectory = join(dir, `d${made / FILES_A_DIRECTORY}`)
      const count = Math.min(FILES_A_DIRECTORY, files - made)
      await writeSmallSamples(subdirectory, { count, sizeBytes: SMALL_FILE_BYTES })
    }
    const run = await this.#put(dir, files)
    this.#trees.set(files, dir)
    return rowOfRun(run, { name, files })
  }

  async putAgain(name: string, files: number): Promise<Row> {
    const run = await this.#put(await this.#treeOf(files), files)
    return rowOfRun(run, { name, files })
  }

  async get(name: string, files: number): Promise<Row> {
    const dir = await this.#treeOf(files)
    const output = `${dir}-back`
    const run = await this.#grid.run(['get', '-r', placeOf(files), output, '--json'])
    await requireSameTree(dir, output)
    await rm(output, { recursive: true })
    return rowOfRun(run, { name, files })
  }

  async check(name: string, files: number, verify: 'none' | 'full'): Promise<Row> {
    await this.#treeOf(files)
    const how = verify === 'full' ? ['--verify', 'full'] : []
    const run = await this.#grid.run(['check', '-r', placeOf(files), ...how, '--json'])
    return rowOfRun(run, { name, files })
  }

  /** What is measured finds a daemon of the same home, whose connections it borrows. */
  async besideDaemon(measure: () => Promise<Row>): Promise<Row> {
    await this.#grid.run(['start', '--detach', '--json'])
    try {
      // A daemon that has just started looks after all that its home keeps first.
      await measure()
      return await measure()
    } finally {
      await this.#grid.run(['stop', '--json'])
    }
  }

  async #treeOf(files: number): Promise<string> {
    if (!this.#trees.has(files)) await this.put('', files)
    return this.#trees.get(files) as string
  }

  async #put(dir: string, files: number): Promise<GridRun> {
    return await this.#grid.run(['put', '-r', dir, placeOf(files), '--json'])
  }
}

function placeOf(files: number): string {
  return `home:tree-${files}`
}

function rowOfRun(run: GridRun, description: { name: string; files: number }): Row {
  return judge(rowOf([run], description))
}
