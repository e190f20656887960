import process from 'node:process'
import { systemClock, systemRandomness } from '../src/foundation/system.ts'
import { mapConcurrently } from '../src/foundation/concurrency.ts'
import type { Edit } from '../src/folders/commit/edits.ts'
import { parsePath } from '../src/folders/names.ts'
import type { FolderWriter } from '../src/folders/service/folder.ts'
import { homeFiles } from '../src/home/layout.ts'
import { openHome } from '../src/home/opened-home.ts'
import { openClient, type Client } from '../src/library/client.ts'
import type { PracticeGrid } from './practice-grid.ts'
import { rowOf, type MeasuredRun, type Row, type RowDescription } from './row.ts'
import { judge } from './targets.ts'

/**
 * The rows of what changes: folders and mutable files, by the library in one process whose connections stay open, as a
 * daemon's do. What is prepared (a folder of so many entries) is outside of the measured time.
 */
export class FolderSuite {
  readonly #grid: PracticeGrid
  readonly #signal: AbortSignal

  constructor(grid: PracticeGrid, signal: AbortSignal) {
    this.#grid = grid
    this.#signal = signal
  }

  /** Files of 1 KiB, each write waited for before the next. */
  async overwriteMutable(name: string, counts: Omit<Overwrites, 'entries'>): Promise<Row> {
    return await this.#connected(async (client) => {
      const { capability } = await client.mutableFiles.create(sourceOf(kibibyte()))
      return await this.#overwrite(name, counts, async () => {
        await client.mutableFiles.write(capability, sourceOf(kibibyte()))
      })
    })
  }

  async overwriteInFolder(name: string, { entries, ...counts }: Overwrites): Promise<Row> {
    return await this.#connected(async (client) => {
      const folder = await folderOf(client, entries)
      return await this.#overwrite(name, counts, async () => {
        await putFile(folder, 'file 7', kibibyte())
      })
    })
  }

  async #overwrite(
    name: string,
    { writes, others }: Omit<Overwrites, 'entries'>,
    overwrite: () => Promise<void>,
  ): Promise<Row> {
    for (let write = 0; write < others; write++) {
      this.#signal.throwIfAborted()
      await overwrite()
    }
    const run = await this.#measure(async () => {
      for (let write = 0; write < writes; write++) await overwrite()
    })
    return judged([run], { name, files: writes })
  }

  /** One new file of 1 KiB, stored and committed. */
  async add(name: string, { entries, writes }: Counts): Promise<Row> {
    return await this.#connected(async (client) => {
      const folder = await folderOf(client, entries)
      const runs = await this.#repeat(writes, (round) =>
        putFile(folder, `new ${round}`, kibibyte()),
      )
      return judged(runs, { name })
    })
  }

  /** By a process that has connections and has not seen the folder before. */
  async list(name: string, entries: number): Promise<Row> {
    const capability = await this.#connected(async (client) => {
      const folder = await folderOf(client, entries)
      return folder.capability
    })
    const runs: MeasuredRun[] = []
    for (let round = 0; round < LIST_ROUNDS; round++) {
      await this.#connected(async (client) => {
        await client.folders.create()
        const folder = await client.folders.open(capability)
        const run = await this.#measure(async () => {
          const shown = await (await folder.now()).list([])
          if (shown.length !== entries) throw new Error('the folder is not as it was made')
        })
        runs.push(run)
      })
    }
    return judged(runs, { name })
  }

  async rename(name: string, { entries, writes }: Counts): Promise<Row> {
    return await this.#connected(async (client) => {
      const folder = await folderOf(client, entries, 'directory 0')
      const runs = await this.#repeat(writes, async (round) => {
        const from = parsePath(`directory ${round}`)
        const to = parsePath(`directory ${round + 1}`)
        await folder.edit([{ kind: 'move', from, to }])
      })
      return judged(runs, { name })
    })
  }

  async create(name: string, what: 'folders' | 'files', count: number): Promise<Row> {
    return await this.#connected(async (client) => {
      const numbers = Array.from({ length: count }, (_, number) => number)
      const run = await this.#measure(async () => {
        await mapConcurrently(numbers, CREATED_AT_ONCE, async () => {
          if (what === 'folders') await client.folders.create()
          else await client.mutableFiles.create(sourceOf(kibibyte()))
        })
      })
      return judged([run], { name, files: count })
    })
  }

  async #connected<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const home = openHome(homeFiles(this.#grid.clientHome), noPassphrase)
    await using client = await openClient(home, this.#signal)
    return await work(client)
  }

  async #repeat(count: number, work: (round: number) => Promise<void>): Promise<MeasuredRun[]> {
    const runs: MeasuredRun[] = []
    for (let round = 0; round < count; round++) {
      this.#signal.throwIfAborted()
      runs.push(await this.#measure(() => work(round)))
    }
    return runs
  }

  async #measure(work: () => Promise<void>): Promise<MeasuredRun> {
    const { result, ...nodes } = await this.#grid.measureNodes(async () => {
      const startMs = systemClock.monotonicMs()
      const before = process.cpuUsage()
      await work()
      const { user, system } = process.cpuUsage(before)
      return {
        wallS: (systemClock.monotonicMs() - startMs) / 1000,
        cpuS: (user + system) / 1e6,
        peakBytes: undefined,
      }
    })
    return { ...result, ...nodes }
  }
}

interface Counts {
  readonly entries: number
  readonly writes: number
}

interface Overwrites extends Counts {
  /** Before those that are measured: nodes and client of a grid that is in use have compiled what they run often. */
  readonly others: number
}

/** How many a program that makes many would make side by side. */
const CREATED_AT_ONCE = 8
const LIST_ROUNDS = 5
/** Entries that one commit puts while a folder is prepared. */
const PREPARED_AT_ONCE = 10_000

/** A folder with so many small files, in a directory of it if one is named. */
async function folderOf(client: Client, entries: number, directory = ''): Promise<FolderWriter> {
  const { capability } = await client.folders.create()
  const folder = await client.folders.open(capability)
  for (let start = 0; start < entries; start += PREPARED_AT_ONCE) {
    const count = Math.min(PREPARED_AT_ONCE, entries - start)
    const edits = Array.from({ length: count }, (_, at): Edit => {
      const content = { kind: 'literal' as const, bytes: new Uint8Array(16), mtimeMs: 0 }
      return { kind: 'put', path: parsePath(`${directory}/file ${start + at}`), content }
    })
    await folder.edit(edits)
  }
  return folder
}

async function putFile(folder: FolderWriter, name: string, bytes: Uint8Array): Promise<void> {
  const content = await folder.putFile(sourceOf(bytes), { mtimeMs: systemClock.nowMs() })
  await folder.edit([{ kind: 'put', path: parsePath(name), content }])
}

function kibibyte(): Uint8Array {
  return systemRandomness.bytes(1024)
}

async function* sourceOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes)
}

async function noPassphrase(): Promise<never> {
  return await Promise.reject(new Error('the homes of practice grids have no passphrase'))
}

function judged(runs: readonly MeasuredRun[], description: RowDescription): Row {
  return judge(rowOf(runs, description))
}
