import { mkdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock, systemRandomness } from '../../../src/foundation/system.ts'
import type { FolderState } from '../../../src/folders/state.ts'
import type { FolderNow, FolderView } from '../../../src/folders/service/view.ts'
import { markRoot } from '../../../src/gateway/sync/disk/root-marker.ts'
import type { FileSystem } from '../../../src/gateway/sync/disk/file-system.ts'
import { SystemSyncDisk } from '../../../src/gateway/sync/disk/system-sync-disk.ts'
import type {
  SyncContext,
  SyncEvent,
  SyncFolder,
} from '../../../src/gateway/sync/engine/context.ts'
import {
  syncOnce,
  type PassOptions,
  type SyncResult,
} from '../../../src/gateway/sync/engine/sync-engine.ts'
import type { ChosenPaths } from '../../../src/gateway/sync/selection.ts'
import { WorkMeter, type SyncWork } from '../../../src/gateway/sync/work.ts'
import { LevelRecords } from '../../../src/gateway/sync/records/level-records.ts'
import type { TagHex } from '../../../src/protocol/version-vector.ts'
import { SharedFolder } from '../../../simulations/sync/folder.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { entriesBelow } from '../../support/entries.ts'

/** So that files of a few bytes are gone on with. */
const SMALL_STEPS = { minBytes: 16, stepBytes: 8 }

/** A device with a directory of the system's own and a folder in memory. */
export class TestDevice {
  readonly root: string
  readonly name: string
  readonly events: SyncEvent[] = []
  /** Bytes of contents that came from the grid. */
  fetchedBytes = 0
  /** Called whenever the folder is looked at. */
  look = async (): Promise<void> => await Promise.resolve()
  fetch = async (block: Uint8Array): Promise<Uint8Array> => await Promise.resolve(block)
  readonly #folder: SharedFolder
  readonly #records: string
  readonly #worked: SyncWork[] = []
  /** A second goes by whenever it looks at the time, so that all is told. */
  readonly #meter: WorkMeter
  #heads: readonly FolderState[]

  private constructor(name: string, folder: SharedFolder, at: { root: string; records: string }) {
    this.name = name
    this.root = at.root
    this.#records = at.records
    let nowMs = 0
    const monotonicMs = (): number => (nowMs += 1_000)
    this.#meter = new WorkMeter({ monotonicMs }, (work) => this.#worked.push(work))
    this.#folder = folder
    this.#heads = folder.heads
  }

  static async create(name: string, folder: SharedFolder, temporary: string): Promise<TestDevice> {
    const root = join(temporary, name)
    await mkdir(root)
    await markRoot(root, 'a test')
    return new TestDevice(name, folder, { root, records: join(temporary, `${name} records`) })
  }

  path(...names: string[]): string {
    return join(this.root, ...names)
  }

  /** As if the directory were synced from now on only, with what is in it. */
  async beginAnew(): Promise<void> {
    await rm(this.#records, { recursive: true })
  }

  /** The last that was told of one kind of work. */
  worked(kind: SyncWork['kind']): SyncWork | undefined {
    return this.#worked.findLast((work) => work.kind === kind)
  }

  /** As a process would that starts, syncs and ends. */
  async sync(
    options: Partial<PassOptions> & {
      power?: 'read' | 'write'
      chosen?: ChosenPaths
      files?: FileSystem
    } = {},
  ): Promise<SyncResult> {
    const { signal = new AbortController().signal, power = 'write', ...pass } = options
    await using records = await LevelRecords.open(this.#records)
    const { files } = options
    const system = { clock: systemClock, randomness: systemRandomness, files }
    const context: SyncContext = {
      disk: new SystemSyncDisk(this.root, 'a test', { ...system, unfinished: SMALL_STEPS }),
      folder: this.#syncFolder(power),
      records,
      clock: systemClock,
      chosen: options.chosen,
      onEvent: (event) => this.events.push(event),
      work: this.#meter,
    }
    return await syncOnce(context, { ...pass, signal })
  }

  /** Everything in the directory but what is the program's own: path → content, link or nothing. */
  async listing(): Promise<Record<string, string>> {
    const found: Record<string, string> = {}
    for (const entry of await entriesBelow(this.root)) {
      const at = join(entry.parentPath, entry.name)
      const path = at.slice(this.root.length + 1)
      if (path === '.hayloft' || path.startsWith('.hayloft/')) continue
      if (entry.isDirectory()) found[`${path}/`] = ''
      else if (entry.isSymbolicLink()) found[path] = `→ ${await readlink(at)}`
      else if (entry.isFile()) found[path] = await readFile(at, 'utf8')
    }
    return found
  }

  async mtimeMs(...names: string[]): Promise<number> {
    return Math.round((await stat(this.path(...names))).mtimeMs)
  }

  #syncFolder(power: 'read' | 'write'): SyncFolder {
    const tag = this.name.charCodeAt(0).toString(16).repeat(8) as TagHex
    const now = async (): Promise<FolderNow> => {
      await this.look()
      this.#heads = [...new Set([...this.#heads, ...this.#folder.heads])]
      return (await this.#view()) as FolderNow
    }
    const watch = async function* (): AsyncGenerator<FolderNow> {
      yield await now()
    }
    if (power === 'read') return { power, now, watch }
    return {
      power,
      now,
      watch,
      edit: async (edits) => {
        this.#heads = await this.#folder.commit(
          this.#heads,
          async (view) => (typeof edits === 'function' ? await edits(view as FolderView) : edits),
          { tag, device: this.name },
        )
        return { durability: 'durable', sentBytes: 0, joined: 1, conflicts: [] }
      },
      putFile: async (source, about) => {
        const parts: Uint8Array[] = []
        for await (const part of source) parts.push(part)
        return this.#folder.put(new Uint8Array(Buffer.concat(parts)), about)
      },
    }
  }

  async #view(): Promise<Partial<FolderNow>> {
    const view = await this.#folder.view(this.#heads)
    return {
      ...view,
      readEntry: async (shown, options) => {
        const { length } = this.#folder.read(shown)
        const chunks = this.#folder.readBlocks(shown, options, async (block) => {
          this.fetchedBytes += block.length
          return await this.fetch(block)
        })
        return await Promise.resolve({ sizeBytes: length, chunks })
      },
    }
  }
}

export async function twoDevices(): Promise<{ ann: TestDevice; ben: TestDevice }> {
  const { ann, ben } = await threeDevices()
  return { ann, ben }
}

export async function threeDevices(): Promise<Record<'ann' | 'ben' | 'cleo', TestDevice>> {
  const folder = await SharedFolder.create()
  const temporary = await temporaryFolder()
  const ann = await TestDevice.create('Ann', folder, temporary)
  const ben = await TestDevice.create('Ben', folder, temporary)
  const cleo = await TestDevice.create('Cleo', folder, temporary)
  return { ann, ben, cleo }
}

/** Two devices that have edited `list.txt` without knowing of each other, and have met since. */
export async function inConflict(): Promise<{ ann: TestDevice; ben: TestDevice }> {
  const { ann, ben } = await twoDevices()
  await writeFile(ann.path('list.txt'), 'hay')
  await ann.sync()
  await ben.sync()
  await writeFile(ann.path('list.txt'), 'hay and oats')
  await writeFile(ben.path('list.txt'), 'hay and straw')
  await ann.sync()
  await ben.sync()
  await ann.sync()
  return { ann, ben }
}
